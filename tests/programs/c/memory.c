/* Memory that ends where what the driver writes ends, or that is gone by the time it is bound only: a program may do this as long as the driver touches no more,
 * so nobody else may either. libsqlite3odbc writes a whole buffer whatever the value is; what it would not survive by itself is left out there. */
#include "report.h"
#include <sys/mman.h>
#include <unistd.h>

static const char *two_rows = "select name, id from kept order by id";

/* So many bytes with a page behind them that nobody may touch. */
static void *at_the_end(size_t size)
{
    size_t page = sysconf(_SC_PAGESIZE), whole = (size + page - 1) / page * page;
    char *area = mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(area + whole, page, PROT_NONE);
    return area + whole - size;
}

static SQLHSTMT rowset(SQLULEN size)
{
    SQLHSTMT stmt = statement();
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)size, 0));
    return stmt;
}

/* Buffers are given back while they are bound, and the next result has no row. */
static void given_back(void)
{
    SQLHSTMT stmt = statement();
    char *name = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SQLLEN *length = (SQLLEN *)(name + 100);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)two_rows, SQL_NTS));
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_CHAR, name, 100, length));
    ON(stmt, SQLFetch(stmt));
    printf("    %s (%ld)\n", name, (long)*length);
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    munmap(name, 4096);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select name from kept where id > 9", SQL_NTS));
    ON(stmt, SQLFetch(stmt));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* What was sent, and the places for what an execution says of it, are given back when it is over: after a query, a change with a parameter
 * of both directions, and two sets. */
static void sent_and_given_back(void)
{
    for (int i = 0; i < 3; i++) {
        SQLHSTMT stmt = statement();
        char *area = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        SQLINTEGER *number = (SQLINTEGER *)area;
        SQLLEN *length = (SQLLEN *)(area + 100), count = -7;
        SQLULEN *processed = (SQLULEN *)(area + 200);
        static const char *const texts[] = {"select name from kept where id >= ?", "update kept set name = 'x' where id = ?",
            "insert into kept (id) values (?)"};
        number[0] = i == 2 ? 15 : 1, number[1] = 16;
        if (i == 2) {
            ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)2, 0));
            ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAM_STATUS_PTR, area + 300, 0));
            ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAMS_PROCESSED_PTR, processed, 0));
        }
        ON(stmt, SQLBindParameter(stmt, 1, i == 1 ? SQL_PARAM_INPUT_OUTPUT : SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, number, 0, length));
        ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)texts[i], SQL_NTS));
        printf("    processed %lu\n", (unsigned long)*processed);
        munmap(area, 4096);
        if (i)
            ON(stmt, SQLRowCount(stmt, &count));
        else
            while (SQL_SUCCEEDED(ON(stmt, SQLFetch(stmt))))
                ;
        ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
        SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    }
}

/* A text that is sent ends where its memory does, with a NUL there and by its length alone. */
static void sent_from_the_end(void)
{
    for (int with_nul = 0; with_nul < 2; with_nul++) {
        SQLHSTMT stmt = statement();
        char *name = memcpy(at_the_end(3 + with_nul), "one", 3 + with_nul);
        SQLLEN length = with_nul ? SQL_NTS : 3;
        ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 30, 0, name, 30, &length));
        ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select id from kept where name = ?", SQL_NTS));
        ON(stmt, SQLFetch(stmt));
        SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    }
}

/* The length of the buffer is said to be more than it is, and the values have room. */
static void short_buffer(void)
{
    SQLHSTMT stmt = statement();
    char *name = at_the_end(10);
    SQLLEN length;
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)two_rows, SQL_NTS));
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_CHAR, name, 200, &length));
    while (SQL_SUCCEEDED(ON(stmt, SQLFetch(stmt))))
        printf("    %s (%ld)\n", length < 0 ? "NULL" : name, (long)length);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* Arrays for the two rows that there are, and a rowset of a hundred. */
