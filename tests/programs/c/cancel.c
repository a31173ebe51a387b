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
    query("select 3");
    return done();
}
