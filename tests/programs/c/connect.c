/* Connecting: SQLConnect, SQLDriverConnect with every kind of out string, refusals, two at once, attributes and facts. */
#include "report.h"

static void out_string(const char *name, const char *in, SQLSMALLINT capacity, int with_length)
{
    unsigned char buffer[2048 + GUARD];
    SQLSMALLINT length = -77;
    SQLHDBC other = NULL;
    SQLAllocHandle(SQL_HANDLE_DBC, env, &other);
    filled(buffer, 2048);
    SQLRETURN rc = SQLDriverConnect(other, NULL, (SQLCHAR *)in, SQL_NTS, capacity ? buffer : NULL, capacity,
                                    with_length ? &length : NULL, SQL_DRIVER_NOPROMPT);
    tell(name, rc, SQL_HANDLE_DBC, other);
    if (SQL_SUCCEEDED(rc)) {
        /* The bytes show; so does a password, which is right: it is the application's own. */
        if (capacity)
            /* MariaDB's driver does not end a string it cut off: the last byte is not shown. */
            printf("    out string %.*s\n", (int)strnlen((char *)buffer, capacity - 1), buffer), written("guarded", buffer, 2048, 0);
        for (int i = capacity; i < 2048; i++)
            if (buffer[i] != FILLER) {
                printf("    written past the capacity at %d\n", i);
                break;
            }
        printf("    length %d\n", length);
        tell("disconnect", SQLDisconnect(other), SQL_HANDLE_DBC, other);
    }
    SQLFreeHandle(SQL_HANDLE_DBC, other);
}

static void ask(SQLHDBC on, const char *sql)
{
    SQLHSTMT stmt = NULL;
    SQLAllocHandle(SQL_HANDLE_STMT, on, &stmt);
    tell(sql, SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS), SQL_HANDLE_STMT, stmt);
    rows(stmt);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void refusals(void)
{
    SQLHDBC other = NULL;
    SQLAllocHandle(SQL_HANDLE_DBC, env, &other);
    SQLRETURN rc = SQLConnect(other, (SQLCHAR *)"no such source", SQL_NTS, (SQLCHAR *)"u", 1, (SQLCHAR *)"p", 1);
    tell("unknown source", rc, SQL_HANDLE_DBC, other);
    if (*user) {
        rc = SQLConnect(other, (SQLCHAR *)source, SQL_NTS, (SQLCHAR *)user, SQL_NTS, (SQLCHAR *)"wrong-secret", SQL_NTS);
        printf("wrong password -> %s\n", rc_name(rc));
        SQLCHAR state[6] = "", text[1024];
        SQLINTEGER native = 0;
        SQLSMALLINT length = 0, records = 0;
        while (records < 10 && SQLGetDiagRec(SQL_HANDLE_DBC, other, records + 1, state, &native, text, sizeof text, &length) != SQL_NO_DATA) {
            /* PostgreSQL's message names the port it was refused at, which is another one in each run of the tests. */
            printf("    %s %d\n", state, (int)native);
            records++;
        }
    }
    SQLFreeHandle(SQL_HANDLE_DBC, other);
}

