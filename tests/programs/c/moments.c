/* Questions at each moment of a statement's life, whose answers change without a command that says so: prepared, executed, fetched, at the
 * end, closed, executed again, moved in the rowset. Attributes that hold addresses, cursor names in every length, and what is sent with
 * bytes that count for nothing. */
#include "report.h"
#include <unistd.h>

static int sqlite, mariadb;

static void questions(SQLHSTMT stmt, const char *when)
{
    char name[30] = "", label[30] = "";
    SQLSMALLINT length = -7, type = -7, parameters = -7, of_parameter = -7;
    SQLLEN width = -7, count = -7;
    SQLULEN size = 4711;
    printf("%s:", when);
    printf(" describe %s", rc_name(SQLDescribeCol(stmt, 2, (SQLCHAR *)name, sizeof name, &length, &type, &size, NULL, NULL)));
    printf(" '%s' %d, label %s", name, type, rc_name(SQLColAttribute(stmt, 2, SQL_DESC_LABEL, label, sizeof label, &length, NULL)));
    printf(" '%s', width %s", label, rc_name(SQLColAttribute(stmt, 2, SQL_DESC_DISPLAY_SIZE, NULL, 0, NULL, &width)));
    printf(" %ld, rows %s", (long)width, rc_name(SQLRowCount(stmt, &count)));
    printf(" %ld, parameters %s", (long)count, rc_name(SQLNumParams(stmt, &parameters)));
    printf(" %d, parameter %s", parameters, rc_name(SQLDescribeParam(stmt, 1, &of_parameter, &size, NULL, NULL)));
    printf(" %d\n", of_parameter);
}

