/* PostgreSQL's cursors as results: a procedure that opens two gives an output value and, if psqlodbc is told so, two results of different
 * columns, in a transaction and out of one. */
#include "report.h"

static void call(const char *option, SQLULEN autocommit)
{
    static char string[1000];
    snprintf(string, sizeof string, "%s%s;", connection_string, option);
    connection_string = string;
    printf("%s, autocommit %lu\n", option, (unsigned long)autocommit);
    connect_or_exit();
    ON_DBC(SQLSetConnectAttr(dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)autocommit, 0));
    SQLHSTMT stmt = statement();
    SQLINTEGER opened = 0;
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT_OUTPUT, SQL_C_LONG, SQL_INTEGER, 0, 0, &opened, 0, NULL));
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"call opening(?)", SQL_NTS));
    SQLRETURN rc = ON(stmt, SQLExecute(stmt));
    printf("    opened %d\n", (int)opened);
    for (int result = 0; result < 4 && SQL_SUCCEEDED(rc); result++) {
        rows(stmt);
        rc = ON(stmt, SQLMoreResults(stmt));
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    ON_DBC(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_ROLLBACK));
    SQLDisconnect(dbc);
    SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    SQLFreeHandle(SQL_HANDLE_ENV, env);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    const char *given = connection_string;
    connect_or_exit();
    execute("create table held (id integer, t varchar(20))");
    execute("insert into held values (1, 'one'), (2, 'two'), (3, null)");
    execute("create procedure opening(inout n integer, inout a refcursor default 'a', inout b refcursor default 'b') language plpgsql as "
            "$$ begin n := 2; open a for select id, t from held order by id; open b for select t from held order by id desc; end $$");
    SQLDisconnect(dbc);
    SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    call("FetchRefcursors=0", SQL_AUTOCOMMIT_ON);
    connection_string = given;
    call("FetchRefcursors=1", SQL_AUTOCOMMIT_ON);
    connection_string = given;
    call("FetchRefcursors=1", SQL_AUTOCOMMIT_OFF);
    printf("done: everything was asked\n");
    return 0;
}
