/* SQLSetPos and SQLBulkOperations: moving in a rowset, refresh, update, delete, add, by bookmark, with data at execution. */
#include "report.h"

enum { SIZE = 4 };

static SQLHSTMT stmt;
static SQLINTEGER id[SIZE];
static char name[SIZE][16];
static SQLLEN id_length[SIZE], name_length[SIZE], mark_length[SIZE];
static unsigned char mark[SIZE][16];
static SQLUSMALLINT status[SIZE], operation[SIZE];
static SQLULEN fetched;
static const char *cursor_name;

static void attribute(SQLINTEGER which, SQLULEN value)
{
    printf("attribute %d = %lu\n", (int)which, (unsigned long)value);
    tell("SQLSetStmtAttr", SQLSetStmtAttr(stmt, which, (SQLPOINTER)value, 0), SQL_HANDLE_STMT, stmt);
}

static void open_cursor(SQLULEN size, int bookmarks)
{
    stmt = statement();
    attribute(SQL_ATTR_CONCURRENCY, SQL_CONCUR_ROWVER);
    attribute(SQL_ATTR_CURSOR_TYPE, strcmp(dialect, "postgres") ? SQL_CURSOR_STATIC : SQL_CURSOR_KEYSET_DRIVEN);
    attribute(SQL_ATTR_ROW_ARRAY_SIZE, size);
    SQLSetStmtAttr(stmt, SQL_ATTR_ROW_STATUS_PTR, status, 0);
    SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0);
    SQLSetStmtAttr(stmt, SQL_ATTR_ROW_OPERATION_PTR, operation, 0);
    memset(operation, 0, sizeof operation), memset(mark, 0, sizeof mark), memset(name, 0, sizeof name);
    for (int i = 0; i < SIZE; i++)
        id[i] = 0, id_length[i] = 0, name_length[i] = SQL_NTS, mark_length[i] = 0;
    if (bookmarks) {
        attribute(SQL_ATTR_USE_BOOKMARKS, SQL_UB_VARIABLE);
        ON(stmt, SQLBindCol(stmt, 0, SQL_C_VARBOOKMARK, mark, sizeof mark[0], mark_length));
    }
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, id, 0, id_length));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, name, sizeof name[0], name_length));
    if (cursor_name)
        ON(stmt, SQLSetCursorName(stmt, (SQLCHAR *)cursor_name, SQL_NTS));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select id, name from thing order by id", SQL_NTS));
}

static void show(const char *what, SQLRETURN rc)
{
    tell(what, rc, SQL_HANDLE_STMT, stmt);
    printf("    fetched %lu, status", (unsigned long)fetched);
    for (int i = 0; i < SIZE; i++)
        printf(" %d", status[i]);
    for (int i = 0; i < SIZE; i++)
        printf(" | %d %s (%ld)", (int)id[i], name_length[i] == SQL_NULL_DATA ? "NULL" : name[i], (long)name_length[i]);
    printf("\n");
}

static void get(SQLUSMALLINT column)
{
    char text[16] = "";
    SQLLEN length = -99;
    tell("  SQLGetData", SQLGetData(stmt, column, SQL_C_CHAR, text, sizeof text, &length), SQL_HANDLE_STMT, stmt);
    printf("    column %d: %s (%ld)\n", column, text, (long)length);
}

static void close_cursor(void)
{
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
    query("select id, name from thing order by id");
}

static void moving(void)
{
    open_cursor(3, 0);
    show("first", SQLFetchScroll(stmt, SQL_FETCH_FIRST, 0));
    get(2);
    for (SQLSETPOSIROW row = 3; row > 0; row--) {
        show("position", SQLSetPos(stmt, row, SQL_POSITION, SQL_LOCK_NO_CHANGE));
        get(2), get(1), get(2);
    }
    show("position", SQLSetPos(stmt, 2, SQL_POSITION, SQL_LOCK_NO_CHANGE));
    get(2);
    show("out of range", SQLSetPos(stmt, 9, SQL_POSITION, SQL_LOCK_NO_CHANGE));
    show("next", SQLFetch(stmt));
    get(2);
    show("position", SQLSetPos(stmt, 2, SQL_POSITION, SQL_LOCK_NO_CHANGE));
    get(2);
    show("next, in part", SQLFetch(stmt));
    show("position", SQLSetPos(stmt, 1, SQL_POSITION, SQL_LOCK_NO_CHANGE));
    get(2);
    show("next, none", SQLFetch(stmt));
    close_cursor();
}

static void changing(void)
{
    int row = !strcmp(extra, "row") ? 1 : 2;
    open_cursor(3, 0);
    show("fetch", SQLFetch(stmt));
    strcpy(name[row - 1], !strcmp(extra, "value") ? "other" : "changed"), name_length[row - 1] = SQL_NTS;
    show("update", SQLSetPos(stmt, row, !strcmp(extra, "operation") ? SQL_DELETE : SQL_UPDATE, SQL_LOCK_NO_CHANGE));
    strcpy(name[1], "overwritten");
    show("refresh", SQLSetPos(stmt, 2, SQL_REFRESH, SQL_LOCK_NO_CHANGE));
    show("delete", SQLSetPos(stmt, 3, SQL_DELETE, SQL_LOCK_NO_CHANGE));
    show("to the deleted row", SQLFetchScroll(stmt, SQL_FETCH_RELATIVE, 0));
    id[0] = 20, id_length[0] = 0, strcpy(name[0], "added"), name_length[0] = 5;
    show("add", SQLSetPos(stmt, 1, SQL_ADD, SQL_LOCK_NO_CHANGE));
    close_cursor();
}

