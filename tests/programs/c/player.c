/* Plays a session whose cassette may be damaged in any way, and looks after each call whether its memory is as it should be:
   every buffer stands between two guards, and nothing but the buffer may be written. Given the library of a driver it calls that
   one; given `manager` it goes through the driver manager. It ends by a signal if it takes more than ten seconds, and has no more
   than 256 MiB of memory. What the calls return is printed, so that two runs can be compared. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sql.h>
#include <sqlext.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { BUFFERS = 96, FENCE = 4096, FILL = 0xA5, ROWS = 4, MOST = 2000 };

static void *loaded;
static SQLHENV env;
static struct { const char *name; unsigned char *start; size_t size; } buffers[BUFFERS];
static int count, damage;

static void *function(const char *name)
{
    void *address = dlsym(loaded, name);
    if (!address)
        printf("no function %s\n", name), exit(3);
    return address;
}

#define F(name) ((typeof(name) *)function(#name))

/* A buffer of so many bytes between two guards. */
static void *fenced(const char *name, size_t size)
{
    unsigned char *start = malloc(size + 2 * FENCE);
    memset(start, FILL, size + 2 * FENCE);
    buffers[count].name = name, buffers[count].start = start, buffers[count].size = size;
    count++;
    return start + FENCE;
}

static void look(const char *call)
{
    for (int i = 0; i < count; i++)
        for (size_t at = 0; at < FENCE; at++) {
            unsigned char *before = buffers[i].start + at, *behind = buffers[i].start + FENCE + buffers[i].size + at;
            if (*before == FILL && *behind == FILL)
                continue;
            printf("WRITTEN OUTSIDE %s by %s\n", buffers[i].name, call);
            *before = *behind = FILL;
            damage = 1;
        }
}

static SQLRETURN say(const char *call, SQLRETURN rc, SQLSMALLINT type, SQLHANDLE handle)
{
    look(call);
    printf("%.60s -> %d\n", call, rc);
    for (SQLSMALLINT record = 1; (rc == SQL_ERROR || rc == SQL_SUCCESS_WITH_INFO) && record < 4; record++) {
        SQLCHAR state[6] = "", text[700] = "";
        SQLINTEGER native = 0;
        SQLSMALLINT length = 0;
        if (!SQL_SUCCEEDED(F(SQLGetDiagRec)(type, handle, record, state, &native, text, sizeof text, &length)))
            break;
        printf("    [%s] %d %s\n", state, (int)native, text);
    }
    return rc;
}

#define ON(type, handle, call, ...) say(#call, F(call)(handle, ##__VA_ARGS__), type, handle)
#define C(call, ...) ON(SQL_HANDLE_DBC, dbc, call, ##__VA_ARGS__)
#define S(call, ...) ON(SQL_HANDLE_STMT, stmt, call, ##__VA_ARGS__)

static SQLHSTMT statement(SQLHDBC dbc)
{
    SQLHSTMT stmt = NULL;
    say("SQLAllocHandle", F(SQLAllocHandle)(SQL_HANDLE_STMT, dbc, &stmt), SQL_HANDLE_DBC, dbc);
    return stmt;
}

static SQLRETURN run(SQLHSTMT stmt, const char *sql)
{
    printf("%s\n", sql);
    return S(SQLExecDirect, (SQLCHAR *)sql, SQL_NTS);
}

