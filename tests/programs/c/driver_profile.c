/* Asks a driver everything that driver managers and client libraries ask beside their statements: every information type, every
   function, attributes that nobody has set, and SQLGetTypeInfo of every type, with the description of its columns. The first argument
   is the connection string; behind it may be "numbers", to read numbers as such and not as text, and "unicode", to connect as a Unicode
   program does, which drivers tell from others. What it prints is what the driver answers. */
#include "report.h"

static SQLHSTMT stmt;
static unsigned char buffer[4000];
static int as_numbers, is_unicode;

/* What was written to the buffer: text of the length that was told, or the bytes of a number. */
static void show(SQLRETURN rc, long length, SQLSMALLINT type, SQLHANDLE handle)
{
    size_t end = sizeof buffer;
    while (end > 0 && buffer[end - 1] == 0xA5)
        end--;
    printf(" %d %ld", rc, length);
    if (length >= 0 && length < (long)sizeof buffer && buffer[length] == 0 && strlen((char *)buffer) == (size_t)length)
        printf(" \"%s\"", buffer);
    else
        for (size_t i = 0; i < end; i++)
            printf("%s%02x", i ? "" : " ", buffer[i]);
    SQLCHAR state[6] = "", text[500] = "";
    SQLINTEGER native = 0;
    if (rc != SQL_SUCCESS && SQLGetDiagRec(type, handle, 1, state, &native, text, sizeof text, NULL) == SQL_SUCCESS)
        printf(" %s %d %s", state, (int)native, text);
    puts("");
}

static void information(void)
{
    for (int kind = 0; kind <= 10030; kind = kind == 180 ? 10000 : kind + 1) {
        SQLSMALLINT length = -7777;
        /* these are handles */
        if ((kind >= SQL_DRIVER_HDBC && kind <= SQL_DRIVER_HSTMT) || kind == SQL_DRIVER_HLIB || kind == SQL_DRIVER_HDESC)
            continue;
        memset(buffer, 0xA5, sizeof buffer);
        SQLRETURN rc = SQLGetInfo(dbc, (SQLUSMALLINT)kind, buffer, sizeof buffer, &length);
        printf("information %d:", kind);
        show(rc, length, SQL_HANDLE_DBC, dbc);
    }
}

static void functions(void)
{
    SQLUSMALLINT all[SQL_API_ODBC3_ALL_FUNCTIONS_SIZE] = {0}, old[100] = {0};
    printf("functions %d:", SQLGetFunctions(dbc, SQL_API_ODBC3_ALL_FUNCTIONS, all));
    for (int id = 0; id < SQL_API_ODBC3_ALL_FUNCTIONS_SIZE * 16; id++)
        if (SQL_FUNC_EXISTS(all, id))
            printf(" %d", id);
    printf("\nfunctions of ODBC 2 %d:", SQLGetFunctions(dbc, SQL_API_ALL_FUNCTIONS, old));
    for (int id = 0; id < 100; id++)
        if (old[id])
            printf(" %d", id);
    printf("\none by one:");
    for (int id = 1; id <= 1030; id++) {
        SQLUSMALLINT one = 0;
        if (id != SQL_API_ODBC3_ALL_FUNCTIONS && SQLGetFunctions(dbc, (SQLUSMALLINT)id, &one) == SQL_SUCCESS && one)
            printf(" %d", id);
    }
    puts("");
}

static void attributes(void)
{
    static const SQLINTEGER connection[] = {SQL_ATTR_ACCESS_MODE, SQL_ATTR_AUTOCOMMIT, SQL_ATTR_LOGIN_TIMEOUT, SQL_ATTR_TXN_ISOLATION,
        SQL_ATTR_CURRENT_CATALOG, SQL_ATTR_ODBC_CURSORS, SQL_ATTR_PACKET_SIZE, SQL_ATTR_CONNECTION_TIMEOUT,
        SQL_ATTR_ASYNC_DBC_FUNCTIONS_ENABLE, SQL_ATTR_CONNECTION_DEAD, SQL_ATTR_AUTO_IPD, SQL_ATTR_METADATA_ID, SQL_ATTR_ASYNC_ENABLE};
    static const SQLINTEGER statement[] = {SQL_ATTR_QUERY_TIMEOUT, SQL_ATTR_MAX_ROWS, SQL_ATTR_NOSCAN, SQL_ATTR_MAX_LENGTH,
        SQL_ATTR_ASYNC_ENABLE, SQL_ATTR_ROW_BIND_TYPE, SQL_ATTR_CURSOR_TYPE, SQL_ATTR_CONCURRENCY, SQL_ATTR_KEYSET_SIZE,
        SQL_ATTR_SIMULATE_CURSOR, SQL_ATTR_RETRIEVE_DATA, SQL_ATTR_USE_BOOKMARKS, SQL_ATTR_ENABLE_AUTO_IPD, SQL_ATTR_CURSOR_SCROLLABLE,
        SQL_ATTR_CURSOR_SENSITIVITY, SQL_ATTR_METADATA_ID, SQL_ATTR_ROW_ARRAY_SIZE, SQL_ATTR_PARAMSET_SIZE};
    for (size_t i = 0; i < sizeof connection / sizeof *connection; i++) {
        SQLINTEGER length = -7777;
        memset(buffer, 0xA5, sizeof buffer);
        SQLRETURN rc = SQLGetConnectAttr(dbc, connection[i], buffer, sizeof buffer, &length);
        printf("attribute %d of the connection:", (int)connection[i]);
        show(rc, length, SQL_HANDLE_DBC, dbc);
    }
    for (size_t i = 0; i < sizeof statement / sizeof *statement; i++) {
        memset(buffer, 0xA5, sizeof buffer);
        SQLRETURN rc = SQLGetStmtAttr(stmt, statement[i], buffer, sizeof buffer, NULL);
        printf("attribute %d of a statement:", (int)statement[i]);
        show(rc, 0, SQL_HANDLE_STMT, stmt);
    }
}