/* SQLExtendedFetch has row states of its own: where SQLSetPos puts them afterwards differs. */
static void extended(void)
{
    SQLUSMALLINT own[SIZE] = {77, 77, 77, 77};
    SQLULEN count = 77;
    open_cursor(3, 0);
    attribute(9 /* SQL_ROWSET_SIZE */, 3);
    show("extended fetch", SQLExtendedFetch(stmt, SQL_FETCH_NEXT, 0, &count, own));
    for (SQLUSMALLINT what = SQL_POSITION; what <= SQL_DELETE; what++) {
        for (int i = 0; i < SIZE; i++)
            status[i] = own[i] = 70 + i;
        strcpy(name[1], "extended"), name_length[1] = SQL_NTS;
        show("operation", SQLSetPos(stmt, 2, what, SQL_LOCK_NO_CHANGE));
        printf("    counted %lu, own status %d %d %d %d\n", (unsigned long)count, own[0], own[1], own[2], own[3]);
    }
    close_cursor();
}

/* All rows at once, one of them ignored; a column ignored. */
static void many(void)
{
    open_cursor(3, 0);
    show("fetch", SQLFetch(stmt));
    for (int i = 0; i < 3; i++)
        snprintf(name[i], sizeof name[i], "all %d", i), name_length[i] = SQL_NTS, id_length[i] = SQL_COLUMN_IGNORE;
    operation[1] = SQL_ROW_IGNORE;
    show("update all", SQLSetPos(stmt, 0, SQL_UPDATE, SQL_LOCK_NO_CHANGE));
    show("refresh all", SQLSetPos(stmt, 0, SQL_REFRESH, SQL_LOCK_NO_CHANGE));
    close_cursor();
}

/* The name comes in pieces with SQLPutData. */
static void at_execution(void)
{
    SQLPOINTER token = NULL;
    SQLRETURN rc;
    open_cursor(1, 0);
    show("fetch", SQLFetch(stmt));
    name_length[0] = SQL_LEN_DATA_AT_EXEC(12), id_length[0] = SQL_COLUMN_IGNORE;
    show("update", rc = SQLSetPos(stmt, 1, SQL_UPDATE, SQL_LOCK_NO_CHANGE));
    while (rc == SQL_NEED_DATA) {
        tell("SQLParamData", rc = SQLParamData(stmt, &token), SQL_HANDLE_STMT, stmt);
        if (rc != SQL_NEED_DATA)
            break;
        printf("    asked for the name: %d\n", token == (SQLPOINTER)name);
        ON(stmt, SQLPutData(stmt, "in pieces", 3));
        ON(stmt, SQLPutData(stmt, !strcmp(extra, "piece") ? "peaces" : "pieces", 6));
    }
    show("updated", rc);
    close_cursor();
}

static void bulk(void)
{
    open_cursor(2, 1);
    show("fetch", SQLFetch(stmt));
    unsigned char kept[2][16];
    SQLLEN kept_length[2] = {mark_length[0], mark_length[1]};
    memcpy(kept, mark, sizeof kept);
    printf("    bookmarks are %ld and %ld long\n", (long)kept_length[0], (long)kept_length[1]);
    for (int i = 0; i < 2; i++)
        id[i] = 30 + i, id_length[i] = 0, snprintf(name[i], sizeof name[i], "bulk %d", i), name_length[i] = SQL_NTS;
    show("add", SQLBulkOperations(stmt, SQL_ADD));
    memcpy(mark, kept, sizeof kept), memcpy(mark_length, kept_length, sizeof kept_length);
    for (int i = 0; i < 2; i++)
        snprintf(name[i], sizeof name[i], "by mark %d", i), name_length[i] = SQL_NTS, id_length[i] = SQL_COLUMN_IGNORE;
    show("update", SQLBulkOperations(stmt, SQL_UPDATE_BY_BOOKMARK));
    memset(name, 0, sizeof name), memset(id, 0, sizeof id);
    show("fetch by bookmark", SQLBulkOperations(stmt, SQL_FETCH_BY_BOOKMARK));
    operation[0] = SQL_ROW_IGNORE;
    show("delete", SQLBulkOperations(stmt, SQL_DELETE_BY_BOOKMARK));
    close_cursor();
}

/* An UPDATE that names the cursor of another statement. SQLite's driver has no names but addresses. */
static void by_name(void)
{
    SQLCHAR said[40] = "";
    SQLSMALLINT length = -9;
    cursor_name = "things";
    open_cursor(1, 0);
    ON(stmt, SQLGetCursorName(stmt, said, sizeof said, &length));
    printf("    %s (%d)\n", strcmp(dialect, "sqlite") ? (char *)said : "an address", length);
    show("fetch", SQLFetch(stmt));
    execute("update thing set name = 'by name' where current of things");
    show("fetch", SQLFetch(stmt));
    execute("delete from thing where current of things");
    show("fetch", SQLFetch(stmt));
    close_cursor();
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute("create table thing (id integer primary key, name varchar(40))");
    for (int i = 1; i <= 7; i++) {
        char sql[100];
        snprintf(sql, sizeof sql, "insert into thing values (%d, 'thing %d')", i, i);
        execute(sql);
    }
    if (!*extra)
        moving();
    changing();
    if (!*extra)
        many(), extended();
    at_execution();
    if (!*extra)
        bulk(), by_name();
    return done();
}
