/* What a C program does on SQL Server, and its drivers do in their own way: rows in blocks, parameter arrays, data at execution, long values
   in pieces, fields of diagnostics and columns that only Microsoft's driver has, several results, a login that fails. */
#include "report.h"

enum {
    SQL_DIAG_SS_MSGSTATE = -1150,
    SQL_DIAG_SS_SEVERITY = -1151,
    SQL_DIAG_SS_SRVNAME = -1152,
    SQL_DIAG_SS_LINE = -1154,
    SQL_CA_SS_COLUMN_SSTYPE = 1200,
    SQL_CA_SS_COLUMN_HIDDEN = 1211,
    SQL_COPT_SS_MARS_ENABLED = 1224,
    SQL_SOPT_SS_QUERYNOTIFICATION_TIMEOUT = 1233,
};

static SQLHSTMT stmt;

static void told(const char *what, SQLRETURN rc)
{
    printf("%s -> %s\n", what, rc_name(rc));
    if (rc == SQL_SUCCESS || rc == SQL_NO_DATA || rc == SQL_NEED_DATA)
        return;
    diagnostics(SQL_HANDLE_STMT, stmt);
    static const SQLSMALLINT fields[] = {SQL_DIAG_SS_MSGSTATE, SQL_DIAG_SS_SEVERITY, SQL_DIAG_SS_LINE};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        SQLINTEGER number = -77;
        SQLRETURN got = SQLGetDiagField(SQL_HANDLE_STMT, stmt, 1, fields[i], &number, SQL_IS_INTEGER, NULL);
        printf("    field %d -> %s %d\n", fields[i], rc_name(got), SQL_SUCCEEDED(got) ? (int)number : 0);
    }
    SQLCHAR server[100] = "";
    SQLRETURN got = SQLGetDiagField(SQL_HANDLE_STMT, stmt, 1, SQL_DIAG_SS_SRVNAME, server, sizeof server, NULL);
    printf("    server -> %s %s\n", rc_name(got), SQL_SUCCEEDED(got) ? (char *)server : "");
}

static void run(const char *sql)
{
    told(sql, SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS));
    SQLLEN count = -77;
    SQLRETURN rc = SQLRowCount(stmt, &count);
    printf("    rows %s %ld\n", rc_name(rc), (long)count);
    SQLFreeStmt(stmt, SQL_CLOSE);
}

static void columns(void)
{
    SQLSMALLINT count = 0;
    SQLNumResultCols(stmt, &count);
    for (SQLUSMALLINT column = 1; column <= count; column++) {
        SQLCHAR name[50] = "", type[50] = "";
        SQLSMALLINT data_type = 0, digits = 0, nullable = 0;
        SQLULEN size = 0;
        SQLLEN native = -77, hidden = -77;
        SQLDescribeCol(stmt, column, name, sizeof name, NULL, &data_type, &size, &digits, &nullable);
        SQLColAttribute(stmt, column, SQL_DESC_TYPE_NAME, type, sizeof type, NULL, NULL);
        SQLRETURN rc = SQLColAttribute(stmt, column, SQL_CA_SS_COLUMN_SSTYPE, NULL, 0, NULL, &native);
        SQLRETURN rc2 = SQLColAttribute(stmt, column, SQL_CA_SS_COLUMN_HIDDEN, NULL, 0, NULL, &hidden);
        printf("column %s %d %lu %d %d %s, %s %ld, %s %ld\n", name, data_type, (unsigned long)size, digits, nullable, type, rc_name(rc),
            SQL_SUCCEEDED(rc) ? (long)native : 0, rc_name(rc2), SQL_SUCCEEDED(rc2) ? (long)hidden : 0);
    }
}

