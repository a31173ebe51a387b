/* Eight threads, each with a connection of its own to a data source of its own (the argument of that name, followed by
 * the thread's number; with "same" as the last argument, all to the same): queries. Each tells at the end what it saw. */
#include "report.h"
#include <pthread.h>

enum { THREADS = 8, ROWS = 30 };
static long sums[THREADS], errors[THREADS];

static void *work(void *argument)
{
    int number = (int)(size_t)argument;
    SQLHDBC one = NULL;
    SQLHSTMT stmt = NULL;
    char sql[100], own[100];
    SQLAllocHandle(SQL_HANDLE_DBC, env, &one);
    snprintf(own, sizeof own, strcmp(extra, "same") ? "%s %d" : "%s", source, number);
    SQLRETURN rc = SQLConnect(one, (SQLCHAR *)own, SQL_NTS, (SQLCHAR *)user, SQL_NTS, (SQLCHAR *)password, SQL_NTS);
    errors[number] += !SQL_SUCCEEDED(rc);
    SQLAllocHandle(SQL_HANDLE_STMT, one, &stmt);
    for (int i = 0; i < ROWS; i++) {
        snprintf(sql, sizeof sql, "select %d union all select %d union all select %d", number, i, number * i);
        errors[number] += !SQL_SUCCEEDED(SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS));
        SQLINTEGER value;
        while (SQL_SUCCEEDED(SQLFetch(stmt))) {
            errors[number] += !SQL_SUCCEEDED(SQLGetData(stmt, 1, SQL_C_SLONG, &value, 0, NULL));
            sums[number] += value;
        }
        SQLFreeStmt(stmt, SQL_CLOSE);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    SQLDisconnect(one);
    SQLFreeHandle(SQL_HANDLE_DBC, one);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    arguments(argc, argv);
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        printf("thread %d: sum %ld, errors %ld\n", i, sums[i], errors[i]);
    }
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    printf("done: everything was asked\n");
    return 0;
}
