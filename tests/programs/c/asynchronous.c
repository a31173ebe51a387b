/* Calls that say SQL_STILL_EXECUTING and are made again: on statements, on a connection; cancelled; with other calls in between. First
 * without a driver manager: unixODBC takes some functions that were polled for still executing when they are done, and refuses the next ones. */
#include "by_library.h"
#include "report.h"

static int polls;

/* Makes a call until it is done. */
#define POLLED(stmt, call)                                                                                                                                     \
    ({                                                                                                                                                         \
        SQLRETURN now;                                                                                                                                         \
        for (polls = 0; (now = (call)) == SQL_STILL_EXECUTING && polls < 100; polls++)                                                                         \
            ;                                                                                                                                                  \
        printf("%d polls: ", polls);                                                                                                                           \
        tell(#call, now, SQL_HANDLE_STMT, stmt);                                                                                                               \
    })

static void on(SQLHSTMT stmt)
{
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ASYNC_ENABLE, (SQLPOINTER)SQL_ASYNC_ENABLE_ON, 0));
}

static void result(SQLHSTMT stmt)
{
    SQLSMALLINT columns = -77, length = -77, type = -77, digits = -77, nullable = -77;
    SQLULEN size = 777;
    SQLCHAR name[20 + GUARD];
    POLLED(stmt, SQLNumResultCols(stmt, &columns));
    printf("    %d columns\n", columns);
    filled(name, 20);
    POLLED(stmt, SQLDescribeCol(stmt, 2, name, 20, &length, &type, &size, &digits, &nullable));
    written("name", name, 20, 6);
    printf("    %d %d %lu %d %d\n", length, type, (unsigned long)size, digits, nullable);
    for (;;) {
        SQLCHAR text[20 + GUARD];
        SQLLEN indicator = -77;
        if (!SQL_SUCCEEDED(POLLED(stmt, SQLFetch(stmt))))
            break;
        filled(text, 20);
        POLLED(stmt, SQLGetData(stmt, 2, SQL_C_CHAR, text, 4, &indicator));
        written("text", text, 20, 5);
        printf("    %ld\n", (long)indicator);
        POLLED(stmt, SQLGetData(stmt, 2, SQL_C_CHAR, text, 20, &indicator));
        written("text", text, 20, 5);
    }
}

static void direct(void)
{
    SQLHSTMT stmt = statement();
    on(stmt);
    POLLED(stmt, SQLExecDirect(stmt, (SQLCHAR *)"polls 3; rows 3", SQL_NTS));
    result(stmt);
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    POLLED(stmt, SQLExecDirect(stmt, (SQLCHAR *)"fails 42000 after a while", SQL_NTS));
    POLLED(stmt, SQLTables(stmt, NULL, 0, NULL, 0, (SQLCHAR *)"t", SQL_NTS, NULL, 0));
    result(stmt);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* Bound buffers are filled when the fetch is done. */
static void bound(void)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER n = -77;
    SQLLEN n_length = -77, name_length = -77;
    SQLULEN fetched = 777;
    SQLUSMALLINT status = 777;
    SQLCHAR name[20 + GUARD];
    filled(name, 20);
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_DEFAULT, &n, sizeof n, &n_length));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, name, 20, &name_length));
    on(stmt);
    POLLED(stmt, SQLPrepare(stmt, (SQLCHAR *)"polls 1; rows 4", SQL_NTS));
    for (int i = 0; i < 2; i++) {
        POLLED(stmt, SQLExecute(stmt));
        while (SQL_SUCCEEDED(POLLED(stmt, SQLFetch(stmt)))) {
            printf("    %d (%ld) ", (int)n, (long)n_length);
            written("name", name, 20, 6);
            printf("    (%ld) %lu %d\n", (long)name_length, (unsigned long)fetched, status);
        }
        ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void parameters(void)
{
    SQLHSTMT stmt = statement();
    SQLLEN sent = SQL_DATA_AT_EXEC, length = -77, number_length = -77;
    SQLCHAR text[20 + GUARD];
    SQLINTEGER number = -77;
    SQLPOINTER token = NULL;
    on(stmt);
    filled(text, 20);
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 20, 0, (SQLPOINTER)9, 0, &sent));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_OUTPUT, SQL_C_CHAR, SQL_VARCHAR, 20, 0, text, 20, &length));
    ON(stmt, SQLBindParameter(stmt, 3, SQL_PARAM_OUTPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &number, 0, &number_length));
    POLLED(stmt, SQLExecDirect(stmt, (SQLCHAR *)"? ? ?; polls 2; value 2 came back; value 3 12; count 1", SQL_NTS));
    POLLED(stmt, SQLParamData(stmt, &token));
    printf("    token %ld\n", (long)token);
    POLLED(stmt, SQLPutData(stmt, "one ", 4));
    POLLED(stmt, SQLPutData(stmt, !strcmp(extra, "changed") ? "TWO" : "two", 3));
    POLLED(stmt, SQLParamData(stmt, &token));
    written("text", text, 20, 10);
    printf("    %ld, number %d %ld\n", (long)length, (int)number, (long)number_length);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* Another call meanwhile is refused; cancelling is not, and shows at the next poll. */
