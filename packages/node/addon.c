/* Makes super8's C interface callable from JavaScript. Node's functions are declared here, because node_api.h does not come with every
 * Node; they are stable. */

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct napi_env_ *napi_env;
typedef struct napi_value_ *napi_value;
typedef struct napi_callback_info_ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
int napi_get_cb_info(napi_env, napi_callback_info, size_t *count, napi_value *arguments, napi_value *self, void **data);
int napi_get_value_int32(napi_env, napi_value, int32_t *);
int napi_get_value_string_utf8(napi_env, napi_value, char *, size_t capacity, size_t *length);
int napi_create_int64(napi_env, int64_t, napi_value *);
int napi_create_string_utf8(napi_env, const char *, size_t length, napi_value *);
int napi_create_function(napi_env, const char *name, size_t length, napi_callback, void *data, napi_value *);
int napi_set_named_property(napi_env, napi_value object, const char *name, napi_value);
int napi_throw_error(napi_env, const char *code, const char *message);

enum { LIBRARIES = 8, ARGUMENTS = 5 };

/* The libraries that were opened. They stay loaded. */
static void *libraries[LIBRARIES];
static int opened;

/* Returns a copy of a JavaScript string, to be freed; null if the value is no string. */
static char *text(napi_env env, napi_value value) {
    size_t length;
    if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != 0) return NULL;
    char *copy = malloc(length + 1);
    if (copy) napi_get_value_string_utf8(env, value, copy, length + 1, &length);
    return copy;
}

static napi_value failed(napi_env env, const char *message) {
    napi_throw_error(env, NULL, message);
    return NULL;
}

/* Returns the function of this name in the library with this number; null after throwing an error. */
static void *function(napi_env env, napi_value library, const char *name) {
    int32_t number = -1;
    napi_get_value_int32(env, library, &number);
    void *found = number >= 0 && number < opened && name ? dlsym(libraries[number], name) : NULL;
    if (!found) failed(env, "no such library or function");
    return found;
}

/* open(path): returns the library's number. RTLD_LOCAL, because the library has functions of the same names as the driver manager. */
static napi_value open_library(napi_env env, napi_callback_info info) {
    size_t count = 1;
    napi_value path, result = NULL;
    napi_get_cb_info(env, info, &count, &path, NULL, NULL);
    char *name = count == 1 ? text(env, path) : NULL;
    if (!name || opened == LIBRARIES) {
        free(name);
        return failed(env, "open takes a path, eight times at most");
    }
    void *library = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
    free(name);
    if (!library) return failed(env, dlerror());
    libraries[opened] = library;
    napi_create_int64(env, opened++, &result);
    return result;
}

/* call(library, name, text...): returns the function's result. Only super8_unplayed returns a long long. */
static napi_value call(napi_env env, napi_callback_info info) {
    size_t count = ARGUMENTS;
    napi_value arguments[ARGUMENTS], result = NULL;
    napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
    char *texts[ARGUMENTS] = {NULL};
    bool complete = count >= 3 && count <= ARGUMENTS;
    for (size_t i = 1; complete && i < count; i++) complete = (texts[i] = text(env, arguments[i])) != NULL;
    void *found = NULL;
    if (!complete) failed(env, "call takes a library, a function's name and texts");
    else if ((found = function(env, arguments[0], texts[1]))) {
        int64_t code;
        if (count == 5)
            code = ((int (*)(const char *, const char *, const char *))found)(texts[2], texts[3], texts[4]);
        else if (strcmp(texts[1], "super8_unplayed") == 0)
            code = ((long long (*)(const char *))found)(texts[2]);
        else
            code = ((int (*)(const char *))found)(texts[2]);
        napi_create_int64(env, code, &result);
    }
    for (size_t i = 0; i < ARGUMENTS; i++) free(texts[i]);
    return result;
}

/* lastError(library): returns the text for the last result that was not OK. */
static napi_value last_error(napi_env env, napi_callback_info info) {
    size_t count = 1;
    napi_value library, result = NULL;
    napi_get_cb_info(env, info, &count, &library, NULL, NULL);
    size_t (*found)(char *, size_t) = (size_t (*)(char *, size_t))function(env, library, "super8_last_error");
    if (!found) return NULL;
    size_t length = found(NULL, 0);
    char *buffer = malloc(length + 1);
    if (!buffer) return failed(env, "no memory");
    found(buffer, length + 1);
    napi_create_string_utf8(env, buffer, length, &result);
    free(buffer);
    return result;
}

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
    static const struct {
        const char *name;
        napi_callback function;
    } all[] = {{"open", open_library}, {"call", call}, {"lastError", last_error}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        napi_value created;
        napi_create_function(env, all[i].name, strlen(all[i].name), all[i].function, NULL, &created);
        napi_set_named_property(env, exports, all[i].name, created);
    }
    return exports;
}
