/* What programs seldom ask: every connection and statement option, every number of SQLColAttributes, SQLParamOptions, SQLSetScrollOptions, SQLSetDescRec,
 * attributes of the environment, fields of diagnostic headers, SQLCancelHandle, SQLAllocHandleStd. */
#include "report.h"

static void options(SQLHSTMT stmt)
{
    for (SQLUSMALLINT option = 101; option <= 112; option++) {
        unsigned char value[200] = "";
        if (option == SQL_OPT_TRACEFILE || option == SQL_QUIET_MODE || option == SQL_TRANSLATE_DLL)
            continue; /* the driver manager's own, and a text that no driver has */
        SQLRETURN rc = SQLGetConnectOption(dbc, option, value);
        printf("connection option %d: %s %s", option, rc_name(rc), option == SQL_CURRENT_QUALIFIER ? "" : "= ");
        if (SQL_SUCCEEDED(rc) && option != SQL_CURRENT_QUALIFIER)
            printf("%u", *(SQLUINTEGER *)value);
        printf("\n");
    }
    tell("packet size", SQLSetConnectOption(dbc, SQL_PACKET_SIZE, 4096), SQL_HANDLE_DBC, dbc);
    tell("access mode", SQLSetConnectOption(dbc, SQL_ACCESS_MODE, SQL_MODE_READ_WRITE), SQL_HANDLE_DBC, dbc);
    tell("for all statements", SQLSetConnectOption(dbc, SQL_QUERY_TIMEOUT, 7), SQL_HANDLE_DBC, dbc);
    for (SQLUSMALLINT option = SQL_QUERY_TIMEOUT; option <= SQL_ROW_NUMBER; option++) {
        SQLULEN value = 0;
        SQLRETURN rc = SQLGetStmtOption(stmt, option, &value);
        printf("statement option %d: %s", option, rc_name(rc));
        if (SQL_SUCCEEDED(rc) && option != 13) /* SQL_GET_BOOKMARK */
            printf(" %lu", (unsigned long)(SQLUINTEGER)value);
        printf("\n");
        if (option < SQL_GET_BOOKMARK && SQL_SUCCEEDED(rc))
            tell("    set", SQLSetStmtOption(stmt, option, (SQLUINTEGER)value), SQL_HANDLE_STMT, stmt);
    }
    tell("no option", SQLSetStmtOption(stmt, 999, 1), SQL_HANDLE_STMT, stmt);
}

/* The numbers of ODBC 2, which has neither SQL_DESC_PRECISION nor SQL_DESC_SCALE apart. */
static void old_columns(SQLHSTMT stmt)
{
    for (SQLUSMALLINT field = SQL_COLUMN_COUNT; field <= SQL_COLUMN_LABEL; field++)
        for (SQLUSMALLINT column = 1; column <= 3; column++) {
            char text[100] = "";
            SQLSMALLINT length = -7;
            SQLLEN number = -7;
            SQLRETURN rc = SQLColAttributes(stmt, column, field, text, sizeof text, &length, &number);
            printf("%d of %d: %s '%s' %d %ld\n", field, column, rc_name(rc), SQL_SUCCEEDED(rc) ? text : "", length, (long)number);
        }
}

