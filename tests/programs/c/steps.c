/* A few commands whose course one more argument changes: what tests need to see a replay refuse, or a recording die. */
#include "report.h"
#include <unistd.h>

static int is(const char *word)
{
    return !strcmp(extra, word);
}

static void find(const char *sql, SQLINTEGER low)
{
    SQLHSTMT stmt = statement();
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &low, 0, NULL));
    if (SQL_SUCCEEDED(ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS))))
        rows(stmt);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute("create table step (n integer, t varchar(20))");
    execute("insert into step values (1, 'first')");
    if (!is("missing"))
        execute("insert into step values (2, 'second')");
    if (is("wait")) {
        printf("ready to be killed\n");
        pause();
    }
    find(is("sql") ? "select n, t from step where n >= ? order by n" : "select n, t from step where n > ? order by n", is("param") ? 1 : 0);
    query(is("comment") ? "select count(*) from step /*traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-01'*/"
                        : "select count(*) from step");
    if (is("extra"))
        query("select max(n) from step");
    if (is("commit"))
        ON_DBC(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_COMMIT));
    if (is("exit"))
        _exit(3); /* no disconnect, no exit hooks */
    if (is("leave"))
        return 0; /* no disconnect, but exit hooks */
    query("select t from step where n = 1");
    return done();
}
