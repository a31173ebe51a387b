/* Buffers smaller than a diagnostic's message: drivers differ in what they make of them (PostgreSQL's gives the message
 * out over several records, MariaDB's calls a buffer of no bytes a success). */
#include "report.h"

static void fail(SQLHSTMT stmt)
{
    printf("fail -> %s\n", rc_name(SQLExecDirect(stmt, (SQLCHAR *)"select nothing from nowhere", SQL_NTS)));
}

static void records(SQLHSTMT stmt)
{
    static const SQLSMALLINT capacities[] = {1000, 10, 1, 0};
    for (int i = 0; i < 4; i++) {
        unsigned char text[1000 + GUARD];
        SQLCHAR state[6] = "-----";
        SQLINTEGER native = -77;
        SQLSMALLINT length = -77;
        SQLRETURN rc = SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 1, state, &native, filled(text, 1000), capacities[i], &length);
        printf("record in %d -> %s [%s] %d (%d) %.*s\n", capacities[i], rc_name(rc), state, (int)native, length,
               (int)strnlen((char *)text, capacities[i]), text);
        written("guarded", text, 1000, 0);
    }
    SQLCHAR state[6] = "-----";
    printf("record 2 -> %s\n", rc_name(SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 2, state, NULL, NULL, 0, NULL)));
}

static void old_way(SQLHSTMT stmt)
{
    for (int i = 0; i < 5; i++) {
        SQLCHAR state[6] = "-----", text[1000] = "";
        SQLINTEGER native = -77;
        SQLSMALLINT length = -77;
        SQLRETURN rc = SQLError(env, dbc, stmt, state, &native, text, 12, &length);
        printf("error %d -> %s [%s] %d (%d) %s\n", i, rc_name(rc), state, (int)native, length, text);
        if (rc == SQL_NO_DATA)
            break;
    }
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    SQLHSTMT stmt = statement();
    fail(stmt), records(stmt);
    fail(stmt), old_way(stmt);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