static void short_arrays(int counted, int with_lengths, int with_states)
{
    SQLHSTMT stmt = rowset(100);
    SQLINTEGER *id = at_the_end(2 * sizeof *id);
    SQLLEN *length = at_the_end(2 * sizeof *length);
    SQLUSMALLINT *state = at_the_end(100 * sizeof *state);
    SQLULEN fetched = 0;
    if (counted)
        ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0));
    if (with_states)
        ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_STATUS_PTR, state, 0));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)two_rows, SQL_NTS));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_SLONG, id, 0, with_lengths ? length : NULL));
    ON(stmt, SQLFetch(stmt));
    printf("    %lu: %d %d, state of the third %d\n", (unsigned long)fetched, (int)id[0], (int)id[1], state[2]);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* A number that stands where an address belongs: nothing is fetched to it, no row or NULL. */
static void marker(const char *query, int fetches)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER id = -7;
    SQLLEN length = -77;
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)query, SQL_NTS));
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_CHAR, (SQLPOINTER)0xcfcdcecc, 10, &length));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_SLONG, &id, 0, NULL));
    while (fetches--)
        if (SQL_SUCCEEDED(ON(stmt, SQLFetchScroll(stmt, SQL_FETCH_NEXT, 0))))
            printf("    %d (%ld)\n", (int)id, (long)length);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void address_of_counter(const char *when, SQLHSTMT stmt, SQLPOINTER expected)
{
    SQLHDESC rows = SQL_NULL_HDESC;
    SQLPOINTER attribute = &attribute, field = &field;
    ON(stmt, SQLGetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &attribute, 0, NULL));
    printf("    %s: the attribute is %s\n", when, attribute == expected ? "the program's" : "another");
    if (!strcmp(dialect, "sqlite"))
        return; /* no descriptors */
    ON(stmt, SQLGetStmtAttr(stmt, SQL_ATTR_IMP_ROW_DESC, &rows, 0, NULL));
    tell("field", SQLGetDescField(rows, 0, SQL_DESC_ROWS_PROCESSED_PTR, &field, 0, NULL), SQL_HANDLE_DESC, rows);
    printf("    %s: the field is %s\n", when, field == expected ? "the program's" : "another");
}

/* A program that has no counter of rows sees none, and may set what it saw. */
static void no_counter(void)
{
    SQLHSTMT stmt = rowset(2);
    SQLINTEGER id[2] = {-7, -7};
    SQLULEN fetched = 0;
    SQLPOINTER seen = &seen;
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_SLONG, id, 0, NULL));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)two_rows, SQL_NTS));
    ON(stmt, SQLFetch(stmt));
    address_of_counter("after a fetch", stmt, NULL);
    ON(stmt, SQLGetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &seen, 0, NULL));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0));
    address_of_counter("with a counter", stmt, &fetched);
    ON(stmt, SQLFetch(stmt));
    printf("    %lu\n", (unsigned long)fetched);
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, seen, 0));
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)two_rows, SQL_NTS));
    ON(stmt, SQLFetch(stmt));
    address_of_counter("after another fetch", stmt, NULL);
    printf("    %d %d\n", (int)id[0], (int)id[1]);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* SQLSetPos on a row behind the rowset, where a number lies that is another one in each run. */
static void behind_the_rowset(SQLUSMALLINT operation)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER id[3] = {-7, getpid(), getpid()};
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_KEYSET_DRIVEN, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_CONCURRENCY, (SQLPOINTER)SQL_CONCUR_ROWVER, 0));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select id from kept", SQL_NTS));
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, id, 0, NULL));
    ON(stmt, SQLFetchScroll(stmt, SQL_FETCH_NEXT, 0));
    SQLRETURN rc = SQLSetPos(stmt, 3, operation, SQL_LOCK_NO_CHANGE);
    printf("operation %d -> %s\n", operation, rc_name(rc));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    int sqlite = !strcmp(dialect, "sqlite");
    connect_or_exit();
    execute("create table kept (id integer primary key, name varchar(30))");
    execute("insert into kept values (1, 'one')");
    execute("insert into kept values (2, NULL)");
    given_back();
    if (!sqlite)
        short_buffer();
    short_arrays(1, 1, 0);
    short_arrays(1, 0, 1);
    short_arrays(0, 0, 0);
    marker("select name, id from kept where id > 9", 2);
    if (!sqlite)
        marker("select name, id from kept where id = 2", 1);
    no_counter();
    behind_the_rowset(SQL_UPDATE);
    behind_the_rowset(SQL_ADD);
    sent_from_the_end();
    sent_and_given_back();
    return done();
}
