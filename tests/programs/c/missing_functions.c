/* Calls in both widths, and ODBC 2's beside ODBC 3's, whatever the driver has: where it lacks a function, the driver manager converts, takes another
 * one, or says IM001. The last argument is FUNCTION,VERSION: which function connects (connect, driver_connect, and the same with _wide), and the version
 * of ODBC that the program is for. */
#include "report.h"

enum { ROOM = 60 };

static SQLWCHAR *wide(const char *text)
{
    static SQLWCHAR buffers[8][300];
    static int turn;
    SQLWCHAR *out = buffers[turn++ % 8];
    int i = 0;
    for (; text[i] && i < 299; i++)
        out[i] = (unsigned char)text[i];
    out[i] = 0;
    return out;
}

static const char *narrow(const SQLWCHAR *text)
{
    static char buffers[8][300];
    static int turn;
    char *out = buffers[turn++ % 8];
    int i = 0, at = 0;
    for (; text[i] && at < 290; i++)
        at += text[i] < 0x80 ? snprintf(out + at, 8, "%c", text[i]) : snprintf(out + at, 8, "<%x>", text[i]);
    out[at] = 0;
    return out;
}

static SQLHSTMT stmt;
/* Debian's driver for Access files writes beyond a small buffer, and leaves out what it succeeds in. */
static int access;

/* What a call wrote as text, both ways. */
static char text[ROOM + 1];
static SQLWCHAR wtext[ROOM + 1];
static SQLSMALLINT length;
static SQLINTEGER long_length;

static void clear(void)
{
    memset(text, 0, sizeof text);
    memset(wtext, 0, sizeof wtext);
    length = -7, long_length = -7;
}