/* A result read with SQLGetData: text in pieces, and as other types. */
static void read_cells(SQLHSTMT stmt)
{
    SQLSMALLINT columns = 0, name_length, type, digits, nullable;
    SQLULEN size;
    SQLLEN number, rows = -1, *length = fenced("length", sizeof *length);
    SQLCHAR *name = fenced("name", 8), *piece = fenced("piece", 61);
    SQL_NUMERIC_STRUCT *numeric = fenced("numeric", sizeof *numeric);
    SQL_TIMESTAMP_STRUCT *timestamp = fenced("timestamp", sizeof *timestamp);
    S(SQLNumResultCols, &columns);
    S(SQLRowCount, &rows);
    printf("  %d columns, %ld rows\n", columns, (long)rows);
    for (SQLSMALLINT column = 1; column <= columns && column < 20; column++) {
        S(SQLDescribeCol, column, name, 8, &name_length, &type, &size, &digits, &nullable);
        S(SQLColAttribute, column, SQL_DESC_LABEL, name, 8, &name_length, &number);
        S(SQLColAttribute, column, SQL_DESC_DISPLAY_SIZE, NULL, 0, NULL, &number);
        S(SQLColAttribute, column, SQL_DESC_TYPE_NAME, name, 7, &name_length, &number);
    }
    int rounds = 0;
    while (SQL_SUCCEEDED(S(SQLFetch)) && rounds++ < MOST)
        for (SQLSMALLINT column = 1; column <= columns && column < 20; column++) {
            int pieces = 0;
            while (S(SQLGetData, column, SQL_C_CHAR, piece, 61, length) == SQL_SUCCESS_WITH_INFO && pieces++ < MOST)
                ;
            S(SQLGetData, column, SQL_C_WCHAR, piece, 60, length);
            S(SQLGetData, column, SQL_C_BINARY, piece, 13, length);
            S(SQLGetData, column, SQL_C_SLONG, piece, 4, length);
            S(SQLGetData, column, SQL_C_NUMERIC, numeric, sizeof *numeric, length);
            S(SQLGetData, column, SQL_C_TYPE_TIMESTAMP, timestamp, sizeof *timestamp, length);
            S(SQLGetData, column, SQL_C_DEFAULT, piece, 61, length);
        }
    int results = 0;
    while (SQL_SUCCEEDED(S(SQLMoreResults)) && results++ < MOST)
        ;
    if (rounds > MOST || results > MOST)
        printf("ENDLESS\n");
    S(SQLFreeStmt, SQL_CLOSE);
}

/* Column-wise bound arrays of four rows: fetched in blocks, scrolled, moved inside, refreshed. */
static void read_blocks(SQLHSTMT stmt, const char *sql, int scrolls)
{
    SQLINTEGER *id = fenced("id", ROWS * sizeof *id);
    SQLLEN *id_length = fenced("id_length", ROWS * sizeof *id_length), *text_length = fenced("text_length", ROWS * sizeof *text_length);
    SQLCHAR *text = fenced("text", ROWS * 11), *cell = fenced("cell", 20);
    SQLUSMALLINT *states = fenced("states", ROWS * sizeof *states);
    SQLULEN *fetched = fenced("fetched", sizeof *fetched);
    double *real = fenced("real", ROWS * sizeof *real);
    SQLLEN *cell_length = fenced("cell_length", sizeof *cell_length);
    if (scrolls)
        S(SQLSetStmtAttr, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_STATIC, 0);
    S(SQLSetStmtAttr, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)ROWS, 0);
    S(SQLSetStmtAttr, SQL_ATTR_ROW_STATUS_PTR, states, 0);
    S(SQLSetStmtAttr, SQL_ATTR_ROWS_FETCHED_PTR, fetched, 0);
    S(SQLBindCol, 1, SQL_C_SLONG, id, 0, id_length);
    S(SQLBindCol, 2, SQL_C_CHAR, text, 11, text_length);
    S(SQLBindCol, 3, SQL_C_DOUBLE, real, 0, NULL);
    if (SQL_SUCCEEDED(run(stmt, sql))) {
        static const struct { SQLSMALLINT to; SQLLEN by; } moves[] = {
            {SQL_FETCH_FIRST, 0}, {SQL_FETCH_ABSOLUTE, 3}, {SQL_FETCH_RELATIVE, 2}, {SQL_FETCH_LAST, 0}, {SQL_FETCH_PRIOR, 0}};
        for (size_t i = 0; scrolls && i < sizeof moves / sizeof *moves; i++) {
            *fetched = 0;
            S(SQLFetchScroll, moves[i].to, moves[i].by);
            if (*fetched > ROWS)
                printf("%lu ROWS OF %d\n", (unsigned long)*fetched, ROWS), damage = 1;
            S(SQLSetPos, 2, SQL_POSITION, SQL_LOCK_NO_CHANGE);
            S(SQLGetData, 2, SQL_C_CHAR, cell, 20, cell_length);
            S(SQLSetPos, 1, SQL_REFRESH, SQL_LOCK_NO_CHANGE);
        }
        int rounds = 0;
        while (!scrolls && SQL_SUCCEEDED(S(SQLFetch)) && rounds++ < MOST) {
            if (*fetched > ROWS)
                printf("%lu ROWS OF %d\n", (unsigned long)*fetched, ROWS), damage = 1;
            for (SQLULEN row = 0; row < *fetched && row < ROWS; row++)
                printf("  %d %.10s %g\n", (int)id[row], text + 11 * row, real[row]);
        }
        if (rounds > MOST)
            printf("ENDLESS\n");
    }
    S(SQLFreeStmt, SQL_CLOSE);
    S(SQLFreeStmt, SQL_UNBIND);
    F(SQLFreeHandle)(SQL_HANDLE_STMT, stmt);
}

