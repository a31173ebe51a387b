/* What a driver says of a lost connection, a deadlock, a lock that is not given, a statement that takes too long or is cancelled, a full
   disk and a server that is not there: printed as matching/src/play/driver_faults/ has it.
   Arguments: the connection string, the dialect, a connection string to a server that is not there. */
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sql.h>
#include <sqlext.h>

static SQLHENV env;
static const char *connection_string, *dialect;
static int is(const char *name) { return !strcmp(dialect, name); }

/* A connection with a statement. */
struct connection {
    SQLHDBC dbc;
    SQLHSTMT stmt;
};

static void fail(const char *what, SQLSMALLINT type, SQLHANDLE handle)
{
    SQLCHAR state[6] = "", text[1024] = "";
    SQLGetDiagRec(type, handle, 1, state, NULL, text, sizeof text, NULL);
    fprintf(stderr, "%s: %s %s\n", what, state, text);
    exit(1);
}

static struct connection connected(void)
{
    struct connection made;
    SQLAllocHandle(SQL_HANDLE_DBC, env, &made.dbc);
    if (!SQL_SUCCEEDED(SQLDriverConnect(made.dbc, NULL, (SQLCHAR *)connection_string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT)))
        fail("connect", SQL_HANDLE_DBC, made.dbc);
    SQLAllocHandle(SQL_HANDLE_STMT, made.dbc, &made.stmt);
    return made;
}

static void closed(struct connection of)
{
    SQLEndTran(SQL_HANDLE_DBC, of.dbc, SQL_ROLLBACK);
    SQLFreeHandle(SQL_HANDLE_STMT, of.stmt);
    SQLDisconnect(of.dbc);
    SQLFreeHandle(SQL_HANDLE_DBC, of.dbc);
}

static SQLRETURN run(struct connection of, const char *sql)
{
    SQLFreeStmt(of.stmt, SQL_CLOSE);
    return SQLExecDirect(of.stmt, (SQLCHAR *)sql, SQL_NTS);
}

static void must(struct connection of, const char *sql)
{
    SQLRETURN rc = run(of, sql);
    if (!SQL_SUCCEEDED(rc) && rc != SQL_NO_DATA)
        fail(sql, SQL_HANDLE_STMT, of.stmt);
}

static void manual(struct connection of)
{
    SQLSetConnectAttr(of.dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_OFF, 0);
}

/* A text in double quotes; numbers of processes and transactions, which change, become 1000. */
static void quoted(const char *text, int numbers_change)
{
    putchar('"');
    for (; *text; text++) {
        if (numbers_change && isdigit((unsigned char)*text)) {
            while (isdigit((unsigned char)text[1]))
                text++;
            printf("1000");
        } else if (*text == '\n' || *text == '\t') {
            printf(*text == '\n' ? "\\n" : "\\t");
        } else {
            if (*text == '"' || *text == '\\')
                putchar('\\');
            putchar(*text);
        }
    }
    putchar('"');
}

/* Prints what a call said; nothing if it succeeded. */
static int told(const char *fault, const char *at, SQLRETURN rc, SQLSMALLINT type, SQLHANDLE handle, SQLHDBC dbc)
{
    SQLUINTEGER dead = SQL_CD_FALSE;
    SQLCHAR state[6], text[1024];
    SQLINTEGER native;
    if (rc != SQL_ERROR)
        return 0;
    printf("- fault: %s\n  at: %s\n  return: SQL_ERROR\n", fault, at);
    printf("  diagnostics:\n");
    for (SQLSMALLINT record = 1; SQL_SUCCEEDED(SQLGetDiagRec(type, handle, record, state, &native, text, sizeof text, NULL)); record++) {
        printf("    - {sqlstate: \"%s\", native: %d, message: ", state, (int)native);
        quoted((char *)text, !strcmp(fault, "deadlock") && is("postgres"));
        printf("}\n");
    }
    if (dbc && SQL_SUCCEEDED(SQLGetConnectAttr(dbc, SQL_ATTR_CONNECTION_DEAD, &dead, 0, NULL)))
        printf("  connection_dead: %s\n", dead == SQL_CD_TRUE ? "true" : "false");
    return 1;
}

#define ON_STMT(fault, at, of, call) told(fault, at, (call), SQL_HANDLE_STMT, (of).stmt, (of).dbc)
#define ON_DBC(fault, at, of, call) told(fault, at, (call), SQL_HANDLE_DBC, (of).dbc, (of).dbc)

static long id_of(struct connection of)
{
    SQLINTEGER id = 0;
    must(of, is("postgres") ? "select pg_backend_pid()" : "select connection_id()");
    SQLFetch(of.stmt);
    SQLGetData(of.stmt, 1, SQL_C_SLONG, &id, 0, NULL);
    SQLFreeStmt(of.stmt, SQL_CLOSE);
    return id;
}

static void stop(struct connection by, const char *postgres, const char *mariadb, long id)
{
    char sql[80];
    snprintf(sql, sizeof sql, is("postgres") ? postgres : mariadb, id);
    must(by, sql);
    usleep(200 * 1000);
}

