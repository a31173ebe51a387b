/* super8's C interface in an exit handler, where thread-local values are gone already. The argument is super8's library. */
#include "../../../shim/include/super8.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static void *super8;

#define CALL(name) ((__typeof__(&name))dlsym(super8, #name))

static void say(void)
{
    char text[200] = "";
    size_t length = CALL(super8_last_error)(text, sizeof text);
    printf("%zu bytes: %s\n", length, text);
}

static void at_exit(void)
{
    printf("at exit, version %s\n", CALL(super8_version)());
    say();
    printf("insert -> %d\n", CALL(super8_insert)("/etc", "replay", NULL));
    say();
    printf("unplayed -> %lld\n", (long long)CALL(super8_unplayed)("/etc"));
    say();
    printf("eject -> %d\n", CALL(super8_eject)("/etc"));
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    super8 = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!super8)
        return 2;
    atexit(at_exit);
    printf("insert -> %d\n", CALL(super8_insert)("/usr", "replay", NULL));
    return 0;
}
