/* Connecting at once and in steps, connection attributes, facts, transactions. */
#include "test_driver.h"

static void begin(struct connection *connection)
{
    char value[100];
    connection->connected = 1, connection->browsing = 0;
    connection->polls = keyword(connection->given, "Polls", value, sizeof value) ? atoi(value) : 2;
}

static SQLRETURN complete(struct connection *connection, void *out, SQLINTEGER capacity, SQLSMALLINT *length, enum width width)
{
    char value[100];
    begin(connection);
    take_manner(connection);
    SQLRETURN rc = give_string(connection, out, capacity, length, width);
    if (keyword(connection->given, "Warn", value, sizeof value))
        rc = say(connection, SQL_SUCCESS_WITH_INFO, value, 11, "connected, but");
    return rc;
}

SQLRETURN connect_by(struct connection *connection, const char *string, void *out, SQLINTEGER capacity, SQLSMALLINT *length, enum width width)
{
    char value[100];
    forget(connection);
    snprintf(connection->given, sizeof connection->given, "%s", string);
    if (keyword(string, "Refuse", value, sizeof value))
        return say(connection, SQL_ERROR, value, 10, "refused, as told");
    return complete(connection, out, capacity, length, width);
}

/* SQL_NEED_DATA, and what is asked for. */
static SQLRETURN ask(struct connection *connection, const char *question, void *out, SQLINTEGER capacity, SQLSMALLINT *length, enum width width)
{
    connection->browsing = 1;
    give_short(connection, question, out, capacity, length, width);
    return SQL_NEED_DATA;
}

SQLRETURN browse(struct connection *connection, const char *string, void *out, SQLINTEGER capacity, SQLSMALLINT *length, enum width width)
{
    char value[100];
    size_t have = connection->browsing ? strlen(connection->given) : 0;
    forget(connection);
    if (keyword(string, "Refuse", value, sizeof value))
        return say(connection, SQL_ERROR, value, 10, "refused, as told");
    if (keyword(string, "Server", value, sizeof value) && strcmp(value, "alpha") && strcmp(value, "beta"))
        return say(connection, SQL_ERROR, "08001", 12, "there is no such server");
    snprintf(connection->given + have, sizeof connection->given - have, "%s%s", have && connection->given[have - 1] != ';' ? ";" : "", string);
    if (!keyword(connection->given, "Server", value, sizeof value))
        return ask(connection, "Server:Server={alpha,beta};UID:Login=?;PWD:Password=?;*Trace:Trace={yes,no}", out, capacity, length, width);
    if (!keyword(connection->given, "Database", value, sizeof value))
        return ask(connection, "Database:Database={first,second}", out, capacity, length, width);
    return complete(connection, out, capacity, length, width);
}

EXPORT SQLRETURN SQLConnect(SQLHDBC dbc, SQLCHAR *source, SQLSMALLINT source_length, SQLCHAR *user, SQLSMALLINT user_length, SQLCHAR *password,
                            SQLSMALLINT password_length)
{
    (void)source, (void)source_length, (void)user, (void)user_length, (void)password, (void)password_length;
    return connect_by(dbc, "", NULL, 0, NULL, NARROW);
}

EXPORT SQLRETURN SQLDriverConnect(SQLHDBC dbc, SQLHWND window, SQLCHAR *text, SQLSMALLINT size, SQLCHAR *out, SQLSMALLINT capacity, SQLSMALLINT *length,
                                  SQLUSMALLINT completion)
{
    (void)window, (void)completion;
    char *string = from_application(text, size, NARROW);
    SQLRETURN rc = connect_by(dbc, string, out, capacity, length, NARROW);
    free(string);
    return rc;
}

EXPORT SQLRETURN SQLBrowseConnect(SQLHDBC dbc, SQLCHAR *text, SQLSMALLINT size, SQLCHAR *out, SQLSMALLINT capacity, SQLSMALLINT *length)
{
    char *string = from_application(text, size, NARROW);
    SQLRETURN rc = browse(dbc, string, out, capacity, length, NARROW);
    free(string);
    return rc;
}

EXPORT SQLRETURN SQLDisconnect(SQLHDBC dbc)
{
    struct connection *connection = dbc;
    SQLRETURN now;
    if (still_executing(connection, &connection->polling, connection->asynchronous_functions, connection->polls, SQL_API_SQLDISCONNECT, &now))
        return now;
    connection->connected = connection->browsing = 0;
    return SQL_SUCCESS;
}

