/* What an application does again and again, in four rounds: none of it may keep memory in the last two. */
#include "report.h"
#include <malloc.h>

static SQLHSTMT stmt;

static void statement_attributes(int i)
{
    SQLULEN value;
    SQLSetStmtAttr(stmt, SQL_ATTR_MAX_ROWS, (SQLPOINTER)(SQLULEN)(i % 3), 0);
    SQLSetStmtAttr(stmt, SQL_ATTR_QUERY_TIMEOUT, (SQLPOINTER)(SQLULEN)(i % 5), 0);
    SQLGetStmtAttr(stmt, SQL_ATTR_MAX_ROWS, &value, 0, NULL);
}

static void connection_attributes(int i)
{
    SQLUINTEGER value;
    SQLSetConnectAttr(dbc, SQL_ATTR_CONNECTION_TIMEOUT, (SQLPOINTER)(SQLULEN)(i % 3), 0);
    SQLGetConnectAttr(dbc, SQL_ATTR_CONNECTION_TIMEOUT, &value, 0, NULL);
    SQLSetConnectAttr(dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)(SQLULEN)(i % 2), 0);
    SQLEndTran(SQL_HANDLE_DBC, dbc, i % 2 ? SQL_COMMIT : SQL_ROLLBACK);
}

static void environment_attributes(int i)
{
    SQLINTEGER value;
    (void)i;
    SQLSetEnvAttr(env, SQL_ATTR_OUTPUT_NTS, (SQLPOINTER)SQL_TRUE, 0);
    SQLGetEnvAttr(env, SQL_ATTR_ODBC_VERSION, &value, 0, NULL);
}

static void handles(int i)
{
    SQLHSTMT other;
    SQLHDESC descriptor;
    (void)i;
    SQLAllocHandle(SQL_HANDLE_STMT, dbc, &other);
    SQLFreeHandle(SQL_HANDLE_STMT, other);
    SQLAllocHandle(SQL_HANDLE_DESC, dbc, &descriptor);
    SQLFreeHandle(SQL_HANDLE_DESC, descriptor);
    SQLGetStmtAttr(stmt, SQL_ATTR_APP_ROW_DESC, &descriptor, 0, NULL);
    SQLSetDescField(descriptor, 1, SQL_DESC_TYPE, (SQLPOINTER)SQL_C_SLONG, 0);
}

static void bindings(int i)
{
    static SQLINTEGER value;
    static SQLLEN length;
    SQLBindCol(stmt, 1 + i % 5, SQL_C_SLONG, &value, sizeof value, &length);
    SQLFreeStmt(stmt, SQL_UNBIND);
    SQLBindParameter(stmt, 1 + i % 3, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &value, 0, &length);
    SQLFreeStmt(stmt, SQL_RESET_PARAMS);
    SQLCancel(stmt);
}

static void one_statement(int i)
{
    (void)i;
    SQLExecDirect(stmt, (SQLCHAR *)"select 1", SQL_NTS);
    while (SQL_SUCCEEDED(SQLFetch(stmt)))
        ;
    SQLFreeStmt(stmt, SQL_CLOSE);
}

static void new_statements(int i)
{
    SQLHSTMT other;
    SQLINTEGER number = i % 4;
    char text[16];
    SQLLEN length;
    SQLSMALLINT count;
    SQLAllocHandle(SQL_HANDLE_STMT, dbc, &other);
    SQLPrepare(other, (SQLCHAR *)"select 1 + ?", SQL_NTS);
    SQLBindParameter(other, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &number, 0, NULL);
    SQLExecute(other);
    SQLNumResultCols(other, &count);
    while (SQL_SUCCEEDED(SQLFetch(other)))
        SQLGetData(other, 1, SQL_C_CHAR, text, sizeof text, &length);
    SQLFreeHandle(SQL_HANDLE_STMT, other);
}

static void read_diagnostics(SQLSMALLINT type, SQLHANDLE handle)
{
    SQLCHAR state[6], text[300];
    SQLINTEGER native;
    SQLSMALLINT length;
    SQLGetDiagRec(type, handle, 1, state, &native, text, sizeof text, &length);
}

static void failures(int i)
{
    SQLUSMALLINT value;
    (void)i;
    SQLExecDirect(stmt, (SQLCHAR *)"select nothing from nowhere", SQL_NTS);
    read_diagnostics(SQL_HANDLE_STMT, stmt);
    SQLFreeStmt(stmt, SQL_CLOSE);
    SQLGetInfo(dbc, 60000, &value, sizeof value, NULL);
    SQLSetConnectAttr(dbc, 99999, (SQLPOINTER)1, 0);
    read_diagnostics(SQL_HANDLE_DBC, dbc);
    SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_ROLLBACK);
}

static void questions(int i)
{
    char text[100];
    SQLSMALLINT length;
    SQLGetInfo(dbc, i % 2 ? SQL_DBMS_NAME : SQL_DATABASE_NAME, text, sizeof text, &length);
    SQLTables(stmt, NULL, 0, NULL, 0, (SQLCHAR *)"nothing", SQL_NTS, NULL, 0);
    while (SQL_SUCCEEDED(SQLFetch(stmt)))
        ;
    SQLFreeStmt(stmt, SQL_CLOSE);
}

static void connections(int i)
{
    SQLHDBC other;
    SQLHSTMT its;
    (void)i;
    SQLAllocHandle(SQL_HANDLE_DBC, env, &other);
    SQLDriverConnect(other, NULL, (SQLCHAR *)connection_string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
    SQLAllocHandle(SQL_HANDLE_STMT, other, &its);
    SQLExecDirect(its, (SQLCHAR *)"select 1", SQL_NTS);
    SQLFreeHandle(SQL_HANDLE_STMT, its);
    SQLDisconnect(other);
    SQLDriverConnect(other, NULL, (SQLCHAR *)"DSN=nowhere", SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
    SQLFreeHandle(SQL_HANDLE_DBC, other);
}

/* Each kind, how often, and how many bytes it may keep each time: a driver manager, a driver and the C library keep a little for a
   connection, and a replay remembers which one it was. */
static const struct {
    const char *name;
    void (*kind)(int);
    int times, allowed;
} KINDS[] = {
    {"statement attributes", statement_attributes, 4000, 2},
    {"connection attributes", connection_attributes, 500, 8},
    {"environment attributes", environment_attributes, 4000, 2},
    {"handles", handles, 4000, 2},
    {"bindings", bindings, 4000, 2},
    {"one statement", one_statement, 500, 8},
    {"new statements", new_statements, 500, 8},
    {"failures", failures, 150, 8},
    {"questions", questions, 150, 8},
    {"connections", connections, 30, 200},
};

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    stmt = statement();
    /* What is done before the first statement is kept until that names its trace, or does not. */
    one_statement(0);
    for (size_t at = 0; at < sizeof KINDS / sizeof *KINDS; at++) {
        long kept = 0;
        for (int round = 0; round < 4; round++) {
            long before = mallinfo2().uordblks;
            for (int i = 0; i < KINDS[at].times; i++)
                KINDS[at].kind(i);
            long grown = (long)mallinfo2().uordblks - before;
            /* A table, of the C library's or of anybody's, doubles in one of two rounds; a leak shows in both. */
            kept = round == 3 && kept < grown ? kept : grown;
        }
        if (kept > (long)KINDS[at].times * KINDS[at].allowed + 4096)
            printf("%s: %ld bytes are kept by %d\n", KINDS[at].name, kept, KINDS[at].times);
        else
            printf("%s: nothing is kept\n", KINDS[at].name);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
