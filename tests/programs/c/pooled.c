/* Three connections, one after the other, of one environment: a pool keeps them. With "same" as the last argument they have one
 * handle, which is when unixODBC probes them. With a directory, the second one goes to another cassette than the others: the
 * program sets SUPER8_CASSETTE before each connect. */
#include "report.h"

static void ask(int number)
{
    char sql[40];
    SQLHSTMT stmt = NULL;
    snprintf(sql, sizeof sql, strcmp(dialect, "test") ? "select %d" : "rows %d", number);
    ON_DBC(SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS));
    rows(stmt);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    int same = !strcmp(extra, "same");
    for (int number = 1; number <= 3; number++) {
        char cassette[1000];
        SQLUINTEGER dead = 77;
        snprintf(cassette, sizeof cassette, "%s/%s", extra, number == 2 ? "two" : "one");
        if (*extra && !same)
            setenv("SUPER8_CASSETTE", cassette, 1);
        if (!same || number == 1)
            SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
        ON_DBC(SQLDriverConnect(dbc, NULL, (SQLCHAR *)connection_string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT));
        ask(number);
        ask(10 * number);
        ON_DBC(SQLGetConnectAttr(dbc, SQL_ATTR_CONNECTION_DEAD, &dead, SQL_IS_UINTEGER, NULL));
        printf("dead: %u\n", (unsigned)dead);
        ON_DBC(SQLDisconnect(dbc));
        if (!same || number == 3)
            SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    }
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    printf("done: everything was asked\n");
    return 0;
}
