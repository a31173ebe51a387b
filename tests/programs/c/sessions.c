/* A service that copies five tables, with a session of its own for each: the sessions know nothing of each other. The last
 * argument says in which order they come: a number shuffles them, one session after the other; a number and "together"
 * opens them all and lets them take turns; "swapped" reads in one session what it would write first. What each session
 * saw is told table by table, so that the order does not show. */
#include "report.h"
#include <stdarg.h>

enum { TABLES = 5, STEPS = 5 };
static char seen[TABLES][4000];
static SQLHDBC sessions[TABLES];
static int steps[TABLES], swapped = -1;
static unsigned chance;

static void note(int table, const char *format, ...)
{
    size_t used = strlen(seen[table]);
    va_list list;
    va_start(list, format);
    vsnprintf(seen[table] + used, sizeof seen[table] - used, format, list);
    va_end(list);
}

static unsigned below(unsigned limit)
{
    chance = chance * 1103515245u + 12345u;
    return (chance >> 16) % limit;
}

static void ask(int table, const char *sql)
{
    SQLHSTMT stmt = NULL;
    SQLCHAR state[6] = "", text[600] = "";
    SQLINTEGER native, value;
    SQLAllocHandle(SQL_HANDLE_STMT, sessions[table], &stmt);
    SQLRETURN rc = SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS);
    note(table, "  %s -> %s", sql, rc_name(rc));
    if (!SQL_SUCCEEDED(rc)) {
        SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 1, state, &native, text, sizeof text, NULL);
        note(table, " [%s] %s", state, text);
        fprintf(stderr, "%s\n", text);
    }
    SQLSMALLINT columns = 0;
    if (SQL_SUCCEEDED(rc) && SQL_SUCCEEDED(SQLNumResultCols(stmt, &columns)) && columns > 0)
        while (SQL_SUCCEEDED(SQLFetch(stmt)) && SQL_SUCCEEDED(SQLGetData(stmt, 1, SQL_C_SLONG, &value, 0, NULL)))
            note(table, " %d", (int)value);
    note(table, "\n");
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* The next step of a session: connect, two questions that every session asks, its own work, disconnect. */
static void step(int table)
{
    char sql[2][100];
    int first = table == swapped;
    switch (steps[table]++) {
    case 0:
        SQLAllocHandle(SQL_HANDLE_DBC, env, &sessions[table]);
        note(table, "table %d: %s\n", table,
             rc_name(SQLConnect(sessions[table], (SQLCHAR *)source, SQL_NTS, (SQLCHAR *)user, SQL_NTS,
                                (SQLCHAR *)password, SQL_NTS)));
        break;
    case 1:
        ask(table, "select generation from state");
        break;
    case 2:
        ask(table, "select count(*) from state");
        break;
    case 3:
        snprintf(sql[first], sizeof sql[0], "insert into copy%d select n + 1000 from table%d", table, table);
        snprintf(sql[!first], sizeof sql[0], "select n from copy%d where n > %d order by n", table, table * 10);
        ask(table, sql[0]);
        ask(table, sql[1]);
        break;
    case 4:
        SQLDisconnect(sessions[table]);
        SQLFreeHandle(SQL_HANDLE_DBC, sessions[table]);
    }
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    int together = strstr(extra, "together") != NULL, left = TABLES * STEPS;
    chance = (unsigned)atoi(extra);
    swapped = strstr(extra, "swapped") ? 2 : -1;
    connect_or_exit();
    execute("create table state (generation integer)");
    execute("insert into state values (7)");
    for (int table = 0; table < TABLES; table++) {
        char sql[100];
        snprintf(sql, sizeof sql, "create table table%d (n integer)", table);
        execute(sql);
        snprintf(sql, sizeof sql, "create table copy%d (n integer)", table);
        execute(sql);
        snprintf(sql, sizeof sql, "insert into table%d values (%d)", table, table * 100);
        execute(sql);
    }
    while (left > 0) {
        int table = (int)below(TABLES);
        if (steps[table] == STEPS)
            continue;
        do
            step(table), left--;
        while (!together && steps[table] < STEPS);
    }
    for (int table = 0; table < TABLES; table++)
        fputs(seen[table], stdout);
    return done();
}