static void blocks(void)
{
    enum { ROWS = 3 };
    SQLINTEGER ids[ROWS];
    SQLWCHAR names[ROWS][21];
    double prices[ROWS];
    SQLLEN lengths[3][ROWS];
    SQLUSMALLINT states[ROWS];
    SQLULEN fetched = 77;
    SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)ROWS, 0);
    SQLSetStmtAttr(stmt, SQL_ATTR_ROW_STATUS_PTR, states, 0);
    SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0);
    told("select", SQLExecDirect(stmt, (SQLCHAR *)"select id, name, price from fruit order by id", SQL_NTS));
    columns();
    SQLBindCol(stmt, 1, SQL_C_SLONG, ids, 0, lengths[0]);
    SQLBindCol(stmt, 2, SQL_C_WCHAR, names, sizeof *names, lengths[1]);
    SQLBindCol(stmt, 3, SQL_C_DOUBLE, prices, 0, lengths[2]);
    SQLRETURN rc;
    while (SQL_SUCCEEDED(rc = SQLFetch(stmt))) {
        printf("block %s %lu\n", rc_name(rc), (unsigned long)fetched);
        for (SQLULEN row = 0; row < fetched; row++)
            printf("    %d %ld %x %f %ld state %d\n", (int)ids[row], (long)lengths[1][row], lengths[1][row] > 0 ? names[row][0] : 0,
                lengths[2][row] == SQL_NULL_DATA ? 0 : prices[row], (long)lengths[2][row], states[row]);
    }
    told("end", rc);
    SQLFreeStmt(stmt, SQL_CLOSE);
    SQLFreeStmt(stmt, SQL_UNBIND);
    SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)1, 0);
    SQLSetStmtAttr(stmt, SQL_ATTR_ROW_STATUS_PTR, NULL, 0);
    SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, NULL, 0);
}

static void at_execution(void)
{
    SQLINTEGER id = 50;
    SQLLEN length = SQL_LEN_DATA_AT_EXEC(0);
    told("prepare", SQLPrepare(stmt, (SQLCHAR *)"insert into fruit (id, note) values (?, ?)", SQL_NTS));
    SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0, NULL);
    SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_LONGVARCHAR, 9000, 0, (SQLPOINTER)7, 0, &length);
    SQLRETURN rc = SQLExecute(stmt);
    told("execute", rc);
    SQLPOINTER token = NULL;
    while (rc == SQL_NEED_DATA && (rc = SQLParamData(stmt, &token)) == SQL_NEED_DATA)
        for (int piece = 0; piece < 3; piece++)
            told("piece", SQLPutData(stmt, (SQLPOINTER)"abcdefghij", 10));
    told("data", rc);
    SQLFreeStmt(stmt, SQL_CLOSE);
    SQLFreeStmt(stmt, SQL_RESET_PARAMS);
    told("select", SQLExecDirect(stmt, (SQLCHAR *)"select note from fruit where id = 50", SQL_NTS));
    told("fetch", SQLFetch(stmt));
    for (int piece = 0; piece < 6; piece++) {
        SQLCHAR text[12] = "";
        rc = SQLGetData(stmt, 1, SQL_C_CHAR, text, sizeof text, &length);
        printf("get %s %ld %s\n", rc_name(rc), (long)length, SQL_SUCCEEDED(rc) ? (char *)text : "");
        if (!SQL_SUCCEEDED(rc))
            break;
    }
    SQLFreeStmt(stmt, SQL_CLOSE);
}

static void prepared_again(void)
{
    SQLINTEGER id = 0;
    told("prepare", SQLPrepare(stmt, (SQLCHAR *)"select name from fruit where id = ?", SQL_NTS));
    SQLSMALLINT parameters = -7;
    SQLNumParams(stmt, &parameters);
    printf("parameters %d\n", parameters);
    SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0, NULL);
    for (id = 1; id < 4; id++) {
        SQLCHAR name[50] = "";
        SQLLEN length = -77;
        told("execute", SQLExecute(stmt));
        SQLRETURN rc = SQLFetch(stmt);
        SQLRETURN got = SQL_SUCCEEDED(rc) ? SQLGetData(stmt, 1, SQL_C_CHAR, name, sizeof name, &length) : SQL_ERROR;
        printf("    %s %s %s %ld\n", rc_name(rc), rc_name(got), name, (long)length);
        SQLFreeStmt(stmt, SQL_CLOSE);
    }
    SQLFreeStmt(stmt, SQL_RESET_PARAMS);
}