/* An array of twenty sets of parameters. */
static void many_parameters(SQLHSTMT stmt)
{
    enum { SETS = 20 };
    static SQLINTEGER id[SETS];
    SQLUSMALLINT *states = fenced("many_states", SETS * sizeof *states);
    SQLULEN *processed = fenced("many_processed", sizeof *processed);
    for (int i = 0; i < SETS; i++)
        id[i] = 200 + i;
    S(SQLSetStmtAttr, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)SETS, 0);
    S(SQLSetStmtAttr, SQL_ATTR_PARAM_STATUS_PTR, states, 0);
    S(SQLSetStmtAttr, SQL_ATTR_PARAMS_PROCESSED_PTR, processed, 0);
    S(SQLBindParameter, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, id, 0, NULL);
    S(SQLBindParameter, 2, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, id, 0, NULL);
    *processed = 0;
    run(stmt, "insert into played (id, size) values (?, ?)");
    if (*processed > SETS)
        printf("%lu SETS OF %d\n", (unsigned long)*processed, SETS), damage = 1;
    F(SQLFreeHandle)(SQL_HANDLE_STMT, stmt);
}

/* An array of three sets of parameters, and a prepared query executed twice. */
static void parameters(SQLHSTMT stmt)
{
    static SQLINTEGER id[3] = {101, 102, 103};
    static char text[3][11] = {"one", "two", "three"};
    static SQLLEN length[3] = {SQL_NTS, SQL_NULL_DATA, SQL_NTS};
    SQLUSMALLINT *states = fenced("param_states", 3 * sizeof *states);
    SQLULEN *processed = fenced("processed", sizeof *processed);
    SQLSMALLINT markers = 0, type, digits, nullable;
    SQLULEN size;
    S(SQLSetStmtAttr, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)3, 0);
    S(SQLSetStmtAttr, SQL_ATTR_PARAM_STATUS_PTR, states, 0);
    S(SQLSetStmtAttr, SQL_ATTR_PARAMS_PROCESSED_PTR, processed, 0);
    S(SQLBindParameter, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, id, 0, NULL);
    S(SQLBindParameter, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 10, 0, text, 11, length);
    *processed = 0;
    run(stmt, "insert into played (id, name) values (?, ?)");
    if (*processed > 3)
        printf("%lu SETS OF 3\n", (unsigned long)*processed), damage = 1;
    S(SQLSetStmtAttr, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)1, 0);
    S(SQLFreeStmt, SQL_RESET_PARAMS);
    S(SQLPrepare, (SQLCHAR *)"select name, size from played where id > ? order by id", SQL_NTS);
    S(SQLNumParams, &markers);
    S(SQLDescribeParam, 1, &type, &size, &digits, &nullable);
    S(SQLBindParameter, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, id, 0, NULL);
    for (int i = 0; i < 2; i++, id[0] = 3) {
        S(SQLExecute);
        read_cells(stmt);
    }
    F(SQLFreeHandle)(SQL_HANDLE_STMT, stmt);
}

static void facts(SQLHDBC dbc)
{
    static const SQLUSMALLINT asked[] = {SQL_DBMS_NAME, SQL_DBMS_VER, SQL_DRIVER_NAME, SQL_DRIVER_ODBC_VER, SQL_KEYWORDS,
        SQL_IDENTIFIER_QUOTE_CHAR, SQL_TXN_ISOLATION_OPTION, SQL_GETDATA_EXTENSIONS, SQL_MAX_IDENTIFIER_LEN, SQL_CURSOR_COMMIT_BEHAVIOR};
    SQLCHAR *value = fenced("info", 12);
    SQLSMALLINT length;
    SQLUSMALLINT *all = fenced("functions", 250 * sizeof *all), *old = fenced("old_functions", 100 * sizeof *old), *one = fenced("one_function", 2);
    SQLINTEGER *attribute = fenced("attribute", sizeof *attribute), long_length;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        C(SQLGetInfo, asked[i], value, 12, &length);
    C(SQLGetFunctions, SQL_API_ODBC3_ALL_FUNCTIONS, all);
    C(SQLGetFunctions, SQL_API_ALL_FUNCTIONS, old);
    C(SQLGetFunctions, SQL_API_SQLFETCHSCROLL, one);
    C(SQLGetConnectAttr, SQL_ATTR_AUTOCOMMIT, attribute, 0, NULL);
    C(SQLGetConnectAttr, SQL_ATTR_CURRENT_CATALOG, value, 12, &long_length);
    (void)long_length;
}

