/* The driver manager's cursor library: it scrolls over plain fetches of the driver. */
#include "report.h"

static SQLINTEGER id[3];
static char name[3][16];
static SQLLEN lengths[2][3];
static SQLUSMALLINT status[3];
static SQLULEN fetched;

static void go(SQLHSTMT stmt, const char *what, SQLSMALLINT orientation, SQLLEN offset)
{
    memset(id, 0, sizeof id), memset(name, 0, sizeof name), memset(status, FILLER, sizeof status), fetched = 77;
    SQLRETURN rc = tell(what, SQLFetchScroll(stmt, orientation, offset), SQL_HANDLE_STMT, stmt);
    for (SQLULEN row = 0; SQL_SUCCEEDED(rc) && row < 3; row++)
        printf("    %d %s (%x)\n", (int)id[row], name[row], status[row]);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
    ON_DBC(SQLSetConnectAttr(dbc, SQL_ATTR_ODBC_CURSORS, (SQLPOINTER)SQL_CUR_USE_ODBC, 0));
    if (!SQL_SUCCEEDED(ON_DBC(SQLDriverConnect(dbc, NULL, (SQLCHAR *)connection_string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT))))
        return 1;
    execute("create table book (id integer primary key, name varchar(15))");
    execute("insert into book values (1, 'one')");
    execute("insert into book values (2, 'two')");
    execute("insert into book values (3, 'three')");
    execute("insert into book values (4, 'four')");
    execute("insert into book values (5, 'five')");
    SQLHSTMT stmt = statement();
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_STATIC, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)3, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_STATUS_PTR, status, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0));
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, id, sizeof id[0], lengths[0]));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, name, sizeof name[0], lengths[1]));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select id, name from book order by id", SQL_NTS));
    go(stmt, "first", SQL_FETCH_FIRST, 0);
    go(stmt, "next", SQL_FETCH_NEXT, 0);
    go(stmt, "prior", SQL_FETCH_PRIOR, 0);
    go(stmt, "absolute 2", SQL_FETCH_ABSOLUTE, 2);
    go(stmt, "last", SQL_FETCH_LAST, 0);
    go(stmt, "next", SQL_FETCH_NEXT, 0);
    go(stmt, "relative -3", SQL_FETCH_RELATIVE, -3);
    ON(stmt, SQLSetPos(stmt, 2, SQL_POSITION, SQL_LOCK_NO_CHANGE));
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
    return done();
}
