/* Every kind of command, one after the other. A command that fails is told on standard error and tried again, once; mode `careless`
   ignores every error, mode `reconnects` connects again when the connection is lost and goes on where it was.
   Arguments: the connection string, the mode. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sql.h>
#include <sqlext.h>

static SQLHENV env;
static SQLHDBC dbc;
static SQLHSTMT stmt;
static const char *connection_string, *mode;
static int tries;

static int is_lost(SQLSMALLINT type, SQLHANDLE handle, const char *what)
{
    SQLCHAR state[6] = "", text[512] = "";
    SQLINTEGER native = 0;
    SQLUINTEGER dead = SQL_CD_FALSE;
    SQLGetDiagRec(type, handle, 1, state, &native, text, sizeof text, NULL);
    for (SQLCHAR *at = text; *at; at++)
        if (*at == '\n')
            *at = ' ';
    if (type != SQL_HANDLE_DBC || strcmp(what, "connect"))
        SQLGetConnectAttr(dbc, SQL_ATTR_CONNECTION_DEAD, &dead, 0, NULL);
    fprintf(stderr, "%s: %s %s%s\n", what, state, dead == SQL_CD_TRUE ? "dead " : "", text);
    return dead == SQL_CD_TRUE || !strncmp((char *)state, "08S", 3);
}

static SQLRETURN open_connection(void)
{
    SQLRETURN rc;
    SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
    rc = SQLDriverConnect(dbc, NULL, (SQLCHAR *)connection_string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
    if (!SQL_SUCCEEDED(rc)) {
        is_lost(SQL_HANDLE_DBC, dbc, "connect");
        SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    }
    return rc;
}

static void connect_again(void)
{
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    SQLDisconnect(dbc);
    SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    if (!SQL_SUCCEEDED(open_connection()))
        exit(5);
    SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt);
}

/* Whether to try again. */
static int again(SQLRETURN rc, SQLSMALLINT type, const char *what)
{
    if (rc != SQL_ERROR)
        return 0;
    if (is_lost(type, type == SQL_HANDLE_DBC ? dbc : stmt, what) && !strcmp(mode, "reconnects"))
        connect_again();
    if (!strcmp(mode, "careless"))
        return 0;
    if (++tries > 1)
        exit(4);
    return 1;
}

#define DO(type, call) \
    do \
        rc = (call); \
    while (again(rc, type, #call))
#define ON_DBC(call) DO(SQL_HANDLE_DBC, call)
#define ON_STMT(call) DO(SQL_HANDLE_STMT, call)

static void rows(void)
{
    SQLCHAR text[64];
    SQLLEN length;
    SQLRETURN rc;
    for (int row = 0; row < 50; row++) {
        ON_STMT(SQLFetch(stmt));
        if (!SQL_SUCCEEDED(rc))
            return;
        if (SQL_SUCCEEDED(SQLGetData(stmt, 1, SQL_C_CHAR, text, sizeof text, &length)))
            printf("%s\n", length == SQL_NULL_DATA ? "null" : (char *)text);
    }
}

int main(int argc, char **argv)
{
    SQLRETURN rc;
    SQLINTEGER least = 2;
    connection_string = argc > 1 ? argv[1] : "", mode = argc > 2 ? argv[2] : "";
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    if (!SQL_SUCCEEDED(open_connection()) && !SQL_SUCCEEDED(open_connection()))
        return 1;
    ON_DBC(SQLSetConnectAttr(dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_OFF, 0));
    SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt);
    ON_STMT(SQLExecDirect(stmt, (SQLCHAR *)"insert into shelf values ('middle', 5)", SQL_NTS));
    ON_DBC(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_COMMIT));
    ON_STMT(SQLExecDirect(stmt, (SQLCHAR *)"delete from shelf where name = 'lower'", SQL_NTS));
    ON_DBC(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_ROLLBACK));
    ON_STMT(SQLPrepare(stmt, (SQLCHAR *)"select name from shelf where amount >= ? order by name", SQL_NTS));
    SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &least, 0, NULL);
    ON_STMT(SQLExecute(stmt));
    rows();
    ON_STMT(SQLMoreResults(stmt));
    SQLFreeStmt(stmt, SQL_CLOSE);
    ON_STMT(SQLTables(stmt, NULL, 0, NULL, 0, (SQLCHAR *)"shelf", SQL_NTS, NULL, 0));
    SQLFreeStmt(stmt, SQL_CLOSE);
    ON_DBC(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_COMMIT));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    SQLDisconnect(dbc);
    SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    printf("done: everything was asked\n");
    return 0;
}