EXPORT SQLRETURN SQLEndTran(SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT completion)
{
    (void)completion;
    if (kind == SQL_HANDLE_DBC) {
        struct connection *connection = handle;
        SQLRETURN now;
        if (still_executing(connection, &connection->polling, connection->asynchronous_functions, connection->polls, SQL_API_SQLENDTRAN, &now))
            return now;
    }
    return SQL_SUCCESS;
}

SQLRETURN get_info(struct connection *connection, SQLUSMALLINT what, void *value, SQLSMALLINT capacity, SQLSMALLINT *length, enum width width)
{
    forget(connection);
    switch (what) {
    case SQL_DBMS_NAME: return give_bytes(connection, "Test", value, capacity, length, width);
    case SQL_DBMS_VER: return give_fact(connection, "01.02.0003", value, capacity, length, width);
    case SQL_DRIVER_NAME: return give_bytes(connection, "libtestdriver.so", value, capacity, length, width);
    case SQL_DRIVER_VER: return give_bytes(connection, "01.00.0000", value, capacity, length, width);
    case SQL_DRIVER_ODBC_VER: return give_bytes(connection, "03.80", value, capacity, length, width);
    case SQL_SERVER_NAME: return give_bytes(connection, "nowhere", value, capacity, length, width);
    case SQL_DATABASE_NAME: return give_bytes(connection, "none", value, capacity, length, width);
    case SQL_USER_NAME: return give_bytes(connection, "nobody", value, capacity, length, width);
    case SQL_CURSOR_COMMIT_BEHAVIOR: case SQL_CURSOR_ROLLBACK_BEHAVIOR: return *(SQLUSMALLINT *)value = SQL_CB_PRESERVE, SQL_SUCCESS;
    case SQL_ASYNC_MODE: return *(SQLUINTEGER *)value = SQL_AM_STATEMENT, SQL_SUCCESS;
    case SQL_ASYNC_DBC_FUNCTIONS: return *(SQLUINTEGER *)value = SQL_ASYNC_DBC_CAPABLE, SQL_SUCCESS;
    case SQL_GETDATA_EXTENSIONS: return *(SQLUINTEGER *)value = SQL_GD_OUTPUT_PARAMS | SQL_GD_ANY_ORDER | SQL_GD_ANY_COLUMN, SQL_SUCCESS;
    }
    return say(connection, SQL_ERROR, "HY096", 0, "no such fact");
}

EXPORT SQLRETURN SQLGetInfo(SQLHDBC dbc, SQLUSMALLINT what, SQLPOINTER value, SQLSMALLINT capacity, SQLSMALLINT *length)
{
    return get_info(dbc, what, value, capacity, length, NARROW);
}

SQLRETURN set_connection_attribute(struct connection *connection, SQLINTEGER attribute, SQLPOINTER value)
{
    SQLRETURN now;
    if (still_executing(connection, &connection->polling, connection->asynchronous_functions && connection->connected && attribute == SQL_ATTR_AUTOCOMMIT,
                        connection->polls, SQL_API_SQLSETCONNECTATTR, &now))
        return now;
    switch (attribute) {
    case SQL_ATTR_ASYNC_ENABLE: connection->asynchronous = (SQLULEN)value; return SQL_SUCCESS;
    case SQL_ATTR_ASYNC_DBC_FUNCTIONS_ENABLE: connection->asynchronous_functions = (SQLULEN)value; return SQL_SUCCESS;
    case SQL_ATTR_AUTOCOMMIT: connection->autocommit = (SQLULEN)value; return SQL_SUCCESS;
    case SQL_ATTR_LOGIN_TIMEOUT: case SQL_ATTR_ANSI_APP: return SQL_SUCCESS;
    }
    return unknown_attribute(connection);
}

SQLRETURN get_connection_attribute(struct connection *connection, SQLINTEGER attribute, void *value, SQLINTEGER *length)
{
    forget(connection);
    if (length)
        *length = sizeof(SQLUINTEGER);
    switch (attribute) {
    case SQL_ATTR_ASYNC_ENABLE: return *(SQLULEN *)value = connection->asynchronous, SQL_SUCCESS;
    case SQL_ATTR_ASYNC_DBC_FUNCTIONS_ENABLE: return *(SQLUINTEGER *)value = connection->asynchronous_functions, SQL_SUCCESS;
    case SQL_ATTR_AUTOCOMMIT: return *(SQLUINTEGER *)value = connection->autocommit, SQL_SUCCESS;
    case SQL_ATTR_CONNECTION_DEAD:
        if (getenv("TEST_DRIVER_CANNOT_TELL"))
            break;
        return *(SQLUINTEGER *)value = SQL_CD_FALSE, SQL_SUCCESS;
    }
    return say(connection, SQL_ERROR, "HY092", 0, "no such attribute of a connection");
}

