/* Without a driver manager: opens the library itself, as a driver manager would, and calls its functions. A further argument is
   another library to open, such as another driver manager. */
#define _GNU_SOURCE
#include "report.h"
#include <dlfcn.h>

static void *loaded;

static void *function(const char *name)
{
    void *address = dlsym(loaded, name);
    if (!address)
        printf("no function %s\n", name), exit(1);
    return address;
}

#define F(name) ((typeof(name) *)function(#name))

/* Each error is asked for one way only: SQLite's driver forgets a record once it is read, whichever way. */
static void complaints(SQLHSTMT stmt, int old_way)
{
    SQLCHAR state[6] = "", text[600] = "";
    SQLINTEGER native = -77;
    SQLSMALLINT length = -77;
    if (!old_way) {
        SQLRETURN rc = F(SQLGetDiagRec)(SQL_HANDLE_STMT, stmt, 1, state, &native, text, sizeof text, &length);
        printf("    record -> %s [%s] %d (%d) %s\n", rc_name(rc), state, (int)native, length, text);
        return;
    }
    for (int i = 0; i < 3; i++) {
        state[0] = text[0] = 0;
        SQLRETURN rc = F(SQLError)(SQL_NULL_HENV, SQL_NULL_HDBC, stmt, state, &native, text, sizeof text, &length);
        /* SQLite's driver puts its name before the message here, but not in SQLGetDiagRec: super8 reads one way. */
        const char *message = !strncmp((char *)text, "[SQLite]", 8) ? (char *)text + 8 : (char *)text;
        printf("    error -> %s [%s] %s\n", rc_name(rc), state, message);
    }
}

static void run(SQLHSTMT stmt, const char *sql, int old_way)
{
    SQLRETURN rc = F(SQLExecDirect)(stmt, (SQLCHAR *)sql, SQL_NTS);
    SQLLEN count = -99;
    printf("%s -> %s\n", sql, rc_name(rc));
    if (rc == SQL_ERROR)
        complaints(stmt, old_way);
    rc = F(SQLRowCount)(stmt, &count);
    if (SQL_SUCCEEDED(rc))
        printf("    row count %ld\n", (long)count);
    F(SQLFreeStmt)(stmt, SQL_CLOSE);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    loaded = dlopen(*extra ? extra : library, RTLD_LAZY | RTLD_LOCAL);
    if (!loaded) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    if (dlsym(RTLD_DEFAULT, "SQLFetch"))
        printf("a driver manager is here after all\n");
    printf("env %s\n", rc_name(F(SQLAllocHandle)(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env)));
    printf("version %s\n", rc_name(F(SQLSetEnvAttr)(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0)));
    printf("dbc %s\n", rc_name(F(SQLAllocHandle)(SQL_HANDLE_DBC, env, &dbc)));
    printf("connect %s\n", rc_name(F(SQLDriverConnect)(dbc, NULL, (SQLCHAR *)driver_string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT)));
    SQLHSTMT stmt = NULL;
    printf("stmt %s\n", rc_name(F(SQLAllocHandle)(SQL_HANDLE_STMT, dbc, &stmt)));
    run(stmt, "create table direct (id integer, t varchar(30))", 0);
    SQLINTEGER id = 1;
    SQLLEN length = SQL_NTS;
    char text[30] = "caf\xc3\xa9";
    printf("prepare %s\n", rc_name(F(SQLPrepare)(stmt, (SQLCHAR *)"insert into direct values (?, ?)", SQL_NTS)));
    F(SQLBindParameter)(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0, NULL);
    F(SQLBindParameter)(stmt, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 30, 0, text, sizeof text, &length);
    for (; id < 5; id++) {
        length = id == 3 ? SQL_NULL_DATA : SQL_NTS;
        printf("execute %d %s\n", (int)id, rc_name(F(SQLExecute)(stmt)));
    }
    F(SQLFreeStmt)(stmt, SQL_RESET_PARAMS);
    F(SQLFreeStmt)(stmt, SQL_CLOSE);
    F(SQLBindCol)(stmt, 1, SQL_C_SLONG, &id, 0, NULL);
    SQLRETURN rc = F(SQLExecDirect)(stmt, (SQLCHAR *)"select id, t from direct order by id", SQL_NTS);
    SQLSMALLINT columns = -7;
    printf("select %s, columns %s", rc_name(rc), rc_name(F(SQLNumResultCols)(stmt, &columns)));
    printf(" %d\n", columns);
    while (SQL_SUCCEEDED(rc = F(SQLFetch)(stmt))) {
        rc = F(SQLGetData)(stmt, 2, SQL_C_CHAR, text, sizeof text, &length);
        printf("    %d %s %s(%ld)\n", (int)id, rc_name(rc), length < 0 ? "" : text, (long)length);
    }
    printf("end %s\n", rc_name(rc));
    F(SQLFreeStmt)(stmt, SQL_UNBIND);
    F(SQLFreeStmt)(stmt, SQL_CLOSE);
    run(stmt, "select nothing from nowhere", 0);
    if (!strcmp(dialect, "sqlite")) /* the other drivers have no SQLError */
        run(stmt, "select nothing from nobody", 1);
    run(stmt, "update direct set t = 'x' where id < 3", 0);
    printf("commit %s\n", rc_name(F(SQLEndTran)(SQL_HANDLE_DBC, dbc, SQL_COMMIT)));
    printf("free statement %s\n", rc_name(F(SQLFreeHandle)(SQL_HANDLE_STMT, stmt)));
    printf("disconnect %s\n", rc_name(F(SQLDisconnect)(dbc)));
    printf("free connection %s\n", rc_name(F(SQLFreeHandle)(SQL_HANDLE_DBC, dbc)));
    printf("free environment %s\n", rc_name(F(SQLFreeHandle)(SQL_HANDLE_ENV, env)));
    printf("done: everything was asked\n");
    return 0;
}