static void two_at_once(void)
{
    SQLHDBC first = NULL, second = NULL;
    SQLAllocHandle(SQL_HANDLE_DBC, env, &first);
    SQLAllocHandle(SQL_HANDLE_DBC, env, &second);
    SQLRETURN rc = SQLConnect(first, (SQLCHAR *)source, SQL_NTS, (SQLCHAR *)user, SQL_NTS, (SQLCHAR *)password, SQL_NTS);
    tell("first", rc, SQL_HANDLE_DBC, first);
    rc = SQLConnect(second, (SQLCHAR *)source, strlen(source), (SQLCHAR *)user, strlen(user), (SQLCHAR *)password, strlen(password));
    tell("second", rc, SQL_HANDLE_DBC, second);
    ask(first, "select 'a1'");
    ask(second, "select 'b1'");
    ask(first, "select 'a2'");
    SQLHSTMT left = NULL, right = NULL;
    SQLAllocHandle(SQL_HANDLE_STMT, first, &left);
    SQLAllocHandle(SQL_HANDLE_STMT, second, &right);
    SQLExecDirect(left, (SQLCHAR *)"select 1 union all select 2 union all select 3", SQL_NTS);
    SQLExecDirect(right, (SQLCHAR *)"select 4 union all select 5 union all select 6", SQL_NTS);
    for (int i = 0; i < 4; i++) {
        long a = -1, b = -1;
        SQLRETURN x = SQLFetch(left), y = SQLFetch(right);
        if (SQL_SUCCEEDED(x))
            SQLGetData(left, 1, SQL_C_SLONG, &a, 4, NULL);
        if (SQL_SUCCEEDED(y))
            SQLGetData(right, 1, SQL_C_SLONG, &b, 4, NULL);
        printf("interleaved %s %d, %s %d\n", rc_name(x), (int)a, rc_name(y), (int)b);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, right);
    tell("second away", SQLDisconnect(second), SQL_HANDLE_DBC, second);
    ask(first, "select 'a3'");
    tell("first away with an open statement", SQLDisconnect(first), SQL_HANDLE_DBC, first);
    rc = SQLConnect(second, (SQLCHAR *)source, SQL_NTS, (SQLCHAR *)user, SQL_NTS, (SQLCHAR *)password, SQL_NTS);
    tell("the second handle again", rc, SQL_HANDLE_DBC, second);
    ask(second, "select 'c1'");
    tell("away", SQLDisconnect(second), SQL_HANDLE_DBC, second);
    SQLFreeHandle(SQL_HANDLE_DBC, first);
    SQLFreeHandle(SQL_HANDLE_DBC, second);
}

static void attributes(void)
{
    static const SQLINTEGER numbers[] = {SQL_ATTR_ACCESS_MODE, SQL_ATTR_AUTOCOMMIT, SQL_ATTR_CONNECTION_TIMEOUT,
        SQL_ATTR_LOGIN_TIMEOUT, SQL_ATTR_TXN_ISOLATION, SQL_ATTR_PACKET_SIZE, SQL_ATTR_CONNECTION_DEAD, SQL_ATTR_METADATA_ID, 99999};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        SQLUINTEGER value[4] = {0xAAAAAAAA, 0xAAAAAAAA, 0xAAAAAAAA, 0xAAAAAAAA};
        SQLINTEGER length = -77;
        SQLRETURN rc = SQLGetConnectAttr(dbc, numbers[i], value, SQL_IS_UINTEGER, &length);
        printf("attribute %d -> %s %x\n", (int)numbers[i], rc_name(rc), value[0]);
        if (rc == SQL_ERROR)
            diagnostics(SQL_HANDLE_DBC, dbc);
    }
    unsigned char text[300 + GUARD];
    SQLINTEGER length = -77;
    SQLRETURN rc = SQLGetConnectAttr(dbc, SQL_ATTR_CURRENT_CATALOG, filled(text, 300), 300, &length);
    tell("catalog", rc, SQL_HANDLE_DBC, dbc);
    if (SQL_SUCCEEDED(rc))
        printf("    %.*s (%d)\n", (int)strnlen((char *)text, 300), text, (int)length);
    ON_DBC(SQLSetConnectAttr(dbc, SQL_ATTR_ACCESS_MODE, (SQLPOINTER)SQL_MODE_READ_WRITE, 0));
    ON_DBC(SQLSetConnectAttr(dbc, 99999, (SQLPOINTER)1, 0));
    ON_DBC(SQLSetConnectAttr(dbc, SQL_ATTR_TXN_ISOLATION, (SQLPOINTER)SQL_TXN_SERIALIZABLE, 0));
}