static void several(void)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER numbers[3] = {11, 12, 13};
    SQLLEN lengths[3] = {0, 0, 0};
    SQLULEN processed = 77;
    ON(stmt, SQLParamOptions(stmt, 3, &processed));
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, numbers, 0, lengths));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"insert into seldom values (?, 'x', 1)", SQL_NTS));
    printf("    processed %lu\n", (unsigned long)processed);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    stmt = statement();
    ON(stmt, SQLSetScrollOptions(stmt, SQL_CONCUR_READ_ONLY, SQL_SCROLL_STATIC, 2));
    SQLUSMALLINT states[2] = {77, 77};
    SQLULEN count = 77;
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, numbers, 0, lengths));
    /* With them set MariaDB's driver crashes in SQLExtendedFetch. */
    if (SQL_SUCCEEDED(ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select id from seldom order by id", SQL_NTS))) && strcmp(dialect, "mariadb"))
        for (int i = 0; i < 3; i++) {
            SQLRETURN rc = ON(stmt, SQLExtendedFetch(stmt, SQL_FETCH_NEXT, 0, &count, states));
            printf("    %lu: %d %d, %d %d\n", (unsigned long)count, SQL_SUCCEEDED(rc) ? (int)numbers[0] : 0, count > 1 ? (int)numbers[1] : 0, states[0], states[1]);
        }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void records(void)
{
    SQLHSTMT stmt = statement();
    SQLHDESC ard = NULL, apd = NULL, ipd = NULL;
    SQLINTEGER low = 11, id = -7;
    SQLLEN length = 0, read = -7, null = -7;
    char t[10] = "";
    SQLGetStmtAttr(stmt, SQL_ATTR_APP_ROW_DESC, &ard, 0, NULL);
    SQLGetStmtAttr(stmt, SQL_ATTR_APP_PARAM_DESC, &apd, 0, NULL);
    SQLGetStmtAttr(stmt, SQL_ATTR_IMP_PARAM_DESC, &ipd, 0, NULL);
    tell("apd 1", SQLSetDescRec(apd, 1, SQL_C_SLONG, 0, 4, 0, 0, &low, &length, &length), SQL_HANDLE_DESC, apd);
    tell("ipd 1", SQLSetDescRec(ipd, 1, SQL_INTEGER, 0, 4, 10, 0, NULL, NULL, NULL), SQL_HANDLE_DESC, ipd);
    tell("ard 1", SQLSetDescRec(ard, 1, SQL_C_SLONG, 0, 4, 0, 0, &id, &read, &read), SQL_HANDLE_DESC, ard);
    tell("ard 2", SQLSetDescRec(ard, 2, SQL_C_CHAR, 0, sizeof t, 0, 0, t, &read, &null), SQL_HANDLE_DESC, ard);
    tell("ard -1", SQLSetDescRec(ard, -1, SQL_C_CHAR, 0, sizeof t, 0, 0, t, &read, &null), SQL_HANDLE_DESC, ard);
    if (SQL_SUCCEEDED(ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select id, t from seldom where id >= ? order by id", SQL_NTS))))
        while (SQL_SUCCEEDED(ON(stmt, SQLFetch(stmt))))
            printf("    %d '%s' (%ld, %ld)\n", (int)id, t, (long)read, (long)null);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void headers(SQLHSTMT stmt, const char *sql)
{
    static const SQLSMALLINT numbers[] = {SQL_DIAG_NUMBER, SQL_DIAG_DYNAMIC_FUNCTION_CODE}, sizes[] = {SQL_DIAG_CURSOR_ROW_COUNT, SQL_DIAG_ROW_COUNT};
    tell(sql, SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS), SQL_HANDLE_STMT, stmt);
    for (int i = 0; i < 2; i++) {
        SQLINTEGER number = -7;
        SQLLEN size = -7;
        printf("    header %d: %s", numbers[i], rc_name(SQLGetDiagField(SQL_HANDLE_STMT, stmt, 0, numbers[i], &number, 0, NULL)));
        printf(" %d\n", (int)number);
        printf("    header %d: %s", sizes[i], rc_name(SQLGetDiagField(SQL_HANDLE_STMT, stmt, 0, sizes[i], &size, 0, NULL)));
        printf(" %ld\n", (long)size);
    }
    char text[60] = "";
    SQLSMALLINT length = -7;
    SQLRETURN rc = SQLGetDiagField(SQL_HANDLE_STMT, stmt, 0, SQL_DIAG_DYNAMIC_FUNCTION, text, sizeof text, &length);
    printf("    function: %s '%s' (%d)\n", rc_name(rc), SQL_SUCCEEDED(rc) ? text : "", length);
    SQLFreeStmt(stmt, SQL_CLOSE);
}

static void of_connection(void)
{
    tell("end nothing", SQLEndTran(SQL_HANDLE_DBC, dbc, 99), SQL_HANDLE_DBC, dbc);
    tell("no attribute", SQLSetConnectAttr(dbc, 98989, (SQLPOINTER)1, 0), SQL_HANDLE_DBC, dbc);
    SQLINTEGER count = -7;
    printf("    records: %s", rc_name(SQLGetDiagField(SQL_HANDLE_DBC, dbc, 0, SQL_DIAG_NUMBER, &count, 0, NULL)));
    printf(" %d\n", (int)count);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    SQLINTEGER number = -7;
    for (SQLINTEGER attribute = SQL_ATTR_ODBC_VERSION; attribute <= SQL_ATTR_CP_MATCH; attribute++) {
        SQLRETURN rc = SQLGetEnvAttr(env, attribute, &number, 0, NULL);
        printf("environment %d: %s %d\n", (int)attribute, rc_name(rc), SQL_SUCCEEDED(rc) ? (int)number : 0);
    }
    printf("environment 10001: %s\n", rc_name(SQLGetEnvAttr(env, SQL_ATTR_OUTPUT_NTS, &number, 0, NULL)));
    execute("create table seldom (id integer not null, t varchar(20), d numeric(8,3))");
    execute("insert into seldom values (1, 'one', 1.5)");
    SQLHSTMT stmt = statement();
    options(stmt);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    stmt = statement();
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select id, t, d from seldom", SQL_NTS));
    old_columns(stmt);
    ON(stmt, SQLCancelHandle(SQL_HANDLE_STMT, stmt));
    SQLFreeStmt(stmt, SQL_CLOSE);
    tell("cancel the connection", SQLCancelHandle(SQL_HANDLE_DBC, dbc), SQL_HANDLE_DBC, dbc);
    several();
    records();
    headers(stmt, "select id from seldom");
    headers(stmt, "update seldom set t = 'y' where id > 11");
    headers(stmt, "select nothing from nowhere");
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    of_connection();
    SQLHSTMT standard = NULL;
    tell("standard", SQLAllocHandleStd(SQL_HANDLE_STMT, dbc, &standard), SQL_HANDLE_DBC, dbc);
    if (standard)
        SQLFreeHandle(SQL_HANDLE_STMT, standard);
    return done();
}