static void columns(SQLSMALLINT count)
{
    for (SQLUSMALLINT column = 1; column <= count; column++) {
        SQLSMALLINT type = 0, scale = 0, nullable = 0, length = -7777;
        SQLULEN size = 0;
        memset(buffer, 0xA5, sizeof buffer);
        SQLRETURN rc = SQLDescribeCol(stmt, column, buffer, sizeof buffer, &length, &type, &size, &scale, &nullable);
        printf("column %d: type %d size %lu scale %d nullable %d", column, type, (unsigned long)size, scale, nullable);
        show(rc, length, SQL_HANDLE_STMT, stmt);
        static const SQLUSMALLINT texts[] = {SQL_DESC_LABEL, SQL_DESC_TYPE_NAME, SQL_DESC_TABLE_NAME, SQL_DESC_BASE_TABLE_NAME,
            SQL_DESC_BASE_COLUMN_NAME, SQL_DESC_CATALOG_NAME, SQL_DESC_SCHEMA_NAME, SQL_DESC_LITERAL_PREFIX, SQL_DESC_LITERAL_SUFFIX,
            SQL_DESC_LOCAL_TYPE_NAME};
        static const SQLUSMALLINT numbers[] = {SQL_DESC_TYPE, SQL_DESC_CONCISE_TYPE, SQL_DESC_LENGTH, SQL_DESC_OCTET_LENGTH,
            SQL_DESC_PRECISION, SQL_DESC_SCALE, SQL_DESC_DISPLAY_SIZE, SQL_DESC_NULLABLE, SQL_DESC_UNSIGNED,
            SQL_DESC_AUTO_UNIQUE_VALUE, SQL_DESC_CASE_SENSITIVE, SQL_DESC_FIXED_PREC_SCALE, SQL_DESC_SEARCHABLE, SQL_DESC_UPDATABLE,
            SQL_DESC_UNNAMED, SQL_DESC_NUM_PREC_RADIX};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            memset(buffer, 0xA5, sizeof buffer);
            length = -7777;
            rc = SQLColAttribute(stmt, column, texts[i], buffer, sizeof buffer, &length, NULL);
            printf(" text %d:", texts[i]);
            show(rc, length, SQL_HANDLE_STMT, stmt);
        }
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
            SQLLEN number = -7777;
            rc = SQLColAttribute(stmt, column, numbers[i], NULL, 0, NULL, &number);
            printf(" number %d: %d %ld\n", numbers[i], rc, (long)number);
        }
    }
}

static void types(SQLSMALLINT type)
{
    SQLSMALLINT count = 0;
    SQLLEN rows = -7777;
    memset(buffer, 0xA5, sizeof buffer);
    SQLRETURN rc = SQLGetTypeInfo(stmt, type);
    printf("types of %d:", type);
    show(rc, 0, SQL_HANDLE_STMT, stmt);
    if (!SQL_SUCCEEDED(rc))
        return;
    SQLNumResultCols(stmt, &count);
    SQLRowCount(stmt, &rows);
    printf(" %d columns, row count %ld\n", count, (long)rows);
    if (type == SQL_ALL_TYPES)
        columns(count);
    while (SQL_SUCCEEDED(rc = SQLFetch(stmt))) {
        for (SQLUSMALLINT column = 1; column <= count; column++) {
            SQLCHAR text[200] = "";
            SQLINTEGER number = 0;
            SQLLEN length = -7777;
            int is_text = !as_numbers || column == 1 || (column >= 4 && column <= 6) || column == 13;
            is_text ? SQLGetData(stmt, column, SQL_C_CHAR, text, sizeof text, &length)
                    : SQLGetData(stmt, column, SQL_C_SLONG, &number, sizeof number, &length);
            length == SQL_NULL_DATA ? printf("|NULL") : is_text ? printf("|%s", text) : printf("|%d", (int)number);
        }
        puts("");
    }
    printf(" end %d", rc);
    printf(", more %d\n", SQLMoreResults(stmt));
    SQLFreeStmt(stmt, SQL_CLOSE);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
    SQLWCHAR wide[500] = {0};
    for (size_t i = 0; argv[1][i] && i < 499; i++)
        wide[i] = (SQLWCHAR)argv[1][i];
    for (int i = 2; i < argc; i++) {
        as_numbers |= strcmp(argv[i], "numbers") == 0;
        is_unicode |= strcmp(argv[i], "unicode") == 0;
    }
    SQLRETURN rc = is_unicode ? SQLDriverConnectW(dbc, NULL, wide, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT)
                              : SQLDriverConnect(dbc, NULL, (SQLCHAR *)argv[1], SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
    if (!SQL_SUCCEEDED(rc)) {
        memset(buffer, 0xA5, sizeof buffer);
        show(rc, 0, SQL_HANDLE_DBC, dbc);
        return 1;
    }
    information();
    functions();
    SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt);
    attributes();
    types(SQL_ALL_TYPES);
    for (SQLSMALLINT type = SQL_GUID; type <= SQL_INTERVAL_MINUTE_TO_SECOND; type++)
        if (type != SQL_ALL_TYPES && (type < 20 || type > 90))
            types(type);
    types(77);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