static void meanwhile(void)
{
    SQLHSTMT stmt = statement(), other = statement();
    SQLLEN count = -77;
    on(stmt), on(other);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"polls 4; rows 1", SQL_NTS));
    ON(other, SQLExecDirect(other, (SQLCHAR *)"polls 1; count 7", SQL_NTS));
    ON(stmt, SQLFetch(stmt));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ASYNC_ENABLE, (SQLPOINTER)SQL_ASYNC_ENABLE_OFF, 0));
    POLLED(other, SQLExecDirect(other, (SQLCHAR *)"polls 1; count 7", SQL_NTS));
    SQLRowCount(other, &count);
    printf("    row count %ld\n", (long)count);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"polls 4; rows 1", SQL_NTS));
    ON(stmt, SQLCancel(stmt));
    POLLED(stmt, SQLExecDirect(stmt, (SQLCHAR *)"polls 4; rows 1", SQL_NTS));
    POLLED(stmt, SQLExecDirect(stmt, (SQLCHAR *)"polls 2; rows 1", SQL_NTS));
    result(stmt);
    POLLED(stmt, SQLExecDirect(stmt, (SQLCHAR *)"deaf; polls 2; count 1", SQL_NTS));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"polls 2; rows 1", SQL_NTS));
    printf("row count %s", rc_name(SQLGetDiagField(SQL_HANDLE_STMT, stmt, 0, SQL_DIAG_ROW_COUNT, &count, 0, NULL)));
    printf(" %ld\n", (long)count);
    ON(stmt, SQLCancel(stmt));
    POLLED(stmt, SQLExecDirect(stmt, (SQLCHAR *)"polls 2; rows 1", SQL_NTS));
    result(stmt);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    SQLFreeHandle(SQL_HANDLE_STMT, other);
}

/* A call that is given up by closing the cursor leaves what it has not written as it was. A driver manager does not let that happen. */
static void given_up(void)
{
    SQLHSTMT stmt = statement();
    SQLULEN fetched = 777, processed = 777;
    SQLUSMALLINT status = 77, sent = 77;
    SQLINTEGER number = 5;
    on(stmt);
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_STATUS_PTR, &status, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAMS_PROCESSED_PTR, &processed, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAM_STATUS_PTR, &sent, 0));
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &number, 0, NULL));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"?; polls 3; rows 3", SQL_NTS));
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    printf("    processed %lu, state %d\n", (unsigned long)processed, sent);
    POLLED(stmt, SQLExecDirect(stmt, (SQLCHAR *)"?; polls 1; rows 3", SQL_NTS));
    ON(stmt, SQLFetch(stmt));
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    printf("    fetched %lu, state %d\n", (unsigned long)fetched, status);
    POLLED(stmt, SQLExecDirect(stmt, (SQLCHAR *)"?; polls 1; rows 1", SQL_NTS));
    POLLED(stmt, SQLFetch(stmt));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* For every statement of a connection. */
static void all(void)
{
    SQLHSTMT stmt = statement();
    POLLED(stmt, SQLExecDirect(stmt, (SQLCHAR *)"rows 1; count 2", SQL_NTS));
    result(stmt);
    POLLED(stmt, SQLMoreResults(stmt));
    POLLED(stmt, SQLMoreResults(stmt));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* Functions of the connection itself. */
static void connection(void)
{
    ON_DBC(SQLSetConnectAttr(dbc, SQL_ATTR_ASYNC_DBC_FUNCTIONS_ENABLE, (SQLPOINTER)SQL_ASYNC_DBC_ENABLE_ON, 0));
    for (int i = 0; i < 3; i++)
        ON_DBC(SQLSetConnectAttr(dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_OFF, 0));
    execute("count 1");
    for (int i = 0; i < 3; i++)
        ON_DBC(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_COMMIT));
    for (int i = 0; i < 3; i++)
        ON_DBC(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_ROLLBACK));
    ON_DBC(SQLSetConnectAttr(dbc, SQL_ATTR_ASYNC_DBC_FUNCTIONS_ENABLE, (SQLPOINTER)SQL_ASYNC_DBC_ENABLE_OFF, 0));
}

static void everything(const char *path, const char *string)
{
    printf("by %s\n", strcmp(path, library) ? "the driver manager" : "itself");
    open_library(path);
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    for (int before = 1; before >= 0; before--) {
        SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
        if (before)
            ON_DBC(SQLSetConnectAttr(dbc, SQL_ATTR_ASYNC_ENABLE, (SQLPOINTER)SQL_ASYNC_ENABLE_ON, 0));
        ON_DBC(SQLDriverConnect(dbc, NULL, (SQLCHAR *)string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT));
        if (before) {
            all();
        } else {
            connection();
            direct();
            bound();
            parameters();
            meanwhile();
            if (!strcmp(path, library))
                given_up();
            ON_DBC(SQLSetConnectAttr(dbc, SQL_ATTR_ASYNC_ENABLE, (SQLPOINTER)SQL_ASYNC_ENABLE_ON, 0));
            all();
        }
        ON_DBC(SQLDisconnect(dbc));
        SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    }
    SQLFreeHandle(SQL_HANDLE_ENV, env);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    everything(library, driver_string);
    everything("libodbc.so.2", connection_string);
    printf("done: everything was asked\n");
    return 0;
}
