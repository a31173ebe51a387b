/* Questions about results and statements: columns, their attributes, parameters, native SQL, cursor names, attributes. */
#include "report.h"

static void describe(SQLHSTMT stmt, SQLUSMALLINT column, SQLSMALLINT capacity)
{
    unsigned char name[200 + GUARD];
    SQLSMALLINT length = -77, type = -77, scale = -77, nullable = -77;
    SQLULEN size = 7777;
    SQLRETURN rc = SQLDescribeCol(stmt, column, filled(name, 200), capacity, &length, &type, &size, &scale, &nullable);
    printf("column %d in %d -> %s (%d) %.*s type %d size %lu scale %d nullable %d\n", column, capacity, rc_name(rc), length,
           SQL_SUCCEEDED(rc) ? (int)strnlen((char *)name, capacity) : 0, name, type, (unsigned long)size, scale, nullable);
    if (rc != SQL_SUCCESS)
        diagnostics(SQL_HANDLE_STMT, stmt);
}

static void column_attributes(SQLHSTMT stmt, SQLUSMALLINT column)
{
    static const SQLUSMALLINT texts[] = {SQL_DESC_NAME, SQL_DESC_LABEL, SQL_DESC_TYPE_NAME, SQL_DESC_TABLE_NAME,
        SQL_DESC_BASE_TABLE_NAME, SQL_DESC_BASE_COLUMN_NAME, SQL_DESC_CATALOG_NAME, SQL_DESC_SCHEMA_NAME,
        SQL_DESC_LITERAL_PREFIX, SQL_DESC_LOCAL_TYPE_NAME};
    static const SQLUSMALLINT numbers[] = {SQL_DESC_TYPE, SQL_DESC_CONCISE_TYPE, SQL_DESC_LENGTH, SQL_DESC_OCTET_LENGTH,
        SQL_DESC_PRECISION, SQL_DESC_SCALE, SQL_DESC_DISPLAY_SIZE, SQL_DESC_NULLABLE, SQL_DESC_UNSIGNED,
        SQL_DESC_AUTO_UNIQUE_VALUE, SQL_DESC_CASE_SENSITIVE, SQL_DESC_FIXED_PREC_SCALE, SQL_DESC_SEARCHABLE,
        SQL_DESC_UPDATABLE, SQL_DESC_UNNAMED, SQL_DESC_NUM_PREC_RADIX, SQL_DESC_COUNT, SQL_COLUMN_LENGTH,
        SQL_COLUMN_PRECISION, SQL_COLUMN_NAME};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        unsigned char text[200 + GUARD];
        SQLSMALLINT length = -77;
        SQLRETURN rc = SQLColAttribute(stmt, column, texts[i], filled(text, 200), 200, &length, NULL);
        printf("  %d of %d -> %s (%d) %.*s\n", texts[i], column, rc_name(rc), length,
               SQL_SUCCEEDED(rc) ? (int)strnlen((char *)text, 200) : 0, text);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        SQLLEN number = -7777;
        SQLRETURN rc = SQLColAttribute(stmt, column, numbers[i], NULL, 0, NULL, &number);
        printf("  %d of %d -> %s %ld\n", numbers[i], column, rc_name(rc), (long)number);
    }
}

static void parameters(SQLHSTMT stmt)
{
    SQLSMALLINT count = -77;
    ON(stmt, SQLNumParams(stmt, &count));
    printf("parameters %d\n", count);
    for (SQLUSMALLINT i = 1; i <= 3; i++) {
        SQLSMALLINT type = -77, scale = -77, nullable = -77;
        SQLULEN size = 7777;
        SQLRETURN rc = SQLDescribeParam(stmt, i, &type, &size, &scale, &nullable);
        printf("parameter %d -> %s type %d size %lu scale %d nullable %d\n", i, rc_name(rc), type, (unsigned long)size, scale, nullable);
        if (rc == SQL_ERROR)
            diagnostics(SQL_HANDLE_STMT, stmt);
    }
}

static void native(const char *sql, SQLINTEGER capacity)
{
    unsigned char text[300 + GUARD];
    SQLINTEGER length = -77;
    SQLRETURN rc = SQLNativeSql(dbc, (SQLCHAR *)sql, SQL_NTS, filled(text, 300), capacity, &length);
    tell("native", rc, SQL_HANDLE_DBC, dbc);
    printf("    (%d) %.*s\n", (int)length, SQL_SUCCEEDED(rc) ? (int)strnlen((char *)text, capacity) : 0, text);
}