#define TEXT(type, handle, call)                                                               \
    do {                                                                                       \
        clear();                                                                               \
        if (SQL_SUCCEEDED(tell(#call, call, type, handle)))                                    \
            printf("    '%s' '%s' %d %d\n", text, narrow(wtext), length, (int)long_length);    \
    } while (0)
#define OF_DBC(call) TEXT(SQL_HANDLE_DBC, dbc, call)
#define OF_STMT(call) TEXT(SQL_HANDLE_STMT, stmt, call)

static void closed(void)
{
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
}

static void connection(void)
{
    SQLUINTEGER number = 77;
    OF_DBC(SQLGetInfo(dbc, SQL_DBMS_NAME, text, ROOM, &length));
    OF_DBC(SQLGetInfoW(dbc, SQL_DBMS_NAME, wtext, ROOM, &length));
    if (!access) {
        OF_DBC(SQLGetInfoW(dbc, SQL_DBMS_NAME, NULL, 0, &length));
        OF_DBC(SQLGetConnectAttr(dbc, SQL_ATTR_CURRENT_CATALOG, text, ROOM, &long_length));
        OF_DBC(SQLGetConnectAttrW(dbc, SQL_ATTR_CURRENT_CATALOG, wtext, ROOM, &long_length));
    }
    OF_DBC(SQLGetInfoW(dbc, SQL_MAX_COLUMN_NAME_LEN, wtext, 2, NULL));
    /* SQLite's driver ends the text that it is given where the other buffer ends. */
    SQLCHAR sql[ROOM + 1] = "select 1";
    OF_DBC(SQLNativeSql(dbc, sql, SQL_NTS, (SQLCHAR *)text, ROOM, &long_length));
    if (strcmp(dialect, "sqlite"))
        OF_DBC(SQLNativeSqlW(dbc, wide("select 1"), 8, wtext, ROOM, &long_length));
    ON_DBC(SQLGetConnectAttr(dbc, SQL_ATTR_AUTOCOMMIT, &number, 0, NULL));
    ON_DBC(SQLGetConnectAttrW(dbc, SQL_ATTR_AUTOCOMMIT, &number, 0, NULL));
    printf("    %u\n", (unsigned)number), number = 77;
    ON_DBC(SQLGetConnectOption(dbc, SQL_AUTOCOMMIT, &number));
    printf("    %u\n", (unsigned)number), number = 77;
    ON_DBC(SQLGetConnectOptionW(dbc, SQL_AUTOCOMMIT, &number));
    printf("    %u\n", (unsigned)number), number = 77;
    ON_DBC(SQLGetConnectAttr(dbc, 5555, &number, 0, NULL));
    ON_DBC(SQLGetConnectAttrW(dbc, 5555, &number, 0, NULL));
    ON_DBC(SQLSetConnectAttr(dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_OFF, 0));
    ON_DBC(SQLSetConnectAttrW(dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_ON, 0));
    ON_DBC(SQLSetConnectOption(dbc, SQL_AUTOCOMMIT, SQL_AUTOCOMMIT_OFF));
    ON_DBC(SQLSetConnectOptionW(dbc, SQL_AUTOCOMMIT, SQL_AUTOCOMMIT_ON));
    ON_DBC(SQLSetConnectAttr(dbc, 5555, (SQLPOINTER)1, 0));
    ON_DBC(SQLSetConnectAttrW(dbc, 5555, (SQLPOINTER)1, 0));
    ON_DBC(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_COMMIT));
    ON_DBC(SQLTransact(SQL_NULL_HENV, dbc, SQL_COMMIT));
}

static void columns(void)
{
    SQLSMALLINT type = -7, digits = -7, nullable = -7;
    SQLULEN size = 7;
    SQLLEN value = -7;
    /* In one of the widths there may be no answer: it is no answer in the other one. */
    for (int i = 0; i < 6; i++, value = -7) {
        int wide = i == 2 || i == 4;
        SQLRETURN rc = wide ? SQLColAttributesW(stmt, 1, SQL_COLUMN_TYPE, NULL, 0, NULL, &value)
                            : SQLColAttributes(stmt, 1, SQL_COLUMN_TYPE, NULL, 0, NULL, &value);
        printf("    %s type: %s %ld\n", wide ? "wide" : "ANSI", rc_name(rc), (long)value);
    }
    OF_STMT(SQLDescribeCol(stmt, 1, (SQLCHAR *)text, ROOM, &length, &type, &size, &digits, &nullable));
    printf("    type %d, %lu\n", type, (unsigned long)size);
    OF_STMT(SQLDescribeColW(stmt, 2, wtext, ROOM, &length, &type, &size, &digits, &nullable));
    OF_STMT(SQLDescribeCol(stmt, 2, (SQLCHAR *)text, 3, &length, &type, &size, &digits, &nullable));
    OF_STMT(SQLDescribeColW(stmt, 2, wtext, 3, &length, &type, &size, &digits, &nullable));
    OF_STMT(SQLColAttribute(stmt, 1, SQL_DESC_NAME, text, ROOM, &length, NULL));
    OF_STMT(SQLColAttributeW(stmt, 1, SQL_DESC_NAME, wtext, ROOM, &length, NULL));
    OF_STMT(SQLColAttributes(stmt, 1, SQL_COLUMN_NAME, text, ROOM, &length, NULL));
    OF_STMT(SQLColAttributesW(stmt, 1, SQL_COLUMN_NAME, wtext, ROOM, &length, NULL));
    ON(stmt, SQLColAttribute(stmt, 2, SQL_DESC_TYPE, NULL, 0, NULL, &value));
    ON(stmt, SQLColAttributeW(stmt, 2, SQL_DESC_TYPE, NULL, 0, NULL, &value));
    printf("    %ld\n", (long)value), value = -7;
    static const SQLUSMALLINT fields[] = {SQL_COLUMN_TYPE,     SQL_COLUMN_LENGTH, SQL_COLUMN_DISPLAY_SIZE, SQL_COLUMN_PRECISION, SQL_COLUMN_SCALE,
                                          SQL_COLUMN_NULLABLE, SQL_COLUMN_COUNT,  SQL_COLUMN_UNSIGNED,     SQL_COLUMN_SEARCHABLE};
    for (int i = 0; i < 9; i++) {
        SQLLEN of_ansi = -7, of_wide = -7;
        printf("    field %d: %s", fields[i], rc_name(SQLColAttributes(stmt, 2, fields[i], NULL, 0, NULL, &of_ansi)));
        printf(" %ld, %s", (long)of_ansi, rc_name(SQLColAttributesW(stmt, 2, fields[i], NULL, 0, NULL, &of_wide)));
        printf(" %ld\n", (long)of_wide);
    }
}

static void attributes(void)
{
    SQLULEN number = 77;
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_QUERY_TIMEOUT, (SQLPOINTER)0, 0));
    /* Where a driver has options in place of attributes, unixODBC makes an option of SQLSetStmtAttr, and not of SQLSetStmtAttrW. Before an
     * ANSI driver both come to super8 as SQLSetStmtAttr, so the second one works as well. */
    if (!strstr(extra, ",no_wide_attribute"))
        ON(stmt, SQLSetStmtAttrW(stmt, SQL_ATTR_QUERY_TIMEOUT, (SQLPOINTER)0, 0));
    ON(stmt, SQLSetStmtOption(stmt, SQL_QUERY_TIMEOUT, 0));
    ON(stmt, SQLGetStmtAttr(stmt, SQL_ATTR_QUERY_TIMEOUT, &number, 0, NULL));
    ON(stmt, SQLGetStmtAttrW(stmt, SQL_ATTR_QUERY_TIMEOUT, &number, 0, NULL));
    ON(stmt, SQLGetStmtOption(stmt, SQL_QUERY_TIMEOUT, &number));
    printf("    %lu\n", (unsigned long)number);
    ON(stmt, SQLSetStmtAttr(stmt, 5555, (SQLPOINTER)1, 0));
    ON(stmt, SQLGetStmtAttr(stmt, 5555, &number, 0, NULL));
    /* SQLite's driver names a cursor after an address. */
    if (access || !strcmp(dialect, "sqlite"))
        return;
    ON(stmt, SQLSetCursorName(stmt, (SQLCHAR *)"first", SQL_NTS));
    OF_STMT(SQLGetCursorNameW(stmt, wtext, ROOM, &length));
    ON(stmt, SQLSetCursorNameW(stmt, wide("second"), SQL_NTS));
    OF_STMT(SQLGetCursorName(stmt, (SQLCHAR *)text, ROOM, &length));
}

