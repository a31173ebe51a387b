/* A library that looks like a driver and tells when anybody loads it: replay must not. */
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void loaded(void)
{
    const char *path = getenv("ALARM_FILE");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file)
        fclose(file);
}

#define LOOKS_LIKE(name) short name(void) { return -1; }
LOOKS_LIKE(SQLAllocHandle)
LOOKS_LIKE(SQLConnect)
LOOKS_LIKE(SQLDriverConnect)
LOOKS_LIKE(SQLDisconnect)
LOOKS_LIKE(SQLFreeHandle)
