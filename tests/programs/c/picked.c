/* The program does what its argument names, in that order: `a1` asks the first connection for 1, `b2` the second one for 2. Each
   question has two rows and a parameter, each is executed twice, and a connection is opened when it is first asked. */
#include "report.h"

int main(int argc, char **argv)
{
    arguments(argc, argv);
    SQLHDBC connections[4] = {NULL};
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    for (const char *word = extra; word[0] && word[1]; word += word[2] ? 3 : 2) {
        int which = word[0] - 'a';
        char sql[100], text[40];
        SQLINTEGER number = word[1] - '0';
        SQLLEN length;
        if (!connections[which]) {
            SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
            tell("connect", SQLDriverConnect(dbc, NULL, (SQLCHAR *)connection_string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT),
                SQL_HANDLE_DBC, dbc);
            connections[which] = dbc;
        }
        dbc = connections[which];
        SQLHSTMT stmt = statement();
        snprintf(sql, sizeof sql, "select 'answer %d' where 0 < ? union all select 'another'", number);
        ON(stmt, SQLPrepare(stmt, (SQLCHAR *)sql, SQL_NTS));
        ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_LONG, SQL_INTEGER, 0, 0, &number, 0, NULL));
        for (int time = 0; time < 2; time++) {
            ON(stmt, SQLExecute(stmt));
            while (SQL_SUCCEEDED(SQLFetch(stmt)))
                if (SQL_SUCCEEDED(SQLGetData(stmt, 1, SQL_C_CHAR, text, sizeof text, &length)))
                    printf("%c: %s\n", word[0], text);
            ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
        }
        SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    }
    for (int which = 0; which < 4; which++)
        if (connections[which]) {
            SQLDisconnect(connections[which]);
            SQLFreeHandle(SQL_HANDLE_DBC, connections[which]);
        }
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    printf("done: everything was asked\n");
    return 0;
}
