/* Threads that connect at once with equal arguments, in autocommit: each writes what all write, then what only it writes, and reads. The
   mode is the last argument: `passes` lets them work one after the other, in the others they meet before they connect. In `retries` and
   `swallows` a thread repeats the statement that failed, on a new connection if the old one is dead; in `swallows` the third one says
   nothing of an error of its own statement. `careless` begins with a new connection at its first statement. In `differently` the second
   thread says nothing of any error and goes on, the third one gives up, and the others repeat.
   Arguments: the connection string, the mode. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sql.h>
#include <sqlext.h>

enum { THREADS = 4, TRIES = 3 };

static SQLHENV env;
static const char *connection_string, *mode;
static pthread_barrier_t start;
static int failed[THREADS];

struct worker {
    int number, tries, is_open;
    SQLHDBC dbc;
    SQLHSTMT stmt;
};

static int is_mode(const char *name) { return !strcmp(mode, name); }

static void close_connection(struct worker *worker)
{
    if (!worker->is_open)
        return;
    SQLFreeHandle(SQL_HANDLE_STMT, worker->stmt);
    SQLDisconnect(worker->dbc);
    SQLFreeHandle(SQL_HANDLE_DBC, worker->dbc);
    worker->is_open = 0;
}

static int open_connection(struct worker *worker)
{
    SQLAllocHandle(SQL_HANDLE_DBC, env, &worker->dbc);
    if (!SQL_SUCCEEDED(SQLDriverConnect(worker->dbc, NULL, (SQLCHAR *)connection_string, SQL_NTS, NULL, 0, NULL,
                                        SQL_DRIVER_NOPROMPT))) {
        SQLFreeHandle(SQL_HANDLE_DBC, worker->dbc);
        return 0;
    }
    SQLAllocHandle(SQL_HANDLE_STMT, worker->dbc, &worker->stmt);
    return worker->is_open = 1;
}

/* Asks once; with `own`, for the thread's number. */
static SQLRETURN ask_once(struct worker *worker, const char *sql, int own)
{
    SQLHSTMT stmt = worker->stmt;
    SQLINTEGER number = worker->number, value;
    SQLSMALLINT columns = 0;
    SQLRETURN rc;
    SQLFreeStmt(stmt, SQL_CLOSE);
    if (own) {
        SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &number, 0, NULL);
        rc = SQLPrepare(stmt, (SQLCHAR *)sql, SQL_NTS);
        rc = SQL_SUCCEEDED(rc) ? SQLExecute(stmt) : rc;
        SQLFreeStmt(stmt, SQL_RESET_PARAMS);
        return rc;
    }
    rc = SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS);
    if (SQL_SUCCEEDED(rc) && SQL_SUCCEEDED(SQLNumResultCols(stmt, &columns)) && columns) {
        while (SQL_SUCCEEDED(rc = SQLFetch(stmt)))
            SQLGetData(stmt, 1, SQL_C_SLONG, &value, 0, NULL);
        rc = rc == SQL_NO_DATA ? SQL_SUCCESS : rc;
    }
    return rc;
}

/* Asks until it succeeds. Returns 0 if it gives up, -1 if it begins anew. */
static int ask(struct worker *worker, const char *sql, int own)
{
    while (worker->tries < TRIES) {
        SQLCHAR state[6] = "";
        SQLUINTEGER dead = SQL_CD_FALSE;
        if (worker->is_open || open_connection(worker)) {
            SQLRETURN rc = ask_once(worker, sql, own);
            if (SQL_SUCCEEDED(rc) || rc == SQL_NO_DATA)
                return 1;
            SQLGetDiagRec(SQL_HANDLE_STMT, worker->stmt, 1, state, NULL, NULL, 0, NULL);
            SQLGetConnectAttr(worker->dbc, SQL_ATTR_CONNECTION_DEAD, &dead, 0, NULL);
            if (is_mode("swallows") && own && worker->number == 2)
                return 1;
            if (is_mode("differently") && worker->number == 2)
                return 0;
            if (dead == SQL_CD_TRUE || !strncmp((char *)state, "08", 2) || is_mode("careless"))
                close_connection(worker);
            if (is_mode("differently") && worker->number == 1)
                return 1;
        }
        if (is_mode("differently") && worker->number == 2)
            return 0;
        worker->tries += is_mode("passes") ? TRIES : 1;
        if (is_mode("careless"))
            return -1;
    }
    return 0;
}

static void *work(void *argument)
{
    struct worker worker = { .number = (int)(size_t)argument };
    static const char *const texts[] = { "update shelf set amount = amount + 1 where name = 'upper'",
                                         "update shelf set amount = amount + 2 where name = 'upper'",
                                         "select amount from shelf where amount < 0 or name = 'middle' order by name",
                                         "update shelf set amount = amount + ? where name = 'lower'", /* its own */
                                         "delete from shelf where name = 'none'" };
    if (!is_mode("passes"))
        pthread_barrier_wait(&start);
    for (int at = 0; at < 5; at++) {
        int done = ask(&worker, texts[at], at == 3);
        if (!done || worker.tries >= TRIES) {
            failed[worker.number] = 1;
            break;
        }
        if (done < 0)
            at = -1;
    }
    close_connection(&worker);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    int failures = 0;
    if (argc < 3)
        return 2;
    connection_string = argv[1], mode = argv[argc - 1];
    pthread_barrier_init(&start, NULL, THREADS);
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    for (size_t at = 0; at < THREADS; at++) {
        pthread_create(&threads[at], NULL, work, (void *)at);
        if (is_mode("passes"))
            pthread_join(threads[at], NULL);
    }
    for (int at = 0; at < THREADS; at++) {
        if (!is_mode("passes"))
            pthread_join(threads[at], NULL);
        failures += failed[at];
    }
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    if (failures)
        return 1;
    printf("done: everything was asked\n");
    return 0;
}
