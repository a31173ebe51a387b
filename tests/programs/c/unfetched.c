/* Fetches that fail, in whole or for a row: row states, counter, and the rows beside. A NULL without a place to say so, and a text that is no number, no date
 * and no interval. What a driver left in the buffers of a row that it could not fetch is nobody's to read, and not shown. */
#include "report.h"

enum { SIZE = 3 };

static struct {
    SQLINTEGER id[SIZE];
    unsigned char second[SIZE * sizeof(SQL_INTERVAL_STRUCT)];
    char name[SIZE][12];
    SQLLEN id_length[SIZE], second_length[SIZE], name_length[SIZE];
    SQLUSMALLINT status[SIZE];
    SQLULEN fetched;
} at;
static size_t element; /* of the second column: MariaDB's driver goes by the length of the buffer, which is not what ODBC says */

static void reset(void)
{
    memset(&at, FILLER, sizeof at);
    for (int i = 0; i < SIZE; i++)
        at.id[i] = -7, at.id_length[i] = at.second_length[i] = at.name_length[i] = -77, at.status[i] = 77, strcpy(at.name[i], "before");
    at.fetched = 77;
}

static void show(const char *what, SQLRETURN rc, SQLHSTMT stmt)
{
    tell(what, rc, SQL_HANDLE_STMT, stmt);
    printf("    fetched %lu\n", (unsigned long)at.fetched);
    for (int i = 0; i < SIZE; i++) {
        if (!SQL_SUCCEEDED(rc) || at.status[i] == SQL_ROW_ERROR) {
            printf("    %d\n", at.status[i]);
            continue;
        }
        printf("    %d: %d (%ld) ", at.status[i], (int)at.id[i], (long)at.id_length[i]);
        bytes(at.second + i * element, at.second_length[i] == SQL_NULL_DATA ? 0 : element < 8 ? element : 8);
        printf(" (%ld) %s (%ld)\n", (long)at.second_length[i], at.name_length[i] == SQL_NULL_DATA ? "" : at.name[i], (long)at.name_length[i]);
    }
}

/* The second column as a type it may be no value of; with or without a place for its length. */
static void fetch(SQLULEN size, SQLSMALLINT c_type, int length, int how)
{
    SQLHSTMT stmt = statement();
    printf("\nby %lu, as %d%s, %s\n", (unsigned long)size, c_type, length ? "" : " without a length", how == 0 ? "fetch" : how == 1 ? "scroll" : "extended");
    if (how == 1)
        ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_STATIC, 0));
    SQLSetStmtAttr(stmt, how == 2 ? 9 /* SQL_ROWSET_SIZE */ : SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)size, 0);
    if (how < 2) {
        SQLSetStmtAttr(stmt, SQL_ATTR_ROW_STATUS_PTR, at.status, 0);
        SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &at.fetched, 0);
    }
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, at.id, 0, at.id_length));
    element = c_type == SQL_C_SLONG ? sizeof(SQLINTEGER) : c_type == SQL_C_INTERVAL_YEAR ? sizeof(SQL_INTERVAL_STRUCT) : sizeof(SQLGUID);
    ON(stmt, SQLBindCol(stmt, 2, c_type, at.second, element, length ? at.second_length : NULL));
    ON(stmt, SQLBindCol(stmt, 3, SQL_C_CHAR, at.name, sizeof at.name[0], at.name_length));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select id, t, t from unfetched order by id", SQL_NTS));
    for (int i = 0; i < 3; i++) {
        reset();
        if (how == 0)
            show("fetch", SQLFetch(stmt), stmt);
        else if (how == 1)
            show("first", SQLFetchScroll(stmt, i ? SQL_FETCH_NEXT : SQL_FETCH_FIRST, 0), stmt);
        else
            show("extended", SQLExtendedFetch(stmt, SQL_FETCH_NEXT, 0, &at.fetched, at.status), stmt);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    static const SQLSMALLINT types[] = {SQL_C_SLONG, SQL_C_GUID, SQL_C_TYPE_TIMESTAMP, SQL_C_INTERVAL_YEAR};
    arguments(argc, argv);
    connect_or_exit();
    execute("create table unfetched (id integer, t varchar(20))");
    execute("insert into unfetched values (1, '12')");
    execute("insert into unfetched values (2, NULL)");
    execute("insert into unfetched values (3, 'many words')");
    execute("insert into unfetched values (4, '7')");
    for (int how = 0; how < 3; how++)
        for (SQLULEN size = 1; size <= SIZE; size += SIZE - 1)
            for (int i = 0; i < 4; i++)
                fetch(size, types[i], i != 0, how);
    return done();
}
