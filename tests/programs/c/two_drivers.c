/* Two data sources of two different real drivers, interleaved in one environment; twice. */
#include "report.h"

static SQLHDBC open_source(const char *name)
{
    SQLHDBC one = NULL;
    SQLAllocHandle(SQL_HANDLE_DBC, env, &one);
    SQLRETURN rc = SQLConnect(one, (SQLCHAR *)name, SQL_NTS, (SQLCHAR *)user, SQL_NTS, (SQLCHAR *)password, SQL_NTS);
    tell(name, rc, SQL_HANDLE_DBC, one);
    if (!SQL_SUCCEEDED(rc))
        exit(1);
    char text[100] = "";
    SQLGetInfo(one, SQL_DBMS_NAME, text, sizeof text, NULL);
    printf("    %s\n", text);
    return one;
}

static SQLHSTMT on(SQLHDBC one, const char *sql)
{
    SQLHSTMT stmt = NULL;
    SQLAllocHandle(SQL_HANDLE_STMT, one, &stmt);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS));
    return stmt;
}

/* Everything is freed at its end, so that a driver manager may unload both drivers. */
static void session(void)
{
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    SQLHDBC a = open_source(connection_string), b = open_source(driver_string);
    SQLHSTMT left = on(a, "select 1 union all select 2 union all select 3"), right = on(b, "select 10 union all select 20 union all select 30");
    for (int i = 0; i < 4; i++) {
        SQLINTEGER x = -7, y = -7;
        SQLRETURN first = SQLFetch(left), second = SQLFetch(right);
        if (SQL_SUCCEEDED(first))
            SQLGetData(left, 1, SQL_C_SLONG, &x, 0, NULL);
        if (SQL_SUCCEEDED(second))
            SQLGetData(right, 1, SQL_C_SLONG, &y, 0, NULL);
        printf("    %s %d, %s %d\n", rc_name(first), (int)x, rc_name(second), (int)y);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, left), SQLFreeHandle(SQL_HANDLE_STMT, right);
    SQLFreeHandle(SQL_HANDLE_STMT, on(a, "select nothing from nowhere"));
    SQLFreeHandle(SQL_HANDLE_STMT, on(b, "select nothing from nowhere"));
    ON_ENV(SQLEndTran(SQL_HANDLE_ENV, env, SQL_COMMIT));
    printf("%s\n", rc_name(SQLDisconnect(a)));
    right = on(b, "select 'still here'");
    rows(right);
    SQLFreeHandle(SQL_HANDLE_STMT, right);
    printf("%s\n", rc_name(SQLDisconnect(b)));
    SQLFreeHandle(SQL_HANDLE_DBC, a), SQLFreeHandle(SQL_HANDLE_DBC, b), SQLFreeHandle(SQL_HANDLE_ENV, env);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    session();
    session();
    printf("done: everything was asked\n");
    return 0;
}
