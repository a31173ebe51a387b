/* A read that super8.yml names under `answers`, on which the result changes: it says so where the rows are read, and the program can
 * do nothing more. With "fails", it fails the second time. */
#include "report.h"

static void read_rate(const char *sql)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER rate = -1;
    SQLRETURN rc = SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS);
    tell("execute", rc, SQL_HANDLE_STMT, stmt);
    if (SQL_SUCCEEDED(rc)) {
        SQLBindCol(stmt, 1, SQL_C_SLONG, &rate, 0, NULL);
        rc = tell("fetch", SQLFetch(stmt), SQL_HANDLE_STMT, stmt);
        if (SQL_SUCCEEDED(rc))
            tell("end", SQLFetch(stmt), SQL_HANDLE_STMT, stmt);
        printf("    rate %d\n", (int)rate);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute("create table rates (rate integer)");
    execute("insert into rates values (7)");
    read_rate("select rate from rates");
    execute(strcmp(extra, "fails") ? "update rates set rate = 8" : "drop table rates");
    read_rate("select rate from rates");
    read_rate("select 1");
    return done();
}
