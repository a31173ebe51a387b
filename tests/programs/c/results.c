/* The life of a statement: several results, row counts, closing early, using it again, preparing again, idle cancel. */
#include "report.h"

static void fetch(SQLHSTMT stmt, int count)
{
    for (int i = 0; i < count; i++) {
        SQLINTEGER number = -7;
        SQLRETURN rc = SQLFetch(stmt);
        if (SQL_SUCCEEDED(rc))
            SQLGetData(stmt, 1, SQL_C_SLONG, &number, 0, NULL);
        printf("    fetch %s %d\n", rc_name(rc), (int)number);
    }
}

static void several_results(void)
{
    SQLHSTMT stmt = statement();
    const char *sql = by_dialect("select 1 union all select 2", "select 1 union all select 2; update number set n = n; select 'two', 3", "select 1 union all select 2");
    SQLRETURN rc = ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS));
    for (int result = 0; result < 6 && SQL_SUCCEEDED(rc); result++) {
        SQLLEN count = -99;
        rows(stmt);
        rc = SQLRowCount(stmt, &count);
        printf("  row count %s %ld\n", rc_name(rc), (long)count);
        rc = ON(stmt, SQLMoreResults(stmt));
    }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

static void counts(void)
{
    execute("update number set n = n + 1 where n > 3");
    execute("update number set n = 0 where n > 1000");
    execute("delete from number where n = 2");
    execute("delete from number where n = 2");
    execute("insert into number values (2)");
    execute("select n from number");
}

static void used_again(void)
{
    SQLHSTMT stmt = statement();
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select n from number order by n", SQL_NTS));
    fetch(stmt, 2);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select 77", SQL_NTS)); /* while a result is open */
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    ON(stmt, SQLCloseCursor(stmt)); /* nothing to close */
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select n from number order by n desc", SQL_NTS));
    fetch(stmt, 1);
    ON(stmt, SQLCloseCursor(stmt));
    ON(stmt, SQLFetch(stmt));
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"select n from number where n < ? order by n", SQL_NTS));
    SQLINTEGER high = 3;
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &high, 0, NULL));
    for (high = 2; high < 5; high++) {
        ON(stmt, SQLExecute(stmt));
        fetch(stmt, high);
        ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    }
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"select 'prepared anew'", SQL_NTS));
    ON(stmt, SQLFreeStmt(stmt, SQL_RESET_PARAMS));
    ON(stmt, SQLExecute(stmt));
    rows(stmt);
    ON(stmt, SQLCancel(stmt));
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    ON(stmt, SQLCancel(stmt));
    ON(stmt, SQLExecute(stmt));
    fetch(stmt, 3);
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

static void several_statements(void)
{
    SQLHSTMT a = statement(), b = statement();
    ON(a, SQLExecDirect(a, (SQLCHAR *)"select n from number order by n", SQL_NTS));
    fetch(a, 2);
    ON(b, SQLExecDirect(b, (SQLCHAR *)"select n from number order by n desc", SQL_NTS));
    fetch(b, 2);
    fetch(a, 1);
    fetch(b, 1);
    ON(b, SQLFreeHandle(SQL_HANDLE_STMT, b));
    fetch(a, 9);
    ON(a, SQLFreeHandle(SQL_HANDLE_STMT, a));
}

static void prepared_on_the_way(void)
{
    SQLHSTMT stmt = statement();
    SQLSMALLINT columns = -7;
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"select n, n * 2 as twice from number where n = 3", SQL_NTS));
    ON(stmt, SQLNumResultCols(stmt, &columns)); /* before executing */
    printf("columns %d\n", columns);
    ON(stmt, SQLExecute(stmt));
    rows(stmt);
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute("create table number (n integer)");
    for (int i = 1; i < 8; i++) {
        char sql[60];
        snprintf(sql, sizeof sql, "insert into number values (%d)", i);
        execute(sql);
    }
    several_results();
    counts();
    used_again();
    several_statements();
    prepared_on_the_way();
    return done();
}