static void descriptors(void)
{
    SQLHDESC rows = SQL_NULL_HDESC, bound = SQL_NULL_HDESC;
    ON(stmt, SQLGetStmtAttr(stmt, SQL_ATTR_IMP_ROW_DESC, &rows, 0, NULL));
    ON(stmt, SQLGetStmtAttr(stmt, SQL_ATTR_APP_ROW_DESC, &bound, 0, NULL));
    TEXT(SQL_HANDLE_DESC, rows, SQLGetDescField(rows, 1, SQL_DESC_NAME, text, ROOM, &long_length));
    TEXT(SQL_HANDLE_DESC, rows, SQLGetDescFieldW(rows, 1, SQL_DESC_NAME, wtext, ROOM, &long_length));
    SQLSMALLINT type, subtype, precision, scale, nullable;
    SQLLEN size;
    TEXT(SQL_HANDLE_DESC, rows, SQLGetDescRec(rows, 1, (SQLCHAR *)text, ROOM, &length, &type, &subtype, &size, &precision, &scale, &nullable));
    TEXT(SQL_HANDLE_DESC, rows, SQLGetDescRecW(rows, 1, wtext, ROOM, &length, &type, &subtype, &size, &precision, &scale, &nullable));
    tell("SQLSetDescFieldW", SQLSetDescFieldW(bound, 1, SQL_DESC_TYPE, (SQLPOINTER)SQL_C_CHAR, 0), SQL_HANDLE_DESC, bound);
}

