/* What the C programs share: telling everything a call did, so that equal output means equal behaviour. */
#ifndef REPORT_H
#define REPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

enum { GUARD = 16, FILLER = 0xAA };

static SQLHENV env;
static SQLHDBC dbc;
static const char *connection_string, *dialect, *driver_string, *source, *user, *password, *library, *extra;

/* The arguments every C program is given, see Program::c. */
static inline void arguments(int argc, char **argv)
{
    if (argc < 8) {
        fprintf(stderr, "usage: %s CONNECTION-STRING DIALECT DRIVER-STRING SOURCE USER PASSWORD LIBRARY\n", argv[0]);
        exit(2);
    }
    connection_string = argv[1], dialect = argv[2], driver_string = argv[3];
    source = argv[4], user = argv[5], password = argv[6], library = argv[7];
    extra = argc > 8 ? argv[8] : "";
    setvbuf(stdout, NULL, _IONBF, 0);
}

/* The text for the database this run is on. */
static inline const char *by_dialect(const char *sqlite, const char *postgres, const char *mariadb)
{
    return !strcmp(dialect, "sqlite") ? sqlite : !strcmp(dialect, "postgres") ? postgres : mariadb;
}

static const char *rc_name(SQLRETURN rc)
{
    static char other[32];
    switch (rc) {
    case SQL_SUCCESS: return "SUCCESS";
    case SQL_SUCCESS_WITH_INFO: return "SUCCESS_WITH_INFO";
    case SQL_ERROR: return "ERROR";
    case SQL_INVALID_HANDLE: return "INVALID_HANDLE";
    case SQL_NO_DATA: return "NO_DATA";
    case SQL_NEED_DATA: return "NEED_DATA";
    case SQL_STILL_EXECUTING: return "STILL_EXECUTING";
    case SQL_PARAM_DATA_AVAILABLE: return "PARAM_DATA_AVAILABLE";
    }
    snprintf(other, sizeof other, "rc %d", rc);
    return other;
}

/* Every diagnostic record of a handle. */
static inline void diagnostics(SQLSMALLINT type, SQLHANDLE handle)
{
    for (SQLSMALLINT record = 1; record < 20; record++) {
        SQLCHAR state[6] = "", text[1024] = "";
        SQLINTEGER native = -1;
        SQLSMALLINT length = -1;
        SQLRETURN rc = SQLGetDiagRec(type, handle, record, state, &native, text, sizeof text, &length);
        if (rc == SQL_NO_DATA)
            return;
        printf("    diagnostic %d: %s [%s] %d (%d) %s\n", record, rc_name(rc), state, (int)native, length, text);
        if (!SQL_SUCCEEDED(rc))
            return;
    }
}

/* Says what a call returned, and why if not SQL_SUCCESS. */
static inline SQLRETURN tell(const char *what, SQLRETURN rc, SQLSMALLINT type, SQLHANDLE handle)
{
    printf("%s -> %s\n", what, rc_name(rc));
    if (rc == SQL_SUCCESS_WITH_INFO || rc == SQL_ERROR)
        diagnostics(type, handle);
    return rc;
}

#define ON_ENV(call) tell(#call, (call), SQL_HANDLE_ENV, env)
#define ON_DBC(call) tell(#call, (call), SQL_HANDLE_DBC, dbc)
#define ON(stmt, call) tell(#call, (call), SQL_HANDLE_STMT, stmt)

static inline void bytes(const void *data, size_t count)
{
    const unsigned char *byte = data;
    for (size_t i = 0; i < count; i++)
        printf("%02x", byte[i]);
}

/* A buffer of `capacity` bytes with a guard behind it, all filled, so that every written byte shows. */
static inline unsigned char *filled(unsigned char *buffer, size_t capacity)
{
    memset(buffer, FILLER, capacity + GUARD);
    return buffer;
}

/* Prints what was written: the text up to `shown` bytes, whether it was ended, and whether the guard is whole. */
static inline void written(const char *name, const unsigned char *buffer, size_t capacity, size_t shown)
{
    if (shown > capacity)
        shown = capacity;
    printf("    %s ", name);
    bytes(buffer, shown);
    for (int i = 0; i < GUARD; i++)
        if (buffer[capacity + i] != FILLER)
            printf(" WRITTEN PAST THE END at +%d", i);
    printf("\n");
}

/* Connects by the connection string; the program ends if that fails. */
static inline void connect_or_exit(void)
{
    SQLRETURN rc;
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
    rc = SQLDriverConnect(dbc, NULL, (SQLCHAR *)connection_string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
    tell("connect", rc, SQL_HANDLE_DBC, dbc);
    if (!SQL_SUCCEEDED(rc))
        exit(1);
}

static inline SQLHSTMT statement(void)
{
    SQLHSTMT stmt = NULL;
    SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt);
    return stmt;
}

/* Executes SQL that gives no rows worth looking at, on a statement of its own. */
static inline void execute(const char *sql)
{
    SQLHSTMT stmt = statement();
    SQLLEN count = -99;
    SQLRETURN rc = SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS);
    tell(sql, rc, SQL_HANDLE_STMT, stmt);
    rc = SQLRowCount(stmt, &count);
    printf("    row count %s %ld\n", rc_name(rc), (long)count);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* Fetches what is left of a result and prints the cells of the first `most` columns as text. */
static inline void rows_of(SQLHSTMT stmt, SQLSMALLINT most)
{
    SQLSMALLINT columns = 0;
    SQLRETURN rc = SQLNumResultCols(stmt, &columns);
    printf("  columns %s %d\n", rc_name(rc), columns);
    if (columns == 0)
        return;
    if (columns > most)
        columns = most;
    while (SQL_SUCCEEDED(rc = SQLFetch(stmt))) {
        printf("  row");
        for (SQLUSMALLINT column = 1; column <= columns; column++) {
            char text[4000];
            SQLLEN length = -99;
            memset(text, FILLER, sizeof text);
            SQLRETURN got = SQLGetData(stmt, column, SQL_C_CHAR, text, sizeof text, &length);
            if (!SQL_SUCCEEDED(got))
                printf(" | %s", rc_name(got)), diagnostics(SQL_HANDLE_STMT, stmt);
            else if (length == SQL_NULL_DATA)
                printf(" | NULL");
            else
                printf(" | %s(%ld)%s", text, (long)length, got == SQL_SUCCESS ? "" : " with info");
        }
        printf("\n");
    }
    tell("  end of rows", rc, SQL_HANDLE_STMT, stmt);
}

/* Fetches what is left of a result and prints every cell as text. */
static inline void rows(SQLHSTMT stmt)
{
    rows_of(stmt, 1000);
}

/* How many columns SQLColumns has by the standard; PostgreSQL's driver adds some, object ids among them. */
enum { STANDARD_COLUMNS = 18 };

/* Runs a query and prints its rows. */
static inline void query(const char *sql)
{
    SQLHSTMT stmt = statement();
    if (SQL_SUCCEEDED(tell(sql, SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS), SQL_HANDLE_STMT, stmt)))
        rows(stmt);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* Disconnects, frees, and says the word the tests wait for. */
static inline int done(void)
{
    ON_DBC(SQLDisconnect(dbc));
    SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    printf("done: everything was asked\n");
    return 0;
}

#endif