EXPORT SQLRETURN SQLSetConnectAttr(SQLHDBC dbc, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER length)
{
    (void)length;
    return set_connection_attribute(dbc, attribute, value);
}

EXPORT SQLRETURN SQLGetConnectAttr(SQLHDBC dbc, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER capacity, SQLINTEGER *length)
{
    (void)capacity;
    return get_connection_attribute(dbc, attribute, value, length);
}

/* Answers with the text, and clears what is behind it as far as there is room for the answer. SQLite's driver writes a zero there, where
 * the room ends. */
EXPORT SQLRETURN SQLNativeSql(SQLHDBC dbc, SQLCHAR *sql, SQLINTEGER length, SQLCHAR *out, SQLINTEGER capacity, SQLINTEGER *whole)
{
    SQLINTEGER count = length == SQL_NTS ? (SQLINTEGER)strlen((char *)sql) : length;
    forget(dbc);
    if (whole)
        *whole = count;
    if (!out || capacity <= 0)
        return SQL_SUCCESS;
    for (SQLINTEGER at = 0; at < capacity; at++)
        out[at] = at < count && at < capacity - 1 ? sql[at] : 0;
    if (count < capacity)
        memset(sql + count, 0, capacity - count);
    return count < capacity ? SQL_SUCCESS : say(dbc, SQL_SUCCESS_WITH_INFO, "01004", 0, "cut");
}

EXPORT SQLRETURN SQLGetFunctions(SQLHDBC dbc, SQLUSMALLINT function, SQLUSMALLINT *supported)
{
    static const SQLUSMALLINT known[] = {
        SQL_API_SQLALLOCHANDLE,   SQL_API_SQLBINDCOL,        SQL_API_SQLBINDPARAMETER, SQL_API_SQLBROWSECONNECT, SQL_API_SQLCANCEL,
        SQL_API_SQLCANCELHANDLE,  SQL_API_SQLCLOSECURSOR,    SQL_API_SQLCOLATTRIBUTE,  SQL_API_SQLCONNECT,       SQL_API_SQLDESCRIBECOL,
        SQL_API_SQLDISCONNECT,    SQL_API_SQLDRIVERCONNECT,  SQL_API_SQLENDTRAN,       SQL_API_SQLEXECDIRECT,    SQL_API_SQLEXECUTE,
        SQL_API_SQLFETCH,         SQL_API_SQLFREEHANDLE,     SQL_API_SQLFREESTMT,      SQL_API_SQLGETCONNECTATTR, SQL_API_SQLGETDATA,
        SQL_API_SQLGETDIAGFIELD,  SQL_API_SQLGETDIAGREC,     SQL_API_SQLGETENVATTR,    SQL_API_SQLGETFUNCTIONS,  SQL_API_SQLGETINFO,
        SQL_API_SQLGETSTMTATTR,   SQL_API_SQLMORERESULTS,    SQL_API_SQLNUMPARAMS,     SQL_API_SQLNUMRESULTCOLS, SQL_API_SQLPARAMDATA,
        SQL_API_SQLPREPARE,       SQL_API_SQLPUTDATA,        SQL_API_SQLROWCOUNT,      SQL_API_SQLSETCONNECTATTR, SQL_API_SQLSETENVATTR,
        SQL_API_SQLSETSTMTATTR,   SQL_API_SQLTABLES,         SQL_API_SQLNATIVESQL,
    };
    forget(dbc);
    if (function == SQL_API_ODBC3_ALL_FUNCTIONS)
        memset(supported, 0, SQL_API_ODBC3_ALL_FUNCTIONS_SIZE * sizeof *supported);
    else if (function == SQL_API_ALL_FUNCTIONS)
        memset(supported, 0, 100 * sizeof *supported);
    else
        *supported = SQL_FALSE;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (function == SQL_API_ODBC3_ALL_FUNCTIONS)
            supported[known[i] >> 4] |= 1 << (known[i] & 15);
        else if (function == SQL_API_ALL_FUNCTIONS && known[i] < 100)
            supported[known[i]] = SQL_TRUE;
        else if (function == known[i])
            *supported = SQL_TRUE;
    }
    return SQL_SUCCESS;
}