static void lost(struct connection by)
{
    static const char *const places[] = {"execute", "prepare", "fetch", "commit"};
    for (int at = 0; at < 4; at++) {
        struct connection victim = connected();
        long id;
        SQLINTEGER least = 1;
        manual(victim);
        id = id_of(victim);
        must(victim, "update measured set v = v + 1 where n = 1");
        SQLFreeStmt(victim.stmt, SQL_CLOSE);
        if (at == 2)
            must(victim, "select n from measured order by n");
        stop(by, "select pg_terminate_backend(%ld)", "kill %ld", id);
        switch (at) {
        case 0:
            ON_STMT("lost-connection", places[at], victim, run(victim, "select n from measured"));
            ON_STMT("lost-connection", "later", victim, run(victim, "select n from measured"));
            break;
        case 1:
            SQLBindParameter(victim.stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &least, 0, NULL);
            ON_STMT("lost-connection", places[at], victim, SQLPrepare(victim.stmt, (SQLCHAR *)"select n from measured where n > ?", SQL_NTS));
            break;
        case 2:
            while (SQL_SUCCEEDED(SQLFetch(victim.stmt)))
                continue;
            break;
        default:
            ON_DBC("lost-connection", places[at], victim, SQLEndTran(SQL_HANDLE_DBC, victim.dbc, SQL_COMMIT));
        }
        closed(victim);
    }
}

/* One side of a deadlock: it is told if this side is the one that fails. */
struct side {
    struct connection of;
    const char *sql;
};

static void *contend(void *given)
{
    struct side *side = given;
    ON_STMT("deadlock", "execute", side->of, run(side->of, side->sql));
    SQLEndTran(SQL_HANDLE_DBC, side->of.dbc, SQL_ROLLBACK);
    return NULL;
}

static void deadlock(void)
{
    struct side one = {connected(), "update measured set v = 8 where n = 2"};
    struct side other = {connected(), "update measured set v = 8 where n = 1"};
    pthread_t thread;
    manual(one.of), manual(other.of);
    must(one.of, "update measured set v = 9 where n = 1");
    must(other.of, "update measured set v = 9 where n = 2");
    pthread_create(&thread, NULL, contend, &other);
    usleep(300 * 1000);
    contend(&one);
    pthread_join(thread, NULL);
    closed(one.of), closed(other.of);
}

static void lock(void)
{
    struct connection holder = connected(), waiter = connected();
    manual(holder), manual(waiter);
    if (is("postgres"))
        must(waiter, "set lock_timeout = '200ms'");
    else if (is("mariadb"))
        must(waiter, "set innodb_lock_wait_timeout = 1");
    must(holder, "update measured set v = 9 where n = 1");
    ON_STMT("lock-timeout", "execute", waiter, run(waiter, "update measured set v = 8 where n = 1"));
    closed(waiter), closed(holder);
}

static const char *slow(void)
{
    return is("postgres") ? "select pg_sleep(3)" : "select sleep(3) from measured";
}

static void *cancels(void *given)
{
    struct connection by = connected();
    usleep(300 * 1000);
    stop(by, "select pg_cancel_backend(%ld)", "kill query %ld", *(long *)given);
    closed(by);
    return NULL;
}

static void slowly(void)
{
    struct connection of = connected();
    long id = id_of(of);
    pthread_t thread;
    pthread_create(&thread, NULL, cancels, &id);
    ON_STMT("cancelled", "execute", of, run(of, slow()));
    pthread_join(thread, NULL);
    must(of, is("postgres") ? "set statement_timeout = '200ms'" : "set max_statement_time = 0.2");
    ON_STMT("timeout", "execute", of, run(of, slow()));
    closed(of);
}

static void full(struct connection of)
{
    int row = 0;
    if (is("sqlite")) {
        must(of, "create table large (text varchar(2000))");
        must(of, "pragma max_page_count = 20");
    } else {
        must(of, "set max_heap_table_size = 16384");
        must(of, "create temporary table large (text char(250)) engine = memory");
    }
    while (row++ < 1000)
        if (ON_STMT("disk-full", "execute", of, run(of, is("sqlite") ? "insert into large values (hex(zeroblob(900)))" : "insert into large values ('x')")))
            return;
}

int main(int argc, char **argv)
{
    struct connection of, nobody;
    SQLCHAR version[64] = "", server[64] = "";
    connection_string = argc > 1 ? argv[1] : "", dialect = argc > 2 ? argv[2] : "";
    setvbuf(stdout, NULL, _IOLBF, 0);
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    of = connected();
    SQLGetInfo(of.dbc, SQL_DRIVER_VER, version, sizeof version, NULL);
    SQLGetInfo(of.dbc, SQL_DBMS_NAME, server, sizeof server, NULL);
    printf("# Measured: driver version %s, server %s.\n", version, server);
    run(of, "drop table measured");
    must(of, "create table measured (n integer primary key, v integer)");
    must(of, "insert into measured values (1, 1)");
    must(of, "insert into measured values (2, 2)");
    if (!is("sqlite")) {
        lost(of);
        SQLAllocHandle(SQL_HANDLE_DBC, env, &nobody.dbc);
        told("lost-connection", "connect", SQLDriverConnect(nobody.dbc, NULL, (SQLCHAR *)argv[3], SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT), SQL_HANDLE_DBC, nobody.dbc, NULL);
        SQLFreeHandle(SQL_HANDLE_DBC, nobody.dbc);
        deadlock();
        slowly();
    }
    lock();
    if (!is("postgres"))
        full(of);
    run(of, "drop table measured");
    closed(of);
    return 0;
}
