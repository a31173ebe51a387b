/* A small ODBC driver for what no packaged driver does. It has no database: connection strings and statement texts say what it shall do.
 *
 * Connection string:  Polls=N            every function that may run asynchronously says SQL_STILL_EXECUTING N times (default 2), where that is switched on
 *                     Refuse=STATE       connecting fails
 *                     Warn=STATE         connecting succeeds with information
 *                     Manner=NAME        in what drivers differ (manners.c) it is like sqlite, postgres or mariadb
 * SQLBrowseConnect asks in two steps: for Server (alpha or beta), UID and PWD; then for Database (first or second). A wrong server is an error (08001),
 * and browsing goes on. What comes back at the end has everything in it, the password too.
 *
 * Statement text: directives with semicolons between them. Those that are results come one after the other (SQLMoreResults).
 *   rows N              a result of N rows: n INTEGER (1, 2, ...), name VARCHAR(20) ("row 1", NULL for every third)
 *   count N             no columns, a row count
 *   warns STATE TEXT    no columns; SQL_SUCCESS_WITH_INFO
 *   fails STATE TEXT    SQL_ERROR
 *   outputs             the streamed output parameters: SQL_PARAM_DATA_AVAILABLE
 * The others prepare something:
 *   polls N             as Polls=N, for this statement
 *   value P TEXT        the value of output parameter P
 *   long P N            the same: N bytes of "abcdefghij" again and again
 *   null P              the same: NULL
 *   returns N           no columns, and this return code without a diagnostic record
 *   breaks N            the result has no row after the N-th: fetching it is an error
 *   clings              closing the cursor fails the first time, and so does freeing the statement
 *   deaf                SQLCancel succeeds with information, now and while the next text executes, which it does not end
 *   halves              SQLFetch counts its row in 32 bits of the counter that SQL_ATTR_ROWS_FETCHED_PTR names
 *   miscounts N         SQLFetch writes N to that counter at the end of data
 *   lengths             SQLFetch writes the lengths of columns that are bound without a buffer, as ODBC says
 *   waits               SQLParamData, once all data has come, waits for SQLCancel; *Value is -1 meanwhile
 * A ? anywhere is a parameter marker. Input parameters are taken and forgotten, at execution too. Catalog functions give "rows 2".
 *
 * To add a directive: a function and a row in `directives` (script.c). One text of this driver is UTF-8, or UTF-16 through the W functions, which
 * the Unicode build has (-DUNICODE_BUILD, wide.c); the ANSI build is the same without them. */
#ifndef TEST_DRIVER_H
#define TEST_DRIVER_H

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

#ifndef SQL_APD_TYPE
#define SQL_APD_TYPE (-100) /* ODBC 3.8; unixODBC's headers lack it */
#endif

#define EXPORT __attribute__((visibility("default")))

enum { MOST_RECORDS = 40, MOST_RESULTS = 20, MOST_PARAMETERS = 16, MOST_COLUMNS = 16, LONGEST = 600 };
enum width { NARROW, WIDE };
enum manner { OWN, SQLITE, POSTGRES, MARIADB };

/* Diagnostic records (handles.c). */
struct record {
    char state[6];
    SQLINTEGER native;
    char text[LONGEST];
};

/* What every handle begins with. */
struct handle {
    SQLSMALLINT kind;
    int records;
    struct record record[MOST_RECORDS];
};

struct environment {
    struct handle handle;
    SQLINTEGER version;
};

/* A call that says SQL_STILL_EXECUTING (asynchronous.c). */
struct polling {
    int function; /* which function is running; 0 for none */
    int left;     /* how often it will say so */
    int cancelled;
};

struct connection {
    struct handle handle;
    struct environment *environment;
    char given[2000]; /* the connection string so far */
    int browsing, connected;
    SQLULEN asynchronous, asynchronous_functions, autocommit;
    struct polling polling;
    int polls;
    enum manner manner;
    int refused; /* how often it refused an attribute of a statement */
};

struct parameter {
    SQLSMALLINT io, c_type, sql_type;
    SQLPOINTER target;
    SQLLEN capacity;
    SQLLEN *length;
};

struct column {
    SQLSMALLINT c_type;
    SQLPOINTER target;
    SQLLEN capacity;
    SQLLEN *length;
};

enum kind { ROWS, COUNT, WARNING, FAILURE, OUTPUTS, CODE };

struct result {
    enum kind kind;
    long number;
    char state[6];
    char text[LONGEST];
};

/* The value of an output parameter. */
struct value {
    char *text; /* null for NULL */
    size_t length;
};

struct statement {
    struct handle handle;
    struct connection *connection;
    char descriptor[4]; /* their addresses are the descriptors' handles */
    SQLULEN asynchronous;
    struct polling polling;
    int polls;
    /* the script (script.c) */
    struct result results[MOST_RESULTS];
    int result_count, markers, prepared;
    struct value values[MOST_PARAMETERS];
    /* where it stands */
    int result;     /* index of the one at hand, -1 for none */
    long row;       /* the row the cursor is on, from 1 */
    size_t read[MOST_COLUMNS];
    /* parameters (parameters.c) */
    struct parameter parameters[MOST_PARAMETERS];
    int sending;    /* data at execution: the parameter whose data comes, from 1; 0 for none; -1 before the first */
    int streaming;  /* streamed output: the parameter at hand, likewise */
    SQLULEN streaming_set;
    size_t streamed;
    int resuming;   /* more results once the streams are read */
    struct column columns[MOST_COLUMNS];
    /* manners.c */
    long breaks; /* the row after which fetching fails; 0 for none */
    int clings, deaf, waits, halves, lengths, miscounts;
    atomic_int waiting, cancelled; /* SQLParamData waits; SQLCancel came */
    SQLULEN sets;
    SQLUSMALLINT *set_status, *row_status;
    SQLULEN *sets_processed, *rows_fetched;
};

