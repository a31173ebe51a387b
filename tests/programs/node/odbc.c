/* A small ODBC client for JavaScript, in place of the package `odbc`, which is not Debian's: ask(connection string, sql, parameter) gives
 * the first value as a text, or null, or throws what SQLGetDiagRec says. */

#include <sql.h>
#include <sqlext.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct napi_env_ *napi_env;
typedef struct napi_value_ *napi_value;
typedef struct napi_callback_info_ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
int napi_get_cb_info(napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **);
int napi_get_value_string_utf8(napi_env, napi_value, char *, size_t, size_t *);
int napi_create_string_utf8(napi_env, const char *, size_t, napi_value *);
int napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
int napi_set_named_property(napi_env, napi_value, const char *, napi_value);
int napi_get_null(napi_env, napi_value *);
int napi_throw_error(napi_env, const char *, const char *);

enum { CAPACITY = 512 };

static SQLHENV environment;

static napi_value ask(napi_env env, napi_callback_info info) {
    size_t count = 3, length;
    napi_value arguments[3], result = NULL;
    char texts[3][CAPACITY] = {""}, value[CAPACITY] = "", message[CAPACITY + 16] = "no diagnostic record";
    SQLHDBC connection = NULL;
    SQLHSTMT statement = NULL;
    SQLLEN given = SQL_NTS, indicator = SQL_NULL_DATA;
    napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
    for (size_t i = 0; i < count; i++) napi_get_value_string_utf8(env, arguments[i], texts[i], CAPACITY, &length);
    if (!environment) {
        SQLAllocHandle(SQL_HANDLE_ENV, NULL, &environment);
        SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    }
    SQLAllocHandle(SQL_HANDLE_DBC, environment, &connection);
    SQLRETURN code = SQLDriverConnect(connection, NULL, (SQLCHAR *)texts[0], SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
    int connected = SQL_SUCCEEDED(code);
    if (connected) {
        SQLAllocHandle(SQL_HANDLE_STMT, connection, &statement);
        SQLBindParameter(statement, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, CAPACITY, 0, texts[2], CAPACITY, &given);
        code = SQLExecDirect(statement, (SQLCHAR *)texts[1], SQL_NTS);
        if (SQL_SUCCEEDED(code)) code = SQLFetch(statement);
        if (SQL_SUCCEEDED(code)) code = SQLGetData(statement, 1, SQL_C_CHAR, value, CAPACITY, &indicator);
    }
    if (!SQL_SUCCEEDED(code) && code != SQL_NO_DATA) {
        SQLSMALLINT type = statement ? SQL_HANDLE_STMT : SQL_HANDLE_DBC, said;
        SQLCHAR state[6] = "", text[CAPACITY] = "";
        SQLGetDiagRec(type, statement ? statement : connection, 1, state, NULL, text, CAPACITY, &said);
        snprintf(message, sizeof message, "%s %s", state, text);
        napi_throw_error(env, NULL, message);
    } else if (indicator == SQL_NULL_DATA) {
        napi_get_null(env, &result);
    } else {
        napi_create_string_utf8(env, value, strlen(value), &result);
    }
    if (statement) SQLFreeHandle(SQL_HANDLE_STMT, statement);
    if (connected) SQLDisconnect(connection);
    SQLFreeHandle(SQL_HANDLE_DBC, connection);
    return result;
}

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
    napi_value function;
    napi_create_function(env, "ask", 3, ask, NULL, &function);
    napi_set_named_property(env, exports, "ask", function);
    return exports;
}
