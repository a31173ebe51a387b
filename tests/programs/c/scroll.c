/* Scrollable cursors: every orientation by both functions, rowsets, both ends, SQLGetData in between, bookmarks. */
#include "report.h"

#define QUERY "select id, name from item order by id"

enum { MOST = 4 };

typedef struct {
    SQLHSTMT stmt;
    SQLULEN size, fetched;
    SQLINTEGER id[MOST];
    char name[MOST][8];
    SQLLEN lengths[MOST];
    SQLUSMALLINT status[MOST];
    int extended;
} Cursor;

static void attribute(SQLHSTMT stmt, SQLINTEGER which, SQLULEN value)
{
    printf("attribute %d = %lu\n", (int)which, (unsigned long)value);
    tell("SQLSetStmtAttr", SQLSetStmtAttr(stmt, which, (SQLPOINTER)value, 0), SQL_HANDLE_STMT, stmt);
}

static Cursor *cursor(SQLULEN size, int extended, int bound)
{
    static Cursor it;
    memset(&it, 0, sizeof it);
    it.stmt = statement(), it.size = size, it.extended = extended;
    attribute(it.stmt, SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_STATIC);
    if (extended) {
        attribute(it.stmt, SQL_ROWSET_SIZE, size);
    } else {
        attribute(it.stmt, SQL_ATTR_ROW_ARRAY_SIZE, size);
        ON(it.stmt, SQLSetStmtAttr(it.stmt, SQL_ATTR_ROW_STATUS_PTR, it.status, 0));
        ON(it.stmt, SQLSetStmtAttr(it.stmt, SQL_ATTR_ROWS_FETCHED_PTR, &it.fetched, 0));
    }
    ON(it.stmt, SQLExecDirect(it.stmt, (SQLCHAR *)QUERY, SQL_NTS));
    if (bound) {
        ON(it.stmt, SQLBindCol(it.stmt, 1, SQL_C_SLONG, it.id, 0, NULL));
        ON(it.stmt, SQLBindCol(it.stmt, 2, SQL_C_CHAR, it.name, sizeof it.name[0], it.lengths));
    }
    return &it;
}

static void go(Cursor *it, const char *what, SQLSMALLINT orientation, SQLLEN offset)
{
    memset(it->id, FILLER, sizeof it->id), memset(it->name, FILLER, sizeof it->name);
    memset(it->status, FILLER, sizeof it->status), memset(it->lengths, FILLER, sizeof it->lengths);
    it->fetched = 77;
    SQLRETURN rc = it->extended ? SQLExtendedFetch(it->stmt, orientation, offset, &it->fetched, it->status)
                                : SQLFetchScroll(it->stmt, orientation, offset);
    tell(what, rc, SQL_HANDLE_STMT, it->stmt);
    printf("    fetched %lu, status", (unsigned long)it->fetched);
    for (SQLULEN row = 0; row < it->size; row++)
        printf(" %x", it->status[row]);
    for (SQLULEN row = 0; SQL_SUCCEEDED(rc) && row < it->fetched && row < it->size; row++)
        printf(" | %d %.7s (%ld)", (int)it->id[row], it->lengths[row] < 0 ? "" : it->name[row], (long)it->lengths[row]);
    printf("\n");
}

static void tour(SQLULEN size, int extended)
{
    Cursor *it = cursor(size, extended, 1);
    printf("rows of %lu, %s\n", (unsigned long)size, extended ? "SQLExtendedFetch" : "SQLFetchScroll");
    go(it, "prior to all", SQL_FETCH_PRIOR, 0);
    go(it, "next", SQL_FETCH_NEXT, 0);
    go(it, "next", SQL_FETCH_NEXT, 0);
    go(it, "relative 2", SQL_FETCH_RELATIVE, 2);
    go(it, "relative -1", SQL_FETCH_RELATIVE, -1);
    go(it, "relative 0", SQL_FETCH_RELATIVE, 0);
    go(it, "absolute 3", SQL_FETCH_ABSOLUTE, 3);
    go(it, "next", SQL_FETCH_NEXT, 0);
    go(it, "next", SQL_FETCH_NEXT, 0);
    go(it, "prior", SQL_FETCH_PRIOR, 0);
    go(it, "absolute -2", SQL_FETCH_ABSOLUTE, -2);
    go(it, "next", SQL_FETCH_NEXT, 0);
    go(it, "next", SQL_FETCH_NEXT, 0);
    go(it, "prior", SQL_FETCH_PRIOR, 0);
    go(it, "absolute 99", SQL_FETCH_ABSOLUTE, 99);
    go(it, "first", SQL_FETCH_FIRST, 0);
    go(it, "prior", SQL_FETCH_PRIOR, 0);
    go(it, "next", SQL_FETCH_NEXT, 0);
    go(it, "last", SQL_FETCH_LAST, 0);
    go(it, "next", SQL_FETCH_NEXT, 0);
    go(it, "absolute 0", SQL_FETCH_ABSOLUTE, 0);
    go(it, "absolute 9", SQL_FETCH_ABSOLUTE, 9);
    ON(it->stmt, SQLFreeHandle(SQL_HANDLE_STMT, it->stmt));
}

static void get(SQLHSTMT stmt, SQLUSMALLINT column)
{
    char text[16];
    SQLLEN length = -99;
    memset(text, FILLER, sizeof text);
    SQLRETURN rc = SQLGetData(stmt, column, SQL_C_CHAR, text, sizeof text, &length);
    tell("  SQLGetData", rc, SQL_HANDLE_STMT, stmt);
    if (SQL_SUCCEEDED(rc))
        printf("    column %d: %.*s (%ld)\n", column, length < 0 ? 0 : 16, text, (long)length);
}