static void failure(const char *sql)
{
    SQLCHAR state[6] = "";
    SQLWCHAR wstate[6] = {0};
    SQLINTEGER native = -7, records = -7;
    tell(sql, SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS), SQL_HANDLE_STMT, stmt);
    tell(sql, SQLExecDirectW(stmt, wide(sql), SQL_NTS), SQL_HANDLE_STMT, stmt);
    clear();
    printf("SQLGetDiagRecW %s", rc_name(SQLGetDiagRecW(SQL_HANDLE_STMT, stmt, 1, wstate, &native, wtext, ROOM, &length)));
    printf(" %s %d %s %d\n", narrow(wstate), (int)native, narrow(wtext), length);
    printf("SQLGetDiagField %s", rc_name(SQLGetDiagField(SQL_HANDLE_STMT, stmt, 0, SQL_DIAG_NUMBER, &records, 0, NULL)));
    printf(" %d\n", (int)records);
    clear();
    SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS);
    clear();
    printf("SQLError %s", rc_name(SQLError(env, dbc, stmt, state, &native, (SQLCHAR *)text, ROOM, &length)));
    printf(" %s %d %s %d\n", state, (int)native, text, length);
    SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS);
    clear();
    printf("SQLErrorW %s", rc_name(SQLErrorW(env, dbc, stmt, wstate, &native, wtext, ROOM, &length)));
    printf(" %s %d %s %d\n", narrow(wstate), (int)native, narrow(wtext), length);
}

/* The test driver gives the words back in its message. They are UTF-8 to it, or UTF-16. */
static void beyond_ascii(int by_wide)
{
    SQLWCHAR wstate[6];
    SQLINTEGER native;
    clear();
    if (!by_wide)
        tell("words beyond ASCII", SQLExecDirect(stmt, (SQLCHAR *)"fails 42000 Gr\xc3\xb6\xc3\x9f" "e", SQL_NTS), SQL_HANDLE_STMT, stmt);
    else if (SQLExecDirectW(stmt, wide("fails 42000 Gr\xf6\xdf" "e"), SQL_NTS) == SQL_ERROR)
        printf("words beyond ASCII: %s", rc_name(SQLGetDiagRecW(SQL_HANDLE_STMT, stmt, 1, wstate, &native, wtext, ROOM, &length)));
    printf(" %s %d\n", narrow(wtext), length);
}

/* Functions of ODBC 2 that the driver manager makes of others: with super8 it finds these in both widths, and lists some more (docs/matching.md). */
static int made_of_another(int api)
{
    static const int made[] = {SQL_API_SQLERROR,         SQL_API_SQLGETCONNECTOPTION, SQL_API_SQLSETCONNECTOPTION,  SQL_API_SQLGETSTMTOPTION,
                               SQL_API_SQLSETSTMTOPTION, SQL_API_SQLPARAMOPTIONS,     SQL_API_SQLSETSCROLLOPTIONS};
    for (int i = 0; i < 7; i++)
        if (api == made[i])
            return 1;
    return 0;
}

static void functions(void)
{
    SQLUSMALLINT all[SQL_API_ODBC3_ALL_FUNCTIONS_SIZE] = {0};
    ON_DBC(SQLGetFunctions(dbc, SQL_API_ODBC3_ALL_FUNCTIONS, all));
    printf("    functions");
    for (int api = 0; api < 4000; api++)
        if (SQL_FUNC_EXISTS(all, api) == SQL_TRUE && !made_of_another(api))
            printf(" %d", api);
    printf("\n");
}

