/* A statement that another thread cancels while it executes. Nothing is printed that depends on the clock: the query would
 * take a minute, and the other thread asks again until the query has ended. */
#include "report.h"
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static atomic_int ended;

static void *cancel(void *stmt)
{
    int failed = 0;
    do {
        usleep(200000);
        if (!ended && !SQL_SUCCEEDED(SQLCancel(stmt)))
            failed++;
    } while (!ended);
    printf("cancelling failed %d times\n", failed);
    return NULL;
}

/* The same while SQLParamData executes a statement whose data has come. */
static void while_data_comes(void)
{
    SQLHSTMT stmt = statement();
    SQLLEN length = SQL_LEN_DATA_AT_EXEC(2);
    SQLPOINTER token = NULL;
    pthread_t other;
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 10, 0, (SQLPOINTER)7, 0, &length));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select pg_sleep(60) where '60' = ?", SQL_NTS));
    ON(stmt, SQLParamData(stmt, &token));
    ON(stmt, SQLPutData(stmt, "60", 2));
    ended = 0;
    pthread_create(&other, NULL, cancel, stmt);
    SQLRETURN rc = SQLParamData(stmt, &token);
    ended = 1;
    pthread_join(other, NULL);
    tell("a long query with data", rc, SQL_HANDLE_STMT, stmt);
    ON(stmt, SQLParamData(stmt, &token));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    SQLHSTMT stmt = statement();
    pthread_t other;
    pthread_create(&other, NULL, cancel, stmt);
    SQLRETURN rc = SQLExecDirect(stmt, (SQLCHAR *)by_dialect("select 1", "select pg_sleep(60)", "select sleep(60) from missing"), SQL_NTS);
    ended = 1;
    pthread_join(other, NULL);
    tell("a long query", rc, SQL_HANDLE_STMT, stmt);
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select 2", SQL_NTS));
    rows(stmt);
    ON(stmt, SQLCancel(stmt));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    while_data_comes();
    query("select 3");
    return done();
}
