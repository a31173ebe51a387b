/* Forty sets of parameters in one execution; with the argument `changed` one value of the twentieth set is another. */
#include "report.h"

int main(int argc, char **argv)
{
    enum { SETS = 40 };
    SQLINTEGER id[SETS];
    char name[SETS][16];
    SQLLEN length[SETS];
    arguments(argc, argv);
    connect_or_exit();
    execute("create table forty (id integer, name varchar(16))");
    for (int i = 0; i < SETS; i++) {
        id[i] = i + 1, length[i] = i == 4 ? SQL_NULL_DATA : SQL_NTS;
        snprintf(name[i], sizeof name[i], i == 6 ? "a, \"b\"" : "name %d", i + 1);
    }
    if (!strcmp(extra, "changed"))
        strcpy(name[19], "another");
    SQLHSTMT stmt = statement();
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)SETS, 0));
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"insert into forty (id, name) values (?, ?)", SQL_NTS));
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, id, 0, NULL));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 16, 0, name, sizeof name[0], length));
    ON(stmt, SQLExecute(stmt));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    query("select count(*) from forty");
    return done();
}