static SQLRETURN connected(const char *how)
{
    SQLCHAR *name = (SQLCHAR *)source, *who = (SQLCHAR *)user, *secret = (SQLCHAR *)password;
    clear();
    if (!strcmp(how, "connect"))
        return SQLConnect(dbc, name, SQL_NTS, who, SQL_NTS, secret, SQL_NTS);
    if (!strcmp(how, "connect_wide"))
        return SQLConnectW(dbc, wide(source), SQL_NTS, wide(user), SQL_NTS, wide(password), SQL_NTS);
    static char completed[300];
    static SQLWCHAR wcompleted[300];
    SQLRETURN rc;
    if (!strcmp(how, "driver_connect"))
        rc = SQLDriverConnect(dbc, NULL, (SQLCHAR *)connection_string, SQL_NTS, (SQLCHAR *)completed, 300, &length, SQL_DRIVER_NOPROMPT);
    else
        rc = SQLDriverConnectW(dbc, NULL, wide(connection_string), SQL_NTS, wcompleted, 300, &length, SQL_DRIVER_NOPROMPT);
    printf("    %s%s %d\n", completed, narrow(wcompleted), length);
    return rc;
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    char how[30] = "", sql[100];
    int version = 3, test = !strcmp(dialect, "test"), by_wide;
    sscanf(extra, "%29[^,],%d", how, &version);
    by_wide = strstr(how, "wide") != NULL;
    access = !strcmp(dialect, "access");
    /* Debian's Access driver says there what it thinks of a statement. */
    if (access && !freopen("/dev/null", "w", stderr))
        return 1;
    const char *table = access ? "merchant_taylors" : "missing";
    ON_ENV(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env));
    ON_ENV(SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)(size_t)version, 0));
    ON_ENV(SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc));
    if (!SQL_SUCCEEDED(tell(how, connected(how), SQL_HANDLE_DBC, dbc)))
        return 1;
    connection();
    functions();
    ON_DBC(SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt));
    attributes();
    if (!access && !test) {
        execute("create table missing (id integer, word varchar(20))");
        execute("insert into missing values (1, 'one')");
        execute("insert into missing values (2, 'two')");
    }
    if (test)
        snprintf(sql, sizeof sql, "rows 4");
    else
        snprintf(sql, sizeof sql, "select * from %s", table);
    if (SQL_SUCCEEDED(tell("a query", SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS), SQL_HANDLE_STMT, stmt)))
        columns(), descriptors(), rows_of(stmt, 2), closed();
    if (SQL_SUCCEEDED(tell("a query in wide text", SQLExecDirectW(stmt, wide(sql), strlen(sql)), SQL_HANDLE_STMT, stmt)))
        columns(), rows_of(stmt, 2), closed();
    if (SQL_SUCCEEDED(tell("a prepared query", SQLPrepare(stmt, (SQLCHAR *)sql, SQL_NTS), SQL_HANDLE_STMT, stmt)))
        ON(stmt, SQLExecute(stmt)), rows_of(stmt, 2), closed();
    if (SQL_SUCCEEDED(tell("a prepared query in wide text", SQLPrepareW(stmt, wide(sql), SQL_NTS), SQL_HANDLE_STMT, stmt)))
        ON(stmt, SQLExecute(stmt)), rows_of(stmt, 2), closed();
    /* A name that is not ASCII, counted and ended by its terminator. */
    ON(stmt, SQLTables(stmt, NULL, 0, NULL, 0, (SQLCHAR *)"Gr\xf6\xdf" "e", 5, NULL, 0)), rows_of(stmt, 3), closed();
    ON(stmt, SQLTablesW(stmt, NULL, 0, NULL, 0, wide("Gr\xf6\xdf" "e"), SQL_NTS, NULL, 0)), rows_of(stmt, 3), closed();
    ON(stmt, SQLTablesW(stmt, NULL, 0, NULL, 0, wide(table), SQL_NTS, wide("TABLE"), 5)), rows_of(stmt, 3), closed();
    ON(stmt, SQLColumns(stmt, NULL, 0, NULL, 0, (SQLCHAR *)table, SQL_NTS, NULL, 0)), rows_of(stmt, 6), closed();
    ON(stmt, SQLColumnsW(stmt, NULL, 0, NULL, 0, wide(table), SQL_NTS, NULL, 0)), rows_of(stmt, 6), closed();
    ON(stmt, SQLGetTypeInfoW(stmt, SQL_INTEGER)), rows_of(stmt, 3), closed();
    failure(test ? "fails 42000 words" : "selekt");
    if (test && strcmp(how, "driver_connect_wide"))
        beyond_ascii(by_wide);
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
    return done();
}
