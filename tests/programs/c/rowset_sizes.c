/* How many rows a fetch fills: SQLExtendedFetch goes by SQL_ROWSET_SIZE and the other fetches by SQL_ATTR_ROW_ARRAY_SIZE, except
   with drivers that have one setting for both. */
#include "report.h"

enum { MOST = 4 };

static SQLHSTMT stmt;
static SQLINTEGER ids[MOST];
static char texts[MOST][10];
static SQLLEN lengths[MOST];
static SQLUSMALLINT states[MOST];
static SQLULEN counted;

static void set(const char *name, SQLINTEGER attribute, SQLULEN size)
{
    SQLULEN sizes[2] = {77, 77};
    SQLRETURN rc = SQLSetStmtAttr(stmt, attribute, (SQLPOINTER)size, 0);
    printf("%s %lu: %s\n", name, (unsigned long)size, rc_name(rc));
    SQLGetStmtAttr(stmt, SQL_ROWSET_SIZE, &sizes[0], 0, NULL);
    SQLGetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, &sizes[1], 0, NULL);
    printf("  now %lu and %lu\n", (unsigned long)sizes[0], (unsigned long)sizes[1]);
}

static void clear(void)
{
    for (int row = 0; row < MOST; row++) {
        ids[row] = -1;
        strcpy(texts[row], "?");
        lengths[row] = -77;
        states[row] = 77;
    }
    counted = 77;
}

static void show(const char *name, SQLRETURN rc)
{
    printf("%s: %s, %lu rows\n", name, rc_name(rc), (unsigned long)counted);
    for (int row = 0; row < MOST; row++)
        printf("  %d %s %ld, state %u\n", (int)ids[row], texts[row], (long)lengths[row], states[row]);
}

/* Two fetches of each kind on a new result. */
static void both(int scrolls)
{
    SQLRETURN rc = SQLExecDirect(stmt, (SQLCHAR *)"select id, t from sized order by id", SQL_NTS);
    printf("select: %s\n", rc_name(rc));
    SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, NULL, 0);
    SQLSetStmtAttr(stmt, SQL_ATTR_ROW_STATUS_PTR, NULL, 0);
    for (int n = 0; n < 2; n++) {
        clear();
        show("SQLExtendedFetch", SQLExtendedFetch(stmt, scrolls ? SQL_FETCH_FIRST : SQL_FETCH_NEXT, 0, &counted, states));
    }
    SQLFreeStmt(stmt, SQL_CLOSE);
    SQLExecDirect(stmt, (SQLCHAR *)"select id, t from sized order by id", SQL_NTS);
    SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &counted, 0);
    SQLSetStmtAttr(stmt, SQL_ATTR_ROW_STATUS_PTR, states, 0);
    for (int n = 0; n < 2; n++) {
        clear();
        show("SQLFetch", SQLFetch(stmt));
    }
    SQLFreeStmt(stmt, SQL_CLOSE);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute("create table sized (id integer, t varchar(8))");
    for (int id = 1; id <= 9; id++) {
        char sql[60];
        snprintf(sql, sizeof sql, "insert into sized values (%d, 'row %d')", id, id);
        execute(sql);
    }
    stmt = statement();
    SQLSetStmtAttr(stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_STATIC, 0);
    SQLBindCol(stmt, 1, SQL_C_LONG, ids, 0, NULL);
    SQLBindCol(stmt, 2, SQL_C_CHAR, texts, sizeof texts[0], lengths);
    both(0);
    set("SQL_ATTR_ROW_ARRAY_SIZE", SQL_ATTR_ROW_ARRAY_SIZE, 3);
    both(0);
    both(1);
    set("SQL_ROWSET_SIZE", SQL_ROWSET_SIZE, 2);
    both(0);
    SQLHDESC descriptor = SQL_NULL_HDESC;
    SQLGetStmtAttr(stmt, SQL_ATTR_APP_ROW_DESC, &descriptor, 0, NULL);
    SQLRETURN rc = SQLSetDescField(descriptor, 0, SQL_DESC_ARRAY_SIZE, (SQLPOINTER)3, SQL_IS_UINTEGER);
    printf("SQL_DESC_ARRAY_SIZE 3: %s\n", rc_name(rc));
    both(0);
    set("SQL_ATTR_ROW_ARRAY_SIZE", SQL_ATTR_ROW_ARRAY_SIZE, 4);
    both(1);
    set("SQL_ROWSET_SIZE", SQL_ROWSET_SIZE, 1);
    set("SQL_ATTR_ROW_ARRAY_SIZE", SQL_ATTR_ROW_ARRAY_SIZE, 1);
    both(0);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    execute("drop table sized");
    return done();
}