static void facts(void)
{
    static const SQLUSMALLINT texts[] = {SQL_DBMS_NAME, SQL_DRIVER_ODBC_VER, SQL_IDENTIFIER_QUOTE_CHAR, SQL_CATALOG_TERM,
        SQL_SCHEMA_TERM, SQL_TABLE_TERM, SQL_DATABASE_NAME, SQL_USER_NAME, SQL_SEARCH_PATTERN_ESCAPE, SQL_KEYWORDS,
        SQL_DATA_SOURCE_NAME, SQL_DRIVER_NAME, SQL_DBMS_VER, SQL_NEED_LONG_DATA_LEN};
    static const SQLUSMALLINT numbers[] = {SQL_TXN_CAPABLE, SQL_CURSOR_COMMIT_BEHAVIOR, SQL_MAX_COLUMN_NAME_LEN,
        SQL_SCROLL_OPTIONS, SQL_GETDATA_EXTENSIONS, SQL_PARAM_ARRAY_ROW_COUNTS, SQL_BATCH_SUPPORT, SQL_DEFAULT_TXN_ISOLATION,
        SQL_IDENTIFIER_CASE, SQL_CATALOG_USAGE, SQL_STRING_FUNCTIONS, SQL_NUMERIC_FUNCTIONS, 65000};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int capacity = 1000; capacity; capacity = capacity == 1000 ? 4 : 0) {
            unsigned char text[1000 + GUARD];
            SQLSMALLINT length = -77;
            SQLRETURN rc = SQLGetInfo(dbc, texts[i], filled(text, 1000), capacity, &length);
            printf("info %d in %d -> %s (%d) ", texts[i], capacity, rc_name(rc), length);
            /* SQLite's driver does not end a text it cut off: the last byte is not shown. */
            int most = SQL_SUCCEEDED(rc) ? length < capacity ? length : capacity - 1 : 0;
            printf("%.*s\n", most, text);
        }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        unsigned char value[8 + GUARD];
        SQLSMALLINT length = -77;
        SQLRETURN rc = SQLGetInfo(dbc, numbers[i], filled(value, 8), sizeof(SQLUINTEGER), &length);
        printf("info %d -> %s (%d)\n", numbers[i], rc_name(rc), length);
        written("value", value, 8, 8);
    }
    SQLUSMALLINT all[SQL_API_ODBC3_ALL_FUNCTIONS_SIZE], old[100], one;
    memset(all, FILLER, sizeof all), memset(old, FILLER, sizeof old);
    printf("functions 999 -> %s ", rc_name(SQLGetFunctions(dbc, SQL_API_ODBC3_ALL_FUNCTIONS, all)));
    bytes(all, sizeof all), printf("\n");
    printf("functions 0 -> %s ", rc_name(SQLGetFunctions(dbc, SQL_API_ALL_FUNCTIONS, old)));
    bytes(old, sizeof old), printf("\n");
    for (SQLUSMALLINT id = 1; id < 1030; id = id == 79 ? 1000 : id + 1) {
        one = 0xAAAA;
        SQLRETURN rc = SQLGetFunctions(dbc, id, &one);
        printf("%d:%s:%x ", id, rc_name(rc), one);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    ON_ENV(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env));
    ON_ENV(SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0));
    out_string("DSN, whole", connection_string, 2048, 1);
    out_string("DSN, cut", connection_string, 6, 1);
    out_string("DSN, no buffer", connection_string, 0, 1);
    out_string("DSN, no length", connection_string, 2048, 0);
    out_string("DRIVER, cut", driver_string, 9, 1);
    refusals();
    two_at_once();
    ON_ENV(SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc));
    ON_DBC(SQLSetConnectAttr(dbc, SQL_ATTR_LOGIN_TIMEOUT, (SQLPOINTER)15, 0));
    ON_DBC(SQLDriverConnect(dbc, NULL, (SQLCHAR *)driver_string, strlen(driver_string), NULL, 0, NULL, SQL_DRIVER_COMPLETE));
    attributes();
    facts();
    return done();
}
