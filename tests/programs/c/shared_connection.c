/* Threads that share one connection, a statement each. The last argument is how many, and with ",swapped" the first one does two steps in another order.
 * Each tells at the end what it saw, so that it does not show who came first. */
#include "report.h"
#include <pthread.h>

enum { MOST = 16, STEPS = 12 };
static long sums[MOST];
static int errors[MOST], swapped;
static char said[MOST][600];

static void fail(int number, SQLHSTMT stmt)
{
    if (errors[number]++ == 0)
        SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 1, NULL, NULL, (SQLCHAR *)said[number], sizeof said[number], NULL);
}

static void *work(void *argument)
{
    int number = (int)(size_t)argument;
    SQLHSTMT stmt = NULL;
    errors[number] += SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt) != SQL_SUCCESS;
    for (int i = 0; i < STEPS; i++) {
        int step = swapped && number == 0 && (i == 4 || i == 5) ? 9 - i : i;
        char sql[200];
        SQLINTEGER value;
        /* Now and then all ask the same. */
        if (step % 4 == 3)
            snprintf(sql, sizeof sql, "select %d", step);
        else
            snprintf(sql, sizeof sql, "select %d union all select %d union all select %d", number, step * 10, number * step * 100);
        if (!SQL_SUCCEEDED(SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS)))
            fail(number, stmt);
        while (SQL_SUCCEEDED(SQLFetch(stmt))) {
            if (SQL_SUCCEEDED(SQLGetData(stmt, 1, SQL_C_SLONG, &value, 0, NULL)))
                sums[number] += value;
            else
                fail(number, stmt);
        }
        SQLFreeStmt(stmt, SQL_CLOSE);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[MOST];
    arguments(argc, argv);
    size_t count = (size_t)atoi(extra);
    swapped = strstr(extra, "swapped") != NULL;
    connect_or_exit();
    for (size_t i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    for (size_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        printf("thread %d: sum %ld, errors %d %s\n", (int)i, sums[i], errors[i], said[i]);
    }
    return done();
}