/* One row at a time: cells by SQLGetData, in and out of order, some twice. */
static void by_get_data(void)
{
    Cursor *it = cursor(1, 0, 0);
    static const struct { const char *what; SQLSMALLINT orientation; SQLLEN offset; } moves[] = {
        {"last", SQL_FETCH_LAST, 0}, {"first", SQL_FETCH_FIRST, 0}, {"next", SQL_FETCH_NEXT, 0}, {"next", SQL_FETCH_NEXT, 0},
        {"absolute 5", SQL_FETCH_ABSOLUTE, 5}, {"relative 2", SQL_FETCH_RELATIVE, 2}, {"prior", SQL_FETCH_PRIOR, 0}};
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
        tell(moves[i].what, SQLFetchScroll(it->stmt, moves[i].orientation, moves[i].offset), SQL_HANDLE_STMT, it->stmt);
        if (i != 1)
            get(it->stmt, 1);
        get(it->stmt, 2);
        if (i == 3)
            get(it->stmt, 2), get(it->stmt, 1);
        if (i == 5) {
            SQLULEN number = 99;
            ON(it->stmt, SQLGetStmtAttr(it->stmt, SQL_ATTR_ROW_NUMBER, &number, 0, NULL));
            printf("    row number %lu\n", (unsigned long)number);
        }
    }
    tell("plain fetch", SQLFetch(it->stmt), SQL_HANDLE_STMT, it->stmt);
    get(it->stmt, 2);
    ON(it->stmt, SQLFreeHandle(SQL_HANDLE_STMT, it->stmt));
}

static void show_bookmark(const char *name, const unsigned char *mark, SQLLEN length)
{
    printf("    %s (%ld) ", name, (long)length);
    bytes(mark, length > 0 && length < 16 ? length : 4);
    printf("\n");
}

/* Bookmarks of both kinds, read, bound, and gone back to. MariaDB has none. */
static void bookmarks(SQLULEN kind)
{
    SQLSMALLINT c_type = kind == SQL_UB_VARIABLE ? SQL_C_VARBOOKMARK : SQL_C_BOOKMARK;
    unsigned char mark[16] = {0}, bound[16] = {0};
    SQLLEN length = -99, bound_length = -99, name_length = -99;
    char name[8] = "";
    SQLHSTMT stmt = statement();
    attribute(stmt, SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_STATIC);
    attribute(stmt, SQL_ATTR_USE_BOOKMARKS, kind);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)QUERY, SQL_NTS));
    ON(stmt, SQLFetchScroll(stmt, SQL_FETCH_ABSOLUTE, 3));
    ON(stmt, SQLGetData(stmt, 0, c_type, mark, sizeof mark, &length));
    show_bookmark("got", mark, length);
    get(stmt, 2);
    ON(stmt, SQLBindCol(stmt, 0, c_type, bound, sizeof bound, &bound_length));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, name, sizeof name, &name_length));
    for (int i = 0; i < 3; i++) {
        ON(stmt, SQLFetch(stmt));
        show_bookmark(name_length < 0 ? "NULL" : name, bound, bound_length);
    }
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_FETCH_BOOKMARK_PTR, mark, 0));
    for (SQLLEN offset = -1; offset < 3; offset++) {
        if (!strcmp(extra, "bookmark") && offset == 2)
            memcpy(mark, bound, sizeof mark);
        tell("to the bookmark", SQLFetchScroll(stmt, SQL_FETCH_BOOKMARK, offset), SQL_HANDLE_STMT, stmt);
        show_bookmark(name_length < 0 ? "NULL" : name, bound, bound_length);
    }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

static void few_rows(void)
{
    SQLHSTMT stmt = statement();
    attribute(stmt, SQL_ATTR_MAX_ROWS, 3);
    attribute(stmt, SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_STATIC);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)QUERY, SQL_NTS));
    ON(stmt, SQLFetchScroll(stmt, SQL_FETCH_LAST, 0));
    get(stmt, 1);
    rows(stmt);
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

/* The scroll that a test changes. */
static void changed(void)
{
    Cursor *it = cursor(!strcmp(extra, "rowset") ? 3 : 2, 0, 1);
    go(it, "absolute", SQL_FETCH_ABSOLUTE, !strcmp(extra, "offset") ? 5 : 4);
    go(it, "first", !strcmp(extra, "orientation") ? SQL_FETCH_LAST : SQL_FETCH_FIRST, 0);
    go(it, "next", !strcmp(extra, "scroll") ? SQL_FETCH_RELATIVE : SQL_FETCH_NEXT, 2);
    ON(it->stmt, SQLFreeHandle(SQL_HANDLE_STMT, it->stmt));
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute("create table item (id integer, name varchar(40))");
    for (int i = 1; i <= 10; i++) {
        char sql[200];
        snprintf(sql, sizeof sql, "insert into item values (%d, %s)", i, i == 4 ? "NULL" : i == 7 ? "''" : i == 9 ? "'much too long'" : "'n\xc3\xa4me'");
        execute(sql);
    }
    if (*extra)
        changed();
    else
        tour(1, 0), tour(3, 0), tour(3, 1), by_get_data(), few_rows();
    if (strcmp(dialect, "mariadb"))
        bookmarks(SQL_UB_VARIABLE), bookmarks(SQL_UB_ON);
    return done();
}
