/* Raises a number in one statement. What it does when that fails is the mode, its last argument: `passes`, `crashes` by a null pointer,
   `hangs`, or tries `for_ever`. The first argument is the connection string. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sql.h>
#include <sqlext.h>

int main(int argc, char **argv)
{
    SQLHENV env;
    SQLHDBC dbc;
    SQLHSTMT stmt;
    const char *mode = argv[argc - 1];
    SQLCHAR *raise = (SQLCHAR *)"update shelf set amount = amount + 3 where name = 'lower'";
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
    if (!SQL_SUCCEEDED(SQLDriverConnect(dbc, NULL, (SQLCHAR *)argv[1], SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT)))
        return 1;
    SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt);
    while (!SQL_SUCCEEDED(SQLExecDirect(stmt, raise, SQL_NTS))) {
        if (strcmp(mode, "crashes") == 0)
            *(volatile int *)NULL = 1;
        if (strcmp(mode, "hangs") == 0)
            sleep(600);
        if (strcmp(mode, "for_ever") != 0)
            return 1;
        usleep(10000);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    SQLDisconnect(dbc);
    SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    puts("done: everything was asked");
    return 0;
}
