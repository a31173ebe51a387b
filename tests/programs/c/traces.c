/* Several connections at once, each in a trace of its own: the last argument has their connection strings, one a line,
   each perhaps with a comment for its SQL after a tab. */
#include "report.h"

enum { MOST = 8 };

int main(int argc, char **argv)
{
    char *strings[MOST], *comments[MOST], sql[500];
    SQLHDBC connections[MOST];
    int count = 0;
    arguments(argc, argv);
    char *copy = strdup(extra);
    for (char *line = strtok(copy, "\n"); line && count < MOST; line = strtok(NULL, "\n")) {
        comments[count] = strchr(line, '\t');
        if (comments[count])
            *comments[count]++ = 0;
        strings[count++] = line;
    }
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    for (int i = 0; i < count; i++) {
        SQLAllocHandle(SQL_HANDLE_DBC, env, &connections[i]);
        dbc = connections[i];
        if (!SQL_SUCCEEDED(ON_DBC(SQLDriverConnect(dbc, NULL, (SQLCHAR *)strings[i], SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT))))
            return 1;
        ON_DBC(SQLSetConnectAttr(dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_OFF, 0));
    }
    /* what belongs to one trace is the same however many there are beside it */
    for (int round = 0; round < 3; round++)
        for (int i = count - 1; i >= 0; i--) {
            dbc = connections[i];
            snprintf(sql, sizeof sql, "select %d as n, 'round' as t union all select %d, 'two'%s", round, round + 10, comments[i] ? comments[i] : "");
            query(sql);
        }
    for (int i = 0; i < count; i++) {
        dbc = connections[i];
        ON_DBC(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_COMMIT));
        ON_DBC(SQLDisconnect(dbc));
        SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    }
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    puts("done: everything was asked");
    return 0;
}