static void life(int asks_when_closed)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER least = 0;
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"select a, b from moment where a > ? order by a", SQL_NTS));
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &least, 0, NULL));
    questions(stmt, "prepared");
    for (int times = 0; times < 2; times++) {
        ON(stmt, SQLExecute(stmt));
        questions(stmt, "executed");
        ON(stmt, SQLFetch(stmt));
        questions(stmt, "fetched");
        while (SQL_SUCCEEDED(SQLFetch(stmt)))
            ;
        questions(stmt, "at the end");
        SQLFreeStmt(stmt, SQL_CLOSE);
        if (asks_when_closed)
            questions(stmt, "closed");
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void position(SQLHSTMT stmt, const char *when)
{
    SQLULEN number = 4711;
    SQLLEN cursor_rows = -7, count = -7;
    SQLSMALLINT columns = -7;
    printf("%s: row number %s", when, rc_name(SQLGetStmtAttr(stmt, SQL_ATTR_ROW_NUMBER, &number, 0, NULL)));
    printf(" %lu", (unsigned long)number);
    printf(", cursor rows %s", rc_name(SQLGetDiagField(SQL_HANDLE_STMT, stmt, 0, SQL_DIAG_CURSOR_ROW_COUNT, &cursor_rows, 0, NULL)));
    printf(" %ld, rows %s", (long)cursor_rows, rc_name(SQLRowCount(stmt, &count)));
    printf(" %ld, columns %s", (long)count, rc_name(SQLNumResultCols(stmt, &columns)));
    printf(" %d\n", columns);
}

static void moved(void)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER a[3];
    SQLSetStmtAttr(stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_STATIC, 0);
    SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)3, 0);
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"select a, b from moment order by a", SQL_NTS));
    position(stmt, "prepared");
    ON(stmt, SQLExecute(stmt));
    position(stmt, "executed");
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, a, 0, NULL));
    ON(stmt, SQLFetchScroll(stmt, SQL_FETCH_NEXT, 0));
    position(stmt, "fetched");
    for (SQLSETPOSIROW row = 1; row <= 3; row++) {
        char text[40] = "";
        ON(stmt, SQLSetPos(stmt, row, SQL_POSITION, SQL_LOCK_NO_CHANGE));
        position(stmt, "positioned");
        ON(stmt, SQLGetData(stmt, 2, SQL_C_CHAR, text, sizeof text, NULL));
        printf("    %s\n", text);
    }
    ON(stmt, SQLFetchScroll(stmt, SQL_FETCH_ABSOLUTE, 5));
    position(stmt, "the fifth");
    ON(stmt, SQLFetchScroll(stmt, SQL_FETCH_NEXT, 0));
    position(stmt, "next");
    ON(stmt, SQLFetchScroll(stmt, SQL_FETCH_LAST, 0));
    position(stmt, "last");
    SQLFreeStmt(stmt, SQL_CLOSE);
    position(stmt, "closed");
    SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)1, 0);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"update moment set b = 'x' where a > 4", SQL_NTS));
    position(stmt, "updated");
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"selekt", SQL_NTS));
    position(stmt, "failed");
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* What drivers say of attributes and fields whose values are addresses. */
static void addresses(int used)
{
    static SQLULEN cell[200];
    static const SQLINTEGER of_statement[] = {16, 17, 19, 20, 21, 23, 24, 25, 26, 10010, 10011, 10012, 10013, 15, 22, 30001};
    static const SQLINTEGER of_connection[] = {111, 118, 119, 1207, 1256};
    static const SQLINTEGER descriptors[] = {SQL_ATTR_APP_ROW_DESC, SQL_ATTR_IMP_ROW_DESC, SQL_ATTR_APP_PARAM_DESC, SQL_ATTR_IMP_PARAM_DESC};
    static const SQLSMALLINT fields[] = {SQL_DESC_DATA_PTR, SQL_DESC_INDICATOR_PTR, SQL_DESC_OCTET_LENGTH_PTR, SQL_DESC_ARRAY_STATUS_PTR,
        SQL_DESC_BIND_OFFSET_PTR, SQL_DESC_ROWS_PROCESSED_PTR};
    SQLHSTMT stmt = statement();
    char what[60];
    if (used)
        ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select 1", SQL_NTS)), SQLFreeStmt(stmt, SQL_CLOSE);
    for (size_t i = 0; i < sizeof of_statement / sizeof *of_statement; i++) {
        SQLINTEGER which = of_statement[i];
        SQLPOINTER value = which > 10000 ? NULL : which == 15 || which == 22 ? (SQLPOINTER)1 : cell;
        snprintf(what, sizeof what, "attribute %d", (int)which);
        tell(what, SQLSetStmtAttr(stmt, which, value, SQL_IS_POINTER), SQL_HANDLE_STMT, stmt);
    }
    for (size_t i = 0; i < sizeof of_connection / sizeof *of_connection; i++) {
        SQLPOINTER value = NULL;
        snprintf(what, sizeof what, "connection's %d", (int)of_connection[i]);
        tell(what, SQLSetConnectAttr(dbc, of_connection[i], NULL, SQL_IS_POINTER), SQL_HANDLE_DBC, dbc);
        tell(what, SQLGetConnectAttr(dbc, of_connection[i], &value, 0, NULL), SQL_HANDLE_DBC, dbc);
    }
    for (int i = 0; i < 4; i++) {
        SQLHDESC descriptor = NULL;
        SQLGetStmtAttr(stmt, descriptors[i], &descriptor, 0, NULL);
        for (int j = 0; j < 6; j++) {
            snprintf(what, sizeof what, "descriptor %d, field %d", i, fields[j]);
            tell(what, SQLSetDescField(descriptor, fields[j] > 1000 ? 1 : 0, fields[j], cell, SQL_IS_POINTER), SQL_HANDLE_DESC, descriptor);
        }
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void names(int used)
{
    static const struct { const char *name; SQLSMALLINT length; } given[] = {{"MYNAME", 6}, {"MYNAME", 6}, {"MYNAME", 2}, {"OTHER", SQL_NTS}};
    SQLHSTMT stmt = statement();
    if (used)
        ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select 1", SQL_NTS)), SQLFreeStmt(stmt, SQL_CLOSE);
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        char name[40] = "";
        SQLSMALLINT length = -7;
        ON(stmt, SQLSetCursorName(stmt, (SQLCHAR *)given[i].name, given[i].length));
        ON(stmt, SQLGetCursorName(stmt, (SQLCHAR *)name, sizeof name, &length));
        printf("    '%s' %d\n", sqlite ? "an address" : name, length); /* SQLite's driver takes no names */
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* Behind a text's end, and in the length of a number, is something else in every run. */
static void bytes_that_do_not_count(void)
{
    SQLHSTMT stmt = statement();
    union { char text[64]; SQLWCHAR wide[32]; SQLINTEGER number; SQLSMALLINT small; SQL_DATE_STRUCT date; } sent;
    static const struct { const char *what; SQLSMALLINT c_type, sql_type; } all[] = {{"text to its end", SQL_C_CHAR, SQL_VARCHAR},
        {"text by its length", SQL_C_CHAR, SQL_VARCHAR}, {"wide text", SQL_C_WCHAR, SQL_WVARCHAR}, {"of any type", SQL_C_DEFAULT, SQL_VARCHAR},
        {"number", SQL_C_SLONG, SQL_INTEGER}, {"small number", SQL_C_SHORT, SQL_SMALLINT}, {"date", SQL_C_TYPE_DATE, SQL_TYPE_DATE}};
    for (int i = 0; i < (int)(sizeof all / sizeof *all); i++) {
        char text[60] = "";
        SQLLEN length = i == 1 ? 3 : i < 4 ? SQL_NTS : getpid();
        memset(&sent, getpid(), sizeof sent);
        switch (i) {
        case 0: case 1: case 3: strcpy(sent.text, "abc"); break;
        case 2: sent.wide[0] = 'a', sent.wide[1] = 'b', sent.wide[2] = 0; break;
        case 4: sent.number = 7; break;
        case 5: sent.small = 7; break;
        default: sent.date.year = 2024, sent.date.month = 2, sent.date.day = 29;
        }
        printf("%s\n", all[i].what);
        ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, all[i].c_type, all[i].sql_type, 20, 0, &sent, sizeof sent, &length));
        ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select ?", SQL_NTS));
        ON(stmt, SQLFetch(stmt));
        ON(stmt, SQLGetData(stmt, 1, SQL_C_CHAR, text, sizeof text, NULL));
        printf("    %s\n", text);
        SQLFreeStmt(stmt, SQL_CLOSE);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* The user's name, as the driver and the server say it, goes on into a text and an argument. */
static void user_of_the_source(void)
{
    SQLHSTMT stmt = statement();
    char name[60] = "", text[200] = "";
    SQLSMALLINT length = -7;
    ON_DBC(SQLGetInfo(dbc, SQL_USER_NAME, name, sizeof name, &length));
    printf("    %s %d\n", name, length);
    snprintf(text, sizeof text, "select 1 where 'x' <> '%s'", name);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)text, SQL_NTS));
    SQLFreeStmt(stmt, SQL_CLOSE);
    ON(stmt, SQLTables(stmt, NULL, 0, NULL, 0, (SQLCHAR *)name, SQL_NTS, NULL, 0));
    SQLFreeStmt(stmt, SQL_CLOSE);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select current_user", SQL_NTS));
    ON(stmt, SQLFetch(stmt));
    ON(stmt, SQLGetData(stmt, 1, SQL_C_CHAR, text, sizeof text, NULL));
    printf("    %s\n", text);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* SQLite's driver cuts the text that it is asked about: the next question is about the text as it was given. */
static void cut_input(void)
{
    for (SQLINTEGER room = 3; room < 70; room *= 4) {
        char sql[64] = "select 'abcdef'", out[64] = "";
        SQLINTEGER length = -7;
        ON_DBC(SQLNativeSql(dbc, (SQLCHAR *)sql, SQL_NTS, (SQLCHAR *)out, room, &length));
        printf("    %d: '%s' (%d)\n", (int)room, out, (int)length);
    }
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    sqlite = !strcmp(dialect, "sqlite"), mariadb = !strcmp(dialect, "mariadb");
    connect_or_exit();
    execute("create table moment (a integer, b varchar(30))");
    for (int i = 1; i <= 7; i++) {
        char sql[80];
        snprintf(sql, sizeof sql, "insert into moment values (%d, 'row %d')", i, i);
        execute(sql);
    }
    life(!mariadb); /* whose driver crashes when it is asked then */
    moved();
    addresses(0), addresses(1);
    names(0), names(1);
    bytes_that_do_not_count();
    if (!sqlite)
        user_of_the_source();
    cut_input();
    return done();
}
