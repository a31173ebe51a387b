/* Connects that fail because no server listens, through the drivers of SQL Server and Db2: every record and field of their diagnostics,
   attributes that are set before the connect (an access token among them), and what can be asked of a connection that never was. */
#include "report.h"

enum { SQL_COPT_SS_ACCESS_TOKEN = 1256 };

static void fields_of_record(SQLSMALLINT record)
{
    /* SQL_DIAG_SERVER_NAME is unixODBC's own here, and depends on the function that it connects through: see docs/matching.md. */
    static const SQLSMALLINT texts[] = {SQL_DIAG_SQLSTATE, SQL_DIAG_CLASS_ORIGIN, SQL_DIAG_SUBCLASS_ORIGIN, SQL_DIAG_CONNECTION_NAME};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        SQLCHAR text[600] = "";
        SQLSMALLINT length = -77;
        SQLRETURN rc = SQLGetDiagField(SQL_HANDLE_DBC, dbc, record, texts[i], text, sizeof text, &length);
        printf("record %d field %d -> %s (%d) %s\n", record, texts[i], rc_name(rc), length, text);
    }
}

static void failed(const char *what, SQLRETURN rc)
{
    SQLINTEGER records = 0;
    printf("%s -> %s\n", what, rc_name(rc));
    SQLGetDiagField(SQL_HANDLE_DBC, dbc, 0, SQL_DIAG_NUMBER, &records, 0, NULL);
    printf("records %d\n", (int)records);
    diagnostics(SQL_HANDLE_DBC, dbc);
    for (SQLSMALLINT record = 1; record <= records; record++)
        fields_of_record(record);
    SQLUINTEGER timeout = 77;
    rc = SQLGetConnectAttr(dbc, SQL_ATTR_LOGIN_TIMEOUT, &timeout, 0, NULL);
    printf("login timeout -> %s %u\n", rc_name(rc), (unsigned)timeout);
    SQLCHAR name[100] = "";
    rc = SQLGetInfo(dbc, SQL_DRIVER_NAME, name, sizeof name, NULL);
    printf("driver's name -> %s\n", rc_name(rc));
}

static void begin(void)
{
    SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
    SQLRETURN rc = SQLSetConnectAttr(dbc, SQL_ATTR_LOGIN_TIMEOUT, (SQLPOINTER)(SQLULEN)1, 0);
    printf("set the login timeout -> %s\n", rc_name(rc));
}

static void end(void)
{
    printf("disconnect -> %s\n", rc_name(SQLDisconnect(dbc)));
    SQLFreeHandle(SQL_HANDLE_DBC, dbc);
}

static void by_string(const char *string)
{
    SQLCHAR completed[500] = "";
    SQLSMALLINT length = -77;
    failed("SQLDriverConnect", SQLDriverConnect(dbc, NULL, (SQLCHAR *)string, SQL_NTS, completed, sizeof completed, &length, SQL_DRIVER_NOPROMPT));
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);

    begin();
    by_string(connection_string);
    /* once more on the same handle, in the other way */
    failed("SQLConnect", SQLConnect(dbc, (SQLCHAR *)source, SQL_NTS, (SQLCHAR *)user, SQL_NTS, (SQLCHAR *)password, SQL_NTS));
    end();

    begin();
    by_string(driver_string);
    end();

    if (!strcmp(dialect, "sqlserver")) {
        struct { SQLUINTEGER size; unsigned char bytes[26]; } token = {26, "t\0o\0k\0e\0n\0-\0o\0f\0-\0u\0s\0e\0r"};
        char string[200];
        begin();
        SQLRETURN rc = SQLSetConnectAttr(dbc, SQL_COPT_SS_ACCESS_TOKEN, &token, SQL_IS_POINTER);
        printf("set the token -> %s\n", rc_name(rc));
        snprintf(string, sizeof string, "DSN=%s;", source);
        by_string(string);
        end();
    }
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    puts("done: everything was asked");
    return 0;
}
