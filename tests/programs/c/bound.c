/* Rows into bound columns: one at a time, column-wise and row-wise arrays, a bind offset, by each fetching function. */
#include "report.h"

#define QUERY "select id, name, score from item order by id"

typedef struct {
    SQLINTEGER id;
    SQLLEN id_length;
    char name[12];
    SQLLEN name_length;
    double score;
    SQLLEN score_length;
} Row;

/* Text in a column's buffer. ODBC leaves the buffer of a NULL undefined (SQLite's driver writes it), and MariaDB's driver
 * does not end a text it cut off in an array of rows: the last byte is not shown. */
static void text_of(const char *name, int capacity, SQLLEN length)
{
    printf("%.*s(%ld)", length == SQL_NULL_DATA ? 0 : (int)strnlen(name, capacity - 1), name, (long)length);
}

static void number_of(double score, SQLLEN length)
{
    if (length == SQL_NULL_DATA)
        printf("NULL");
    else
        printf("%.17g(%ld)", score, (long)length);
}

static void show(const Row *row, const char *label)
{
    printf("    %s id %d(%ld) name ", label, (int)row->id, (long)row->id_length);
    text_of(row->name, sizeof row->name, row->name_length);
    printf(" score ");
    number_of(row->score, row->score_length);
    printf("\n");
}

static Row blank(void)
{
    Row row = {-7, -7, "-------", -7, -7.0, -7};
    return row;
}

static void single(int scroll)
{
    SQLHSTMT stmt = statement();
    Row row = blank();
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)QUERY, SQL_NTS));
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, &row.id, 0, &row.id_length));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, row.name, sizeof row.name, &row.name_length));
    ON(stmt, SQLBindCol(stmt, 3, SQL_C_DOUBLE, &row.score, 0, &row.score_length));
    for (int i = 0; i < 12; i++) {
        SQLRETURN rc = scroll ? SQLFetchScroll(stmt, SQL_FETCH_NEXT, 0) : SQLFetch(stmt);
        tell("fetch", rc, SQL_HANDLE_STMT, stmt);
        show(&row, "row");
        if (i == 4)
            ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, NULL, 0, NULL)); /* unbound in the middle */
        if (i == 5)
            ON(stmt, SQLFreeStmt(stmt, SQL_UNBIND));
        row = blank();
    }
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

static void column_wise(int scroll)
{
    enum { SIZE = 4 };
    SQLHSTMT stmt = statement();
    SQLINTEGER id[SIZE];
    char name[SIZE][6];
    double score[SIZE];
    SQLLEN lengths[3][SIZE];
    SQLUSMALLINT status[SIZE];
    SQLULEN fetched = 77;
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)SIZE, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_STATUS_PTR, status, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0));
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, id, 0, lengths[0]));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, name, sizeof name[0], lengths[1]));
    ON(stmt, SQLBindCol(stmt, 3, SQL_C_DOUBLE, score, 0, lengths[2]));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)QUERY, SQL_NTS));
    for (int i = 0; i < 5; i++) {
        memset(id, FILLER, sizeof id), memset(name, FILLER, sizeof name), memset(lengths, FILLER, sizeof lengths);
        memset(score, 0, sizeof score), memset(status, FILLER, sizeof status), fetched = 77;
        SQLRETURN rc = scroll ? SQLFetchScroll(stmt, SQL_FETCH_NEXT, 0) : SQLFetch(stmt);
        tell("fetch a block", rc, SQL_HANDLE_STMT, stmt);
        printf("    fetched %lu, status", (unsigned long)fetched);
        for (int r = 0; r < SIZE; r++)
            printf(" %x", status[r]);
        printf("\n");
        if (!SQL_SUCCEEDED(rc))
            continue;
        for (SQLULEN r = 0; r < fetched && r < SIZE; r++) {
            printf("    %d(%ld) ", (int)id[r], (long)lengths[0][r]);
            text_of(name[r], sizeof name[r], lengths[1][r]);
            printf(" ");
            number_of(score[r], lengths[2][r]);
            printf("\n");
        }
    }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