static void attributes(void)
{
    SQLULEN value = 77;
    SQLRETURN rc = SQLGetStmtAttr(stmt, SQL_SOPT_SS_QUERYNOTIFICATION_TIMEOUT, &value, 0, NULL);
    printf("notification timeout -> %s %lu\n", rc_name(rc), SQL_SUCCEEDED(rc) ? (unsigned long)(SQLUINTEGER)value : 0);
    value = 77;
    rc = SQLGetConnectAttr(dbc, SQL_COPT_SS_MARS_ENABLED, &value, 0, NULL);
    printf("several active results -> %s %lu\n", rc_name(rc), SQL_SUCCEEDED(rc) ? (unsigned long)(SQLUINTEGER)value : 0);
    SQLHSTMT other = NULL;
    told("select", SQLExecDirect(stmt, (SQLCHAR *)"select id from fruit", SQL_NTS));
    SQLFetch(stmt);
    SQLAllocHandle(SQL_HANDLE_STMT, dbc, &other);
    rc = SQLExecDirect(other, (SQLCHAR *)"select 1 as a", SQL_NTS);
    printf("a second result -> %s\n", rc_name(rc));
    if (!SQL_SUCCEEDED(rc))
        diagnostics(SQL_HANDLE_STMT, other);
    SQLFreeHandle(SQL_HANDLE_STMT, other);
    told("cancel", SQLCancel(stmt));
    SQLFreeStmt(stmt, SQL_CLOSE);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
    SQLRETURN rc = SQLConnect(dbc, (SQLCHAR *)source, SQL_NTS, (SQLCHAR *)user, SQL_NTS, (SQLCHAR *)"not it", SQL_NTS);
    printf("login -> %s\n", rc_name(rc));
    diagnostics(SQL_HANDLE_DBC, dbc);
    rc = SQLConnect(dbc, (SQLCHAR *)source, SQL_NTS, (SQLCHAR *)user, SQL_NTS, (SQLCHAR *)password, SQL_NTS);
    printf("login -> %s\n", rc_name(rc));
    diagnostics(SQL_HANDLE_DBC, dbc);
    SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt);
    run("create table fruit (id int primary key, name nvarchar(20), price float, note nvarchar(max))");
    run("insert into fruit values (1, 'apple', 1.5, null)");
    run("insert into fruit values (2, null, 0.25, null)");
    run("insert into fruit values (3, 'fig', null, null)");
    run("insert into fruit values (4, 'a name of twenty cha', 7, null)");
    run("insert into fruit (id) values (1)");
    run("select * from missing");
    run("print 'a message'");
    blocks();
    at_execution();
    prepared_again();
    attributes();
    told("several", SQLExecDirect(stmt, (SQLCHAR *)"select 1 as a; print 'between'; delete from fruit where id = 4; select 2 as b", SQL_NTS));
    for (int result = 0; result < 6; result++) {
        SQLSMALLINT count = -7;
        SQLLEN rows = -77;
        SQLNumResultCols(stmt, &count);
        SQLRowCount(stmt, &rows);
        printf("    columns %d rows %ld\n", count, (long)rows);
        rc = SQLMoreResults(stmt);
        told("more", rc);
        if (!SQL_SUCCEEDED(rc))
            break;
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    SQLSetConnectAttr(dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_OFF, 0);
    SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt);
    run("delete from fruit");
    printf("roll back %s\n", rc_name(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_ROLLBACK)));
    run("delete from fruit where id = 1");
    printf("commit %s\n", rc_name(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_COMMIT)));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    printf("disconnect %s\n", rc_name(SQLDisconnect(dbc)));
    SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    puts("done: everything was asked");
    return 0;
}
