/* Connecting in steps: what the driver asks for, a wrong answer, a buffer that is too small, giving up; by data source and by driver, ANSI and Unicode. */
#include "report.h"

static unsigned char out[600 + GUARD];

/* One step with a buffer for `capacity` characters. */
static SQLRETURN step(const char *request, SQLSMALLINT capacity)
{
    SQLSMALLINT length = -77;
    filled(out, 600);
    printf("browse %s\n", request);
    SQLRETURN rc = SQLBrowseConnect(dbc, (SQLCHAR *)request, SQL_NTS, out, capacity, &length);
    printf("    %s (%d) %.600s\n", rc_name(rc), length, out[0] == FILLER ? (unsigned char *)"-" : out);
    if (!SQL_SUCCEEDED(rc) || rc == SQL_SUCCESS_WITH_INFO)
        diagnostics(SQL_HANDLE_DBC, dbc);
    for (int i = capacity; i < 600; i++)
        if (out[i] != FILLER)
            printf("    WRITTEN PAST THE END at %d\n", i);
    return rc;
}

/* One step by the Unicode function. What it says of the length over an ANSI driver is what unixODBC makes of memory nobody wrote to. */
static SQLRETURN wide_step(const char *request)
{
    static SQLWCHAR in[600], answer[700];
    SQLSMALLINT length = -77;
    size_t i = 0;
    for (; request[i]; i++)
        in[i] = request[i];
    in[i] = 0;
    memset(answer, 0, sizeof answer);
    SQLRETURN rc = SQLBrowseConnectW(dbc, in, SQL_NTS, answer, 600, &length);
    printf("browse %s\n    %s ", request, rc_name(rc));
    for (i = 0; answer[i]; i++)
        putchar(answer[i] < 127 ? answer[i] : '*');
    printf("\n");
    if (!SQL_SUCCEEDED(rc) || rc == SQL_SUCCESS_WITH_INFO)
        diagnostics(SQL_HANDLE_DBC, dbc);
    return rc;
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    char request[600];
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);

    printf("by data source\n");
    step(connection_string, 600);
    step("Server=gamma;UID=nobody;PWD=firstly;try", 600);
    step(!strcmp(extra, "changed") ? "Server=beta;UID=somebody;PWD={gehe}}im}" : "Server=beta;UID=nobody;PWD={gehe}}im}", 20);
    step("Database=first", 600);
    query("rows 2");
    ON_DBC(SQLDisconnect(dbc));

    printf("given up, and refused\n");
    step(connection_string, 600);
    ON_DBC(SQLDisconnect(dbc));
    snprintf(request, sizeof request, "%sRefuse=28000", connection_string);
    step(request, 600);

    printf("by driver\n");
    wide_step(driver_string);
    wide_step("Server=alpha;UID=nobody;PWD=gehe}im;");
    wide_step("Database=second;Warn=01000");
    query("rows 1");
    return done();
}
