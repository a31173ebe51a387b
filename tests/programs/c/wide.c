/* The Unicode half: the W functions with text beyond the basic plane, wide names, wide messages, wide parameters. */
#include "report.h"

static SQLWCHAR *wide(const char *text)
{
    static SQLWCHAR pool[8][2000];
    static int turn;
    SQLWCHAR *to = pool[turn++ % 8], *start = to;
    for (const unsigned char *from = (const unsigned char *)text; *from;) {
        unsigned point;
        int more = *from < 0x80 ? 0 : *from < 0xe0 ? 1 : *from < 0xf0 ? 2 : 3;
        point = more == 0 ? *from : more == 1 ? *from & 0x1f : more == 2 ? *from & 0x0f : *from & 0x07;
        for (from++; more--; from++)
            point = point << 6 | (*from & 0x3f);
        if (point > 0xffff)
            *to++ = 0xd800 + ((point - 0x10000) >> 10), *to++ = 0xdc00 + ((point - 0x10000) & 0x3ff);
        else
            *to++ = point;
    }
    *to = 0;
    return start;
}

static void show(const char *name, const SQLWCHAR *text, size_t most)
{
    printf("    %s ", name);
    for (size_t i = 0; i < most && text[i]; i++)
        if (text[i] >= ' ' && text[i] < 127)
            putchar(text[i]);
        else
            printf("<%04x>", text[i]);
    printf("\n");
}

static void complaints(SQLSMALLINT type, SQLHANDLE handle)
{
    for (SQLSMALLINT record = 1; record < 5; record++) {
        SQLWCHAR state[6] = {0}, text[600] = {0};
        SQLINTEGER native = -77;
        SQLSMALLINT length = -77;
        SQLRETURN rc = SQLGetDiagRecW(type, handle, record, state, &native, text, 600, &length);
        printf("    wide diagnostic -> %s %d (%d)\n", rc_name(rc), (int)native, length);
        if (!SQL_SUCCEEDED(rc))
            return;
        show("state", state, 6), show("text", text, 600);
    }
}

static void ask(const char *sql)
{
    SQLHSTMT stmt = statement();
    SQLSMALLINT columns = 0;
    printf("%s -> ", sql);
    SQLRETURN rc = SQLExecDirectW(stmt, wide(sql), SQL_NTS);
    printf("%s\n", rc_name(rc));
    if (!SQL_SUCCEEDED(rc))
        complaints(SQL_HANDLE_STMT, stmt);
    SQLNumResultCols(stmt, &columns);
    for (SQLUSMALLINT column = 1; column <= columns; column++) {
        SQLWCHAR name[60] = {0};
        SQLSMALLINT length = -77, type = -77, scale = -77, nullable = -77;
        SQLULEN size = 7777;
        rc = SQLDescribeColW(stmt, column, name, 60, &length, &type, &size, &scale, &nullable);
        printf("  column %s (%d) type %d size %lu scale %d nullable %d\n", rc_name(rc), length, type, (unsigned long)size, scale, nullable);
        show("name", name, 60);
        length = -77;
        memset(name, 0, sizeof name);
        rc = SQLColAttributeW(stmt, column, SQL_DESC_LABEL, name, sizeof name, &length, NULL);
        printf("  label %s (%d)\n", rc_name(rc), length);
        show("label", name, 60);
    }
    while (columns && SQL_SUCCEEDED(rc = SQLFetch(stmt)))
        for (SQLUSMALLINT column = 1; column <= columns; column++) {
            SQLWCHAR text[60] = {0};
            SQLLEN length = -77;
            rc = SQLGetData(stmt, column, SQL_C_WCHAR, text, sizeof text, &length);
            printf("  cell %s (%ld)\n", rc_name(rc), (long)length);
            if (SQL_SUCCEEDED(rc) && length != SQL_NULL_DATA)
                show("text", text, 60);
        }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void parameter(void)
{
    SQLHSTMT stmt = statement();
    SQLWCHAR *text = wide("g\xc3\xbcnstig \xf0\x9f\x90\x8d");
    SQLINTEGER id = 3;
    SQLLEN length = SQL_NTS;
    ON(stmt, SQLPrepareW(stmt, wide("insert into breit (id, wort) values (?, ?)"), SQL_NTS));
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0, NULL));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_WCHAR, SQL_WVARCHAR, 40, 0, text, 0, &length));
    ON(stmt, SQLExecute(stmt));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void catalog(void)
{
    SQLHSTMT stmt = statement();
    ON(stmt, SQLTablesW(stmt, NULL, 0, NULL, 0, wide("breit"), SQL_NTS, NULL, 0));
    rows(stmt);
    SQLFreeStmt(stmt, SQL_CLOSE);
    ON(stmt, SQLColumnsW(stmt, NULL, 0, NULL, 0, wide("breit"), SQL_NTS, NULL, 0));
    rows_of(stmt, STANDARD_COLUMNS);
    SQLFreeStmt(stmt, SQL_CLOSE);
    ON(stmt, SQLGetTypeInfoW(stmt, SQL_INTEGER));
    rows(stmt);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void facts(void)
{
    static const SQLUSMALLINT ids[] = {SQL_DBMS_NAME, SQL_IDENTIFIER_QUOTE_CHAR, SQL_SEARCH_PATTERN_ESCAPE, SQL_DATABASE_NAME};
    for (int i = 0; i < 4; i++) {
        SQLWCHAR text[200] = {0};
        SQLSMALLINT length = -77;
        SQLRETURN rc = SQLGetInfoW(dbc, ids[i], text, sizeof text, &length);
        printf("info %d %s (%d)\n", ids[i], rc_name(rc), length);
        show("text", text, 200);
    }
    SQLWCHAR text[200] = {0};
    SQLINTEGER length = -77;
    SQLRETURN rc = SQLNativeSqlW(dbc, wide("select '\xc3\xa9'"), SQL_NTS, text, 200, &length);
    printf("native %s (%d)\n", rc_name(rc), (int)length);
    show("text", text, 200);
    rc = SQLGetConnectAttrW(dbc, SQL_ATTR_CURRENT_CATALOG, text, sizeof text, &length);
    printf("catalog %s (%d)\n", rc_name(rc), SQL_SUCCEEDED(rc) ? (int)length : 0);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
    SQLRETURN rc = SQLConnectW(dbc, wide("no such source \xc3\xa9"), SQL_NTS, wide("u"), SQL_NTS, wide("p"), SQL_NTS);
    printf("unknown source %s\n", rc_name(rc));
    complaints(SQL_HANDLE_DBC, dbc);
    SQLWCHAR out[1000] = {0};
    SQLSMALLINT length = -77;
    rc = SQLDriverConnectW(dbc, NULL, wide(connection_string), SQL_NTS, out, 1000, &length, SQL_DRIVER_NOPROMPT);
    printf("connect %s (%d)\n", rc_name(rc), length);
    show("out", out, 1000);
    complaints(SQL_HANDLE_DBC, dbc);
    ask("create table breit (id integer, wort varchar(40))");
    ask("insert into breit values (1, 'stra\xc3\x9f" "e'), (2, 'smile \xf0\x9f\x98\x80')");
    parameter();
    ask("select id, wort, wort as \"gr\xc3\xb6\xc3\x9f" "e\" from breit order by id");
    ask("select n\xc3\xb6thing from nowhere");
    catalog();
    facts();
    return done();
}