/* handles.c */
SQLRETURN say(void *handle, SQLRETURN rc, const char *state, SQLINTEGER native, const char *text);
void forget(void *handle);
SQLRETURN get_record(SQLSMALLINT kind, SQLHANDLE of, SQLSMALLINT number, void *state, SQLINTEGER *native, void *text, SQLSMALLINT capacity, SQLSMALLINT *length,
                     enum width width);
SQLRETURN get_record_field(SQLSMALLINT kind, SQLHANDLE of, SQLSMALLINT number, SQLSMALLINT field, void *value, SQLSMALLINT capacity, SQLSMALLINT *length,
                           enum width width);

/* text.c: UTF-8 inside, UTF-16 through the W functions. */
char *from_application(const void *text, SQLINTEGER length, enum width width);
int give(const char *text, void *buffer, SQLINTEGER capacity, SQLINTEGER *length, enum width width); /* capacity and length in characters; true if cut */
SQLRETURN give_short(void *handle, const char *text, void *buffer, SQLINTEGER capacity, SQLSMALLINT *length, enum width width);
SQLRETURN give_bytes(void *handle, const char *text, void *buffer, SQLINTEGER capacity, SQLSMALLINT *length, enum width width);
const char *keyword(const char *string, const char *name, char *value, size_t room);

/* asynchronous.c */
int still_executing(void *handle, struct polling *polling, int on, int polls, int function, SQLRETURN *rc);
#define POLL(stmt, function)                                                                                                                                   \
    do {                                                                                                                                                       \
        SQLRETURN now;                                                                                                                                         \
        if (still_executing(stmt, &(stmt)->polling, (stmt)->asynchronous, (stmt)->polls, function, &now))                                                      \
            return now;                                                                                                                                        \
    } while (0)

/* connections.c */
SQLRETURN connect_by(struct connection *connection, const char *string, void *out, SQLINTEGER capacity, SQLSMALLINT *length, enum width width);
SQLRETURN browse(struct connection *connection, const char *string, void *out, SQLINTEGER capacity, SQLSMALLINT *length, enum width width);
SQLRETURN get_info(struct connection *connection, SQLUSMALLINT what, void *value, SQLSMALLINT capacity, SQLSMALLINT *length, enum width width);
SQLRETURN set_connection_attribute(struct connection *connection, SQLINTEGER attribute, SQLPOINTER value);
SQLRETURN get_connection_attribute(struct connection *connection, SQLINTEGER attribute, void *value, SQLINTEGER *length);

/* script.c */
SQLRETURN read_script(struct statement *stmt, const char *text);

/* statements.c */
SQLRETURN prepare(struct statement *stmt, const char *text);
SQLRETURN run(struct statement *stmt, const char *text);
SQLRETURN catalog(struct statement *stmt, int function);
SQLRETURN next_result(struct statement *stmt);
SQLRETURN set_attribute(struct statement *stmt, SQLINTEGER attribute, SQLPOINTER value);
SQLRETURN get_attribute(struct statement *stmt, SQLINTEGER attribute, void *value, SQLINTEGER *length);

/* results.c */
SQLRETURN describe(struct statement *stmt, SQLUSMALLINT column, void *name, SQLSMALLINT capacity, SQLSMALLINT *length, SQLSMALLINT *type, SQLULEN *size,
                   SQLSMALLINT *digits, SQLSMALLINT *nullable, enum width width);
SQLRETURN column_attribute(struct statement *stmt, SQLUSMALLINT column, SQLUSMALLINT field, void *text, SQLSMALLINT capacity, SQLSMALLINT *length, SQLLEN *number,
                           enum width width);
SQLRETURN put(void *handle, const char *value, size_t size, size_t *read, SQLSMALLINT c_type, SQLPOINTER target, SQLLEN capacity, SQLLEN *length);

/* manners.c */
void take_manner(struct connection *connection);
SQLRETURN unknown_attribute(struct connection *connection);
SQLRETURN give_fact(struct connection *connection, const char *text, void *value, SQLSMALLINT capacity, SQLSMALLINT *length, enum width width);
SQLRETURN give_string(struct connection *connection, void *out, SQLINTEGER capacity, SQLSMALLINT *length, enum width width);
int read_again(struct statement *stmt, SQLUSMALLINT column, SQLSMALLINT c_type, size_t size, SQLLEN capacity, SQLLEN *length, SQLRETURN *rc);
void write_sets(struct statement *stmt);
SQLRETURN break_off(struct statement *stmt);
int set_place(struct statement *stmt, SQLINTEGER attribute, SQLPOINTER value, SQLRETURN *rc);

/* parameters.c */
SQLRETURN begin_sending(struct statement *stmt);
SQLRETURN begin_streaming(struct statement *stmt);
SQLRETURN read_stream(struct statement *stmt, SQLUSMALLINT parameter, SQLSMALLINT c_type, SQLPOINTER target, SQLLEN capacity, SQLLEN *length);
void write_outputs(struct statement *stmt);

#endif
