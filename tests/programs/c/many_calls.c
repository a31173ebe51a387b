/* Calls that an application makes again and again without a connection, as a pool or a bridge does: none of them may keep
   memory. There is no driver manager between. */
#include "report.h"
#include <dlfcn.h>
#include <malloc.h>

typedef SQLRETURN (*Allocate)(SQLSMALLINT, SQLHANDLE, SQLHANDLE *);
typedef SQLRETURN (*Free)(SQLSMALLINT, SQLHANDLE);
typedef SQLRETURN (*SetAttribute)(SQLHANDLE, SQLINTEGER, SQLPOINTER, SQLINTEGER);

int main(int argc, char **argv)
{
    enum { TIMES = 20000, CONNECTIONS = 500, ALLOWED = 64 * 1024 };
    arguments(argc, argv);
    void *driver = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    Allocate allocate = (Allocate)dlsym(driver, "SQLAllocHandle");
    Free release = (Free)dlsym(driver, "SQLFreeHandle");
    SetAttribute set_env = (SetAttribute)dlsym(driver, "SQLSetEnvAttr");
    SetAttribute set_dbc = (SetAttribute)dlsym(driver, "SQLSetConnectAttr");
    allocate(SQL_HANDLE_ENV, NULL, &env);
    for (int round = 0; round < 2; round++) {
        size_t before = mallinfo2().uordblks;
        for (int i = 0; i < TIMES; i++) {
            set_env(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)(SQLULEN)(i % 2 ? SQL_OV_ODBC3 : SQL_OV_ODBC2), 0);
            if (i >= CONNECTIONS)
                continue;
            allocate(SQL_HANDLE_DBC, env, &dbc);
            set_dbc(dbc, SQL_ATTR_LOGIN_TIMEOUT, (SQLPOINTER)(SQLULEN)(i % 7), 0);
            set_dbc(dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)(SQLULEN)(i % 2), 0);
            release(SQL_HANDLE_DBC, dbc);
        }
        size_t after = mallinfo2().uordblks;
        /* The first round may make tables that stay. */
        if (round == 1)
            printf("%s\n", after > before + ALLOWED ? "memory is kept" : "nothing is kept");
    }
    release(SQL_HANDLE_ENV, env);
    printf("done: everything was asked\n");
    return 0;
}