static void row_wise(void)
{
    enum { SIZE = 3, BLOCKS = 5 };
    SQLHSTMT stmt = statement();
    static Row table[SIZE * BLOCKS];
    SQLUSMALLINT status[SIZE];
    SQLULEN fetched = 77, offset = 0;
    for (int i = 0; i < SIZE * BLOCKS; i++)
        table[i] = blank();
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_BIND_TYPE, (SQLPOINTER)sizeof(Row), 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)SIZE, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_STATUS_PTR, status, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_BIND_OFFSET_PTR, &offset, 0));
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, &table[0].id, 0, &table[0].id_length));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, table[0].name, sizeof table[0].name, &table[0].name_length));
    ON(stmt, SQLBindCol(stmt, 3, SQL_C_DOUBLE, &table[0].score, 0, &table[0].score_length));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)QUERY, SQL_NTS));
    for (int block = 0; block < BLOCKS; block++) {
        offset = block * SIZE * sizeof(Row);
        fetched = 77, memset(status, FILLER, sizeof status);
        SQLRETURN rc = SQLFetch(stmt);
        tell("fetch a block further on", rc, SQL_HANDLE_STMT, stmt);
        printf("    fetched %lu, status %x %x %x\n", (unsigned long)fetched, status[0], status[1], status[2]);
        if (!SQL_SUCCEEDED(rc))
            break;
    }
    for (int i = 0; i < SIZE * BLOCKS; i++)
        show(&table[i], "table");
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

static void extended(void)
{
    enum { SIZE = 4 };
    SQLHSTMT stmt = statement();
    SQLINTEGER id[SIZE];
    char name[SIZE][12];
    SQLLEN lengths[SIZE];
    ON(stmt, SQLSetStmtOption(stmt, SQL_ROWSET_SIZE, SIZE));
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, id, 0, NULL));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, name, sizeof name[0], lengths));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)QUERY, SQL_NTS));
    for (int i = 0; i < 4; i++) {
        SQLULEN fetched = 77;
        SQLUSMALLINT status[SIZE];
        memset(status, FILLER, sizeof status), memset(id, 0, sizeof id), memset(name, 0, sizeof name);
        SQLRETURN rc = SQLExtendedFetch(stmt, SQL_FETCH_NEXT, 0, &fetched, status);
        tell("extended fetch", rc, SQL_HANDLE_STMT, stmt);
        printf("    fetched %lu, status %x %x %x %x\n", (unsigned long)fetched, status[0], status[1], status[2], status[3]);
        for (int r = 0; SQL_SUCCEEDED(rc) && r < (int)fetched && r < SIZE; r++) {
            printf("    %d ", (int)id[r]);
            text_of(name[r], sizeof name[r], lengths[r]);
            printf("\n");
        }
    }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

/* No place for the length: only the warning tells that a value was cut off. (MariaDB's driver does not end that text.) */
static void without_lengths(void)
{
    SQLHSTMT stmt = statement();
    char name[6], whole[40];
    SQLWCHAR wide[5];
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select name, name, name from item where name is not null order by id", SQL_NTS));
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_CHAR, name, sizeof name, NULL));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, whole, sizeof whole, NULL));
    ON(stmt, SQLBindCol(stmt, 3, SQL_C_WCHAR, wide, sizeof wide, NULL));
    for (int i = 0; i < 10; i++) {
        memset(name, FILLER, sizeof name), memset(whole, FILLER, sizeof whole), memset(wide, FILLER, sizeof wide);
        if (!SQL_SUCCEEDED(tell("fetch without lengths", SQLFetch(stmt), SQL_HANDLE_STMT, stmt)))
            continue;
        printf("    %.5s, %.40s,", name, whole);
        for (int unit = 0; unit < 5; unit++)
            printf(" %x", wide[unit]);
        printf("\n");
    }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

static void bound_and_got(void)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER id = -7;
    char name[40];
    SQLLEN length = -7;
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, &id, 0, NULL));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)QUERY, SQL_NTS));
    while (SQL_SUCCEEDED(SQLFetch(stmt))) {
        SQLRETURN rc = id % 2 ? SQLGetData(stmt, 2, SQL_C_CHAR, name, sizeof name, &length) : SQL_SUCCESS;
        printf("    bound %d, got %s %s (%ld)\n", (int)id, rc_name(rc), length < 0 || id % 2 == 0 ? "" : name, (long)length);
    }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute(by_dialect("create table item (id integer, name varchar(40), score double)",
                       "create table item (id integer, name varchar(40), score double precision)",
                       "create table item (id integer, name varchar(40), score double)"));
    for (int i = 1; i <= 10; i++) {
        char sql[200];
        snprintf(sql, sizeof sql, "insert into item values (%d, %s, %s)", i, i == 4 ? "NULL" : i == 7 ? "''" : i == 9 ? "'much too long'" : "'n\xc3\xa4me'",
                 i == 5 ? "NULL" : "0.1");
        execute(sql);
    }
    single(0), single(1);
    column_wise(0), column_wise(1);
    row_wise();
    extended();
    without_lengths();
    bound_and_got();
    return done();
}
