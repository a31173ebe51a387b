/* Connections with equal arguments, each with a small task of its own, in an order that the last argument says: TASKS,SEED with one letter for each
 * task, in groups like 60q, and a seed that shuffles them (0: as they stand). What came of each task is told in the order of the tasks.
 *   s  a completed connection string in a buffer for 2 characters     l  the same in a large one     n  in none
 *   i  SQLGetInfo     q  queries     t  an attribute that is set and read back */
#include "report.h"

enum { MOST = 400 };
static char told[MOST][500], tasks[MOST + 1];

static void task(int number)
{
    char *out = told[number], kind = tasks[number], completed[1024] = "";
    SQLHDBC one = NULL;
    SQLHSTMT stmt = NULL;
    SQLSMALLINT length = -7, room = kind == 's' ? 2 : kind == 'l' ? (SQLSMALLINT)sizeof completed : 0;
    SQLAllocHandle(SQL_HANDLE_DBC, env, &one);
    SQLRETURN rc = SQLDriverConnect(one, NULL, (SQLCHAR *)connection_string, SQL_NTS, room ? (SQLCHAR *)completed : NULL, room, &length, SQL_DRIVER_NOPROMPT);
    out += sprintf(out, "%d%c connect %s", number, kind, rc_name(rc));
    if (room)
        out += sprintf(out, " '%.20s' %d", completed, length);
    if (kind == 'i') {
        char name[60] = "";
        rc = SQLGetInfo(one, SQL_DBMS_NAME, name, sizeof name, &length);
        sprintf(out, " info %s %s", rc_name(rc), name);
    }
    if (kind == 't') {
        SQLULEN rows = 777;
        SQLAllocHandle(SQL_HANDLE_STMT, one, &stmt);
        SQLSetStmtAttr(stmt, SQL_ATTR_MAX_ROWS, (SQLPOINTER)42, 0);
        rc = SQLGetStmtAttr(stmt, SQL_ATTR_MAX_ROWS, &rows, 0, NULL);
        sprintf(out, " rows %s %lu", rc_name(rc), (unsigned long)rows);
    }
    if (kind == 'q') {
        SQLAllocHandle(SQL_HANDLE_STMT, one, &stmt);
        for (int i = 0; i < 2; i++) {
            char sql[60], message[300] = "";
            SQLINTEGER value = -7;
            sprintf(sql, "select %d + %d", i ? number * 10 : 1, i);
            rc = SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS);
            if (!SQL_SUCCEEDED(rc))
                SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 1, NULL, NULL, (SQLCHAR *)message, sizeof message, NULL);
            else if (SQL_SUCCEEDED(SQLFetch(stmt)))
                SQLGetData(stmt, 1, SQL_C_SLONG, &value, 0, NULL);
            out += sprintf(out, " %s %d %.100s", rc_name(rc), (int)value, message);
            SQLFreeStmt(stmt, SQL_CLOSE);
        }
    }
    if (stmt)
        SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    SQLDisconnect(one);
    SQLFreeHandle(SQL_HANDLE_DBC, one);
}

int main(int argc, char **argv)
{
    int order[MOST], count = 0;
    arguments(argc, argv);
    const char *at = extra;
    while (*at && *at != ',') {
        char *end;
        long times = strtol(at, &end, 10);
        for (times = end == at ? 1 : times; times-- > 0 && count < MOST;)
            tasks[count++] = *end;
        at = end + 1;
    }
    unsigned chance = *at ? (unsigned)atoi(at + 1) : 0;
    for (int i = 0; i < count; i++)
        order[i] = i;
    for (int i = count - 1; i > 0 && chance; i--) {
        chance = chance * 1103515245u + 12345u;
        int other = (int)((chance >> 16) % (unsigned)(i + 1)), was = order[i];
        order[i] = order[other], order[other] = was;
    }
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    for (int i = 0; i < count; i++)
        task(order[i]);
    for (int i = 0; i < count; i++)
        printf("%s\n", told[i]);
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    printf("done: everything was asked\n");
    return 0;
}
