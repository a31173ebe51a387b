/* Work with the database after main has ended: in a function registered with atexit before the driver was loaded (as C++
   does with the destructors of static objects), in a destructor of the program, in that of a library that was loaded after the
   driver and so ends after it, in a thread that goes on. */
#include "report.h"
#include <dlfcn.h>
#include <libgen.h>
#include <pthread.h>
#include <unistd.h>

static int is(const char *word)
{
    return !strcmp(extra, word);
}

static void clean_up(void)
{
    execute("delete from late");
    query("select count(*) from late");
    done();
}

__attribute__((destructor)) static void at_the_very_end(void)
{
    if (extra && is("destructor"))
        clean_up();
}

/* The statement was executed by main, its row is fetched now. */
static SQLHSTMT begun;

static void fetch_and_close(void)
{
    rows(begun);
    SQLFreeHandle(SQL_HANDLE_STMT, begun);
    done();
}

/* One of two connections is closed, the other one stays open. */
static SQLHDBC other;

static void close_one(void)
{
    ON_DBC(SQLDisconnect(dbc));
    ON_DBC(SQLFreeHandle(SQL_HANDLE_DBC, dbc));
    printf("done: everything was asked\n");
}

/* The library beside this program has a destructor, which calls what it is told here. */
static void at_the_end_of_a_library(void (*function)(void))
{
    char path[4096] = "";
    if (readlink("/proc/self/exe", path, sizeof path - 32) < 0)
        exit(2);
    void *library = dlopen(strcat(dirname(path), "/library_with_destructor.so"), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    *(void (**)(void))dlsym(library, "at_the_end") = function;
}

static void *go_on(void *unused)
{
    (void)unused;
    for (;;) {
        SQLHSTMT stmt = statement();
        SQLExecDirect(stmt, (SQLCHAR *)"insert into late values (7)", SQL_NTS);
        SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    arguments(argc, argv);
    if (is("atexit"))
        atexit(clean_up);
    if (is("begun"))
        atexit(fetch_and_close);
    if (is("two"))
        atexit(close_one);
    connect_or_exit();
    execute("create table late (n integer)");
    execute("insert into late values (42)");
    if (is("begun")) {
        begun = statement();
        ON(begun, SQLExecDirect(begun, (SQLCHAR *)"select n from late", SQL_NTS));
    }
    if (is("two")) {
        SQLAllocHandle(SQL_HANDLE_DBC, env, &other);
        ON_DBC(SQLDriverConnect(other, NULL, (SQLCHAR *)connection_string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT));
    }
    if (is("library"))
        at_the_end_of_a_library(clean_up);
    if (is("thread")) {
        pthread_create(&thread, NULL, go_on, NULL);
        usleep(20000);
        printf("done: everything was asked\n");
    }
    return 0;
}
