/* Connects and selects, waits a while, and does so again on a new connection: `paused MILLISECONDS [SECOND-STATEMENT]`. */
#include <sql.h>
#include <sqlext.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static SQLHENV env;

static void once(const char *sql)
{
    SQLHDBC dbc;
    SQLHSTMT stmt;
    SQLCHAR text[64];
    SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
    SQLRETURN rc = SQLConnect(dbc, (SQLCHAR *)"shop", SQL_NTS, NULL, 0, NULL, 0);
    printf("connect: %d\n", rc);
    if (SQL_SUCCEEDED(rc)) {
        SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt);
        printf("%s: %d\n", sql, SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS));
        while (SQL_SUCCEEDED(SQLFetch(stmt))) {
            SQLGetData(stmt, 1, SQL_C_CHAR, text, sizeof text, NULL);
            printf("row: %s\n", text);
        }
        SQLFreeHandle(SQL_HANDLE_STMT, stmt);
        SQLDisconnect(dbc);
    }
    SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    SQLAllocHandle(SQL_HANDLE_ENV, NULL, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    once("select 1");
    usleep(1000 * (argc > 1 ? atoi(argv[1]) : 0));
    once(argc > 2 ? argv[2] : "select 2");
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    return 0;
}
