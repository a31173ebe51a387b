/* The same question is asked with no room for its answer, with too little, and with enough; answers change without a command
 * in between, because the program sets something or closes a cursor; the number of columns is asked of a column. */
#include "report.h"

static unsigned char text[200 + GUARD];

/* What lies behind a text's end means nothing. */
static void show(const char *what, int room, SQLRETURN rc, long length)
{
    size_t shown = 0;
    while (shown < 200 && text[shown] != FILLER && text[shown++])
        ;
    printf("%s, room for %d: %s length %ld", what, room, rc_name(rc), length);
    written("", text, 200, shown);
}

static void in_any_room(SQLHSTMT stmt)
{
    /* SQLite's driver writes to a null pointer: it gets buffers of no size. */
    int sqlite = !strcmp(dialect, "sqlite");
    static const int rooms[] = {-1, 0, 1, 3, 5, 100, 3, -1};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        if (rooms[i] < 0 && sqlite)
            continue;
        SQLPOINTER buffer = rooms[i] < 0 ? NULL : text;
        SQLSMALLINT length = -7, room = (SQLSMALLINT)(rooms[i] < 0 ? 0 : rooms[i]);
        filled(text, 200);
        SQLRETURN rc = SQLGetInfo(dbc, SQL_DBMS_NAME, buffer, room, &length);
        show("DBMS", rooms[i], rc, length);
        filled(text, 200), length = -7;
        rc = SQLColAttribute(stmt, 1, SQL_DESC_LABEL, buffer, room, &length, NULL);
        show("label", rooms[i], rc, length);
        filled(text, 200), length = -7;
        rc = SQLColAttribute(stmt, 1, SQL_DESC_TYPE_NAME, buffer, room, &length, NULL);
        show("type name", rooms[i], rc, length);
        filled(text, 200), length = -7;
        rc = SQLDescribeCol(stmt, 1, buffer, room, &length, NULL, NULL, NULL, NULL);
        show("column", rooms[i], rc, length);
    }
}

static void attribute(SQLHSTMT stmt, SQLINTEGER which, SQLULEN wanted)
{
    SQLULEN now = 77;
    SQLRETURN rc = SQLGetStmtAttr(stmt, which, &now, 0, NULL);
    printf("attribute %d: %s %lu", (int)which, rc_name(rc), (unsigned long)now);
    rc = SQLSetStmtAttr(stmt, which, (SQLPOINTER)wanted, 0);
    printf(", set %lu: %s", (unsigned long)wanted, rc_name(rc));
    now = 77;
    rc = SQLGetStmtAttr(stmt, which, &now, 0, NULL);
    printf(", now %s %lu\n", rc_name(rc), (unsigned long)now);
}

static void count(SQLHSTMT stmt, const char *when)
{
    SQLSMALLINT columns = -7;
    SQLRETURN rc = SQLNumResultCols(stmt, &columns);
    printf("%s: %s %d columns\n", when, rc_name(rc), columns);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute("create table answered (a_long_name varchar(20), b integer, c integer)");
    SQLHSTMT stmt = statement();
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select a_long_name, b, c from answered", SQL_NTS));
    SQLLEN number = -7;
    ON(stmt, SQLColAttribute(stmt, 1, SQL_DESC_COUNT, NULL, 0, NULL, &number));
    printf("asked of the first column: %ld columns\n", (long)number);
    in_any_room(stmt);
    SQLFreeStmt(stmt, SQL_CLOSE);

    static const SQLINTEGER all[] = {SQL_ATTR_MAX_ROWS, SQL_ATTR_QUERY_TIMEOUT, SQL_ATTR_MAX_LENGTH, SQL_ATTR_CURSOR_TYPE, SQL_ATTR_ROW_ARRAY_SIZE};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (SQLULEN wanted = 3; wanted-- > 0;)
            attribute(stmt, all[i], wanted);

    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"select a_long_name, b from answered", SQL_NTS));
    for (int i = 0; i < 2; i++) {
        ON(stmt, SQLExecute(stmt));
        count(stmt, "executed");
        ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
        if (i == 1 || strcmp(dialect, "mariadb"))
            count(stmt, "closed");
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    SQLPOINTER address = NULL;
    ON_DBC(SQLSetConnectAttr(dbc, SQL_ATTR_ENLIST_IN_DTC, NULL, SQL_IS_POINTER));
    ON_DBC(SQLGetConnectAttr(dbc, SQL_ATTR_QUIET_MODE, &address, 0, NULL));
    return done();
}