static void statement_attributes(SQLHSTMT stmt)
{
    static const SQLINTEGER numbers[] = {SQL_ATTR_QUERY_TIMEOUT, SQL_ATTR_MAX_ROWS, SQL_ATTR_MAX_LENGTH, SQL_ATTR_NOSCAN,
        SQL_ATTR_CURSOR_TYPE, SQL_ATTR_CONCURRENCY, SQL_ATTR_ROW_ARRAY_SIZE, SQL_ATTR_ROW_BIND_TYPE, SQL_ATTR_PARAMSET_SIZE,
        SQL_ATTR_RETRIEVE_DATA, SQL_ATTR_USE_BOOKMARKS, SQL_ATTR_ENABLE_AUTO_IPD, SQL_ATTR_METADATA_ID,
        SQL_ATTR_CURSOR_SCROLLABLE, SQL_ATTR_CURSOR_SENSITIVITY, SQL_ATTR_ROW_NUMBER, SQL_ATTR_ASYNC_ENABLE, 99999};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        SQLULEN value = 0;
        SQLRETURN rc = SQLGetStmtAttr(stmt, numbers[i], &value, 0, NULL);
        printf("attribute %d -> %s %lu\n", (int)numbers[i], rc_name(rc), (unsigned long)(SQLUINTEGER)value);
        if (rc == SQL_ERROR)
            diagnostics(SQL_HANDLE_STMT, stmt);
    }
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_MAX_ROWS, (SQLPOINTER)2, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_QUERY_TIMEOUT, (SQLPOINTER)30, 0));
    ON(stmt, SQLSetStmtAttr(stmt, 99999, (SQLPOINTER)1, 0));
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute(by_dialect(
        "create table wide (id integer primary key, \"na\xc3\xafve\" varchar(30) not null, price decimal(9,2), day date, seen timestamp, data blob, note text)",
        "create table wide (id serial primary key, \"na\xc3\xafve\" varchar(30) not null, price numeric(9,2), day date, seen timestamp, data bytea, note text)",
        "create table wide (id integer auto_increment primary key, `na\xc3\xafve` varchar(30) not null, price decimal(9,2), day date, seen datetime(6), data blob, note text)"));
    SQLHSTMT stmt = statement();
    SQLSMALLINT columns = -77;
    tell("number before anything", SQLNumResultCols(stmt, &columns), SQL_HANDLE_STMT, stmt);
    describe(stmt, 1, 100);
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"select w.*, id + 1 as next from wide w where id > ?", SQL_NTS));
    parameters(stmt);
    ON(stmt, SQLNumResultCols(stmt, &columns));
    printf("columns %d\n", columns);
    SQLINTEGER low = 0;
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &low, 0, NULL));
    ON(stmt, SQLExecute(stmt));
    for (SQLUSMALLINT column = 1; column <= columns; column++) {
        describe(stmt, column, 100);
        column_attributes(stmt, column);
    }
    describe(stmt, 2, 3);
    describe(stmt, columns + 1, 100);
    describe(stmt, 0, 100);
    rows(stmt);
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));

    if (strcmp(dialect, "sqlite")) { /* whose driver crashes at any SQLNativeSql */
        native("select {fn ucase('a')}, {d '2024-02-29'} from wide", 300);
        native("select {fn ucase('a')} from wide", 12);
    }
    stmt = statement();
    unsigned char name[40 + GUARD];
    SQLSMALLINT length = -77;
    ON(stmt, SQLSetCursorName(stmt, (SQLCHAR *)"my_cursor", SQL_NTS));
    ON(stmt, SQLGetCursorName(stmt, filled(name, 40), 40, &length));
    /* The SQLite driver makes a name of an address. */
    printf("cursor %.*s (%d)\n", strcmp(dialect, "sqlite") ? (int)strnlen((char *)name, 40) : 4, name, length);
    ON(stmt, SQLGetCursorName(stmt, filled(name, 40), 4, &length));
    statement_attributes(stmt);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select 1 union all select 2 union all select 3", SQL_NTS));
    rows(stmt);
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
    return done();
}