static int session(const char *string)
{
    SQLHDBC dbc = NULL;
    SQLSMALLINT length = 0;
    SQLCHAR *completed = fenced("completed", 40);
    F(SQLAllocHandle)(SQL_HANDLE_DBC, env, &dbc);
    if (!SQL_SUCCEEDED(C(SQLDriverConnect, NULL, (SQLCHAR *)string, SQL_NTS, completed, 40, &length, SQL_DRIVER_NOPROMPT)))
        return 1;
    facts(dbc);
    SQLHSTMT stmt = statement(dbc);
    run(stmt, "create table if not exists played (id integer primary key, name varchar(10), size double, day timestamp, note text, raw blob)");
    run(stmt, "delete from played");
    for (int i = 0; i < 11; i++) {
        char sql[4000], note[3001];
        memset(note, 'a' + i, 3000), note[i % 3 ? 70 : 3000] = 0;
        snprintf(sql, sizeof sql, "insert into played values (%d, ' name%d', %d.5, '2026-11-%02d 12:00:00', '%s,\"', x'00ff%02d')", i, i, i, i + 1, note, i);
        run(stmt, sql);
    }
    run(stmt, "select id, name, day, note, raw, null from played where id < 4 order by id");
    read_cells(stmt);
    read_blocks(statement(dbc), "select id, name, size from played order by id", 0);
    read_blocks(statement(dbc), "select id, name, size from played order by id desc", 1);
    C(SQLSetConnectAttr, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_OFF, 0);
    parameters(statement(dbc));
    many_parameters(statement(dbc));
    run(stmt, "select nothing from nowhere");
    SQLCHAR *cursor = fenced("cursor", 10), *field = fenced("field", 10);
    SQLINTEGER field_length;
    SQLHDESC descriptor = NULL;
    S(SQLGetCursorName, cursor, 10, &length);
    S(SQLGetStmtAttr, SQL_ATTR_IMP_ROW_DESC, &descriptor, 0, NULL);
    if (descriptor)
        ON(SQL_HANDLE_DESC, descriptor, SQLGetDescField, 1, SQL_DESC_NAME, field, 10, &field_length);
    say("SQLEndTran", F(SQLEndTran)(SQL_HANDLE_DBC, dbc, SQL_ROLLBACK), SQL_HANDLE_DBC, dbc);
    S(SQLTables, NULL, 0, NULL, 0, (SQLCHAR *)"played", SQL_NTS, NULL, 0);
    read_cells(stmt);
    S(SQLGetTypeInfo, SQL_ALL_TYPES);
    read_blocks(stmt, "select id, name, size from played where id < 3 order by id", 0);
    C(SQLDisconnect);
    F(SQLFreeHandle)(SQL_HANDLE_DBC, dbc);
    for (; count > 0; count--)
        free(buffers[count - 1].start);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s manager|LIBRARY CONNECTION-STRING\n", argv[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct rlimit memory = {256 << 20, 256 << 20};
    setrlimit(RLIMIT_AS, &memory);
    alarm(10);
    loaded = dlopen(strcmp(argv[1], "manager") ? argv[1] : "libodbc.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!loaded)
        return fprintf(stderr, "%s\n", dlerror()), 3;
    F(SQLAllocHandle)(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    F(SQLSetEnvAttr)(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    int failed = session(argv[2]) || session(argv[2]);
    F(SQLFreeHandle)(SQL_HANDLE_ENV, env);
    look("the end");
    printf("%s\n", damage ? "damaged" : failed ? "refused" : "played");
    return damage ? 4 : failed;
}
