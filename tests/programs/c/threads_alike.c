/* Two threads that send the same text on connections of their own, which main opens one after the other. The argument says how many
 * milliseconds each waits before it executes, and before it fetches: "0,40,80,120" lets the second one fetch first. */
#include "report.h"
#include <pthread.h>
#include <unistd.h>

static SQLHDBC connections[2];
static int before_execute[2], before_fetch[2];
static char told[2][200];

static void *work(void *argument)
{
    size_t number = (size_t)argument;
    SQLHSTMT stmt = NULL;
    SQLRETURN rc;
    long sum = 0;
    usleep(before_execute[number] * 1000);
    SQLAllocHandle(SQL_HANDLE_STMT, connections[number], &stmt);
    rc = SQLExecDirect(stmt, (SQLCHAR *)"select 1 union all select 2", SQL_NTS);
    usleep(before_fetch[number] * 1000);
    while (SQL_SUCCEEDED(rc) && SQL_SUCCEEDED(rc = SQLFetch(stmt))) {
        SQLINTEGER value = 0;
        SQLGetData(stmt, 1, SQL_C_SLONG, &value, 0, NULL);
        sum += value;
    }
    char state[6] = "", message[120] = "";
    if (rc != SQL_NO_DATA)
        SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 1, (SQLCHAR *)state, NULL, (SQLCHAR *)message, sizeof message, NULL);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    snprintf(told[number], sizeof told[number], "thread %zu: sum %ld, return %d %s %s", number, sum, rc, state, message);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    arguments(argc, argv);
    sscanf(extra, "%d,%d,%d,%d", &before_execute[0], &before_execute[1], &before_fetch[0], &before_fetch[1]);
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    for (int i = 0; i < 2; i++) {
        SQLAllocHandle(SQL_HANDLE_DBC, env, &connections[i]);
        SQLConnect(connections[i], (SQLCHAR *)source, SQL_NTS, (SQLCHAR *)user, SQL_NTS, (SQLCHAR *)password, SQL_NTS);
    }
    for (size_t i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        puts(told[i]);
    }
    for (int i = 0; i < 2; i++) {
        SQLDisconnect(connections[i]);
        SQLFreeHandle(SQL_HANDLE_DBC, connections[i]);
    }
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    printf("done: everything was asked\n");
    return 0;
}
