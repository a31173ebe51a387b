/* What a prepared statement says of its columns when SQLMoreResults has found no further result, and when it is executed again after
 * that. Drivers go on describing the last result. */
#include "report.h"

static void columns(SQLHSTMT stmt)
{
    SQLSMALLINT count = -77;
    ON(stmt, SQLNumResultCols(stmt, &count));
    printf("    %d columns\n", count);
}

/* `early` asks for the columns before there is no further result, too. */
static void run(int early)
{
    SQLHSTMT stmt = statement();
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"select 1 as one, 2 as two", SQL_NTS));
    for (int execution = 0; execution < 2; execution++) {
        ON(stmt, SQLExecute(stmt));
        if (early || execution)
            columns(stmt);
        while (SQL_SUCCEEDED(SQLFetch(stmt)))
            ;
        ON(stmt, SQLMoreResults(stmt));
        columns(stmt);
        ON(stmt, SQLMoreResults(stmt));
        columns(stmt);
        ON(stmt, SQLFetch(stmt));
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    run(1);
    run(0);
    return done();
}
