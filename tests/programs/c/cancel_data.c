/* A statement that another thread cancels while SQLParamData executes it, and what the statement can do afterwards. The driver says by the token when that is
 * so. */
#include "report.h"
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static atomic_int ended;
static SQLPOINTER volatile token;

static void *cancel(void *stmt)
{
    while (!ended && token != (SQLPOINTER)-1)
        usleep(1000);
    if (!ended && !SQL_SUCCEEDED(SQLCancel(stmt)))
        printf("it was not cancelled\n");
    return NULL;
}

static void sent(SQLHSTMT stmt, const char *sql, int cancelled)
{
    SQLPOINTER wanted = NULL;
    pthread_t other;
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS));
    ON(stmt, SQLParamData(stmt, &wanted));
    ON(stmt, SQLPutData(stmt, "words", 5));
    ended = 0;
    token = NULL;
    if (cancelled)
        pthread_create(&other, NULL, cancel, stmt);
    SQLRETURN rc = SQLParamData(stmt, (SQLPOINTER *)&token);
    ended = 1;
    if (cancelled)
        pthread_join(other, NULL);
    tell("SQLParamData", rc, SQL_HANDLE_STMT, stmt);
    ON(stmt, SQLParamData(stmt, &wanted));
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    SQLHSTMT stmt = statement();
    SQLLEN length = SQL_LEN_DATA_AT_EXEC(5);
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 10, 0, (SQLPOINTER)7, 0, &length));
    sent(stmt, "?; waits; count 1", 1);
    sent(stmt, "?; count 2", 0);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    query("rows 1");
    return done();
}
