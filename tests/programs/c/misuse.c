/* Handles that are none, without a driver manager to catch them: super8 must refuse each and not fall over. */
#include "report.h"
#include <dlfcn.h>

static void *loaded;
static int wrong;

#define F(name) ((typeof(name) *)dlsym(loaded, #name))

static void refused(const char *what, SQLRETURN rc)
{
    printf("%s -> %s\n", what, rc_name(rc));
    wrong += rc != SQL_INVALID_HANDLE;
}

/* A handle that has no place to go to is refused, with a diagnostic where there is a handle that can have one. */
static void nowhere(const char *what, SQLSMALLINT kind, SQLSMALLINT owner_kind, SQLHANDLE owner)
{
    SQLCHAR state[6] = "", text[300];
    SQLSMALLINT length;
    SQLINTEGER native;
    SQLRETURN rc = F(SQLAllocHandle)(kind, owner, NULL);
    if (owner)
        F(SQLGetDiagRec)(owner_kind, owner, 1, state, &native, text, sizeof text, &length);
    printf("no place for %s -> %s %s\n", what, rc_name(rc), state);
    wrong += rc != SQL_ERROR || strcmp((char *)state, owner ? "HY009" : "");
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    loaded = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    SQLHSTMT stmt = NULL, other = NULL;
    SQLLEN count;
    F(SQLAllocHandle)(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    F(SQLSetEnvAttr)(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    F(SQLAllocHandle)(SQL_HANDLE_DBC, env, &dbc);
    SQLRETURN rc = F(SQLDriverConnect)(dbc, NULL, (SQLCHAR *)driver_string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
    printf("connect %s\n", rc_name(rc));
    F(SQLAllocHandle)(SQL_HANDLE_STMT, dbc, &stmt);
    nowhere("an environment", SQL_HANDLE_ENV, 0, NULL);
    nowhere("a connection", SQL_HANDLE_DBC, SQL_HANDLE_ENV, env);
    nowhere("a statement", SQL_HANDLE_STMT, SQL_HANDLE_DBC, dbc);
    nowhere("a descriptor", SQL_HANDLE_DESC, SQL_HANDLE_DBC, dbc);
    refused("no statement", F(SQLFetch)(NULL));
    refused("a connection as a statement", F(SQLFetch)(dbc));
    refused("a statement as a connection", F(SQLDisconnect)(stmt));
    refused("an address as a statement", F(SQLFetch)(&count));
    refused("a number as a statement", F(SQLRowCount)((SQLHSTMT)(size_t)0x123456789abcdef0, &count));
    rc = F(SQLFreeHandle)(SQL_HANDLE_STMT, stmt);
    printf("freed %s\n", rc_name(rc));
    refused("freed before", F(SQLFetch)(stmt));
    refused("freed twice", F(SQLFreeHandle)(SQL_HANDLE_STMT, stmt));
    F(SQLAllocHandle)(SQL_HANDLE_STMT, dbc, &other);
    refused("freed before, its place taken", F(SQLFetch)(stmt));
    rc = F(SQLExecDirect)(other, (SQLCHAR *)"select 1", SQL_NTS);
    printf("the new one works %s\n", rc_name(rc));
    if (!strcmp(dialect, "sqlite")) /* whose driver does not disconnect while a statement is open */
        F(SQLFreeHandle)(SQL_HANDLE_STMT, other);
    rc = F(SQLDisconnect)(dbc);
    printf("disconnect %s\n", rc_name(rc));
    refused("a statement of a connection that is gone", F(SQLFetch)(other));
    F(SQLFreeHandle)(SQL_HANDLE_DBC, dbc);
    refused("a connection that is gone", F(SQLDisconnect)(dbc));
    F(SQLFreeHandle)(SQL_HANDLE_ENV, env);
    refused("an environment that is gone", F(SQLFreeHandle)(SQL_HANDLE_ENV, env));
    if (!wrong)
        printf("done: everything was asked\n");
    return wrong != 0;
}
