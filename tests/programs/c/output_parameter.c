/* A parameter a procedure writes to: bound as output, or as input and output (the argument says which). */
#include "report.h"

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute("create table called (n integer)");
    execute(by_dialect("select 1", "create procedure twice(inout n integer) language plpgsql as 'begin insert into called values (n); n := n * 2; end'",
                       "create procedure twice(inout n integer) begin insert into called values (n); set n = n * 2; end"));
    SQLHSTMT stmt = statement();
    SQLINTEGER value = 21;
    SQLLEN length = 0;
    SQLSMALLINT direction = !strcmp(extra, "output") ? SQL_PARAM_OUTPUT : SQL_PARAM_INPUT_OUTPUT;
    ON(stmt, SQLBindParameter(stmt, 1, direction, SQL_C_SLONG, SQL_INTEGER, 0, 0, &value, 0, &length));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"{call twice(?)}", SQL_NTS));
    printf("    value %d\n", (int)value);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
