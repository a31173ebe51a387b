/* The Unicode functions of the Unicode build. */
#include "test_driver.h"

#ifdef UNICODE_BUILD

EXPORT SQLRETURN SQLGetDiagRecW(SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT number, SQLWCHAR *state, SQLINTEGER *native, SQLWCHAR *text,
                                SQLSMALLINT capacity, SQLSMALLINT *length)
{
    return get_record(kind, handle, number, state, native, text, capacity, length, WIDE);
}

EXPORT SQLRETURN SQLGetDiagFieldW(SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT number, SQLSMALLINT field, SQLPOINTER value, SQLSMALLINT capacity,
                                  SQLSMALLINT *length)
{
    return get_record_field(kind, handle, number, field, value, capacity, length, WIDE);
}

EXPORT SQLRETURN SQLConnectW(SQLHDBC dbc, SQLWCHAR *source, SQLSMALLINT source_length, SQLWCHAR *user, SQLSMALLINT user_length, SQLWCHAR *password,
                             SQLSMALLINT password_length)
{
    (void)source, (void)source_length, (void)user, (void)user_length, (void)password, (void)password_length;
    return connect_by(dbc, "", NULL, 0, NULL, WIDE);
}

EXPORT SQLRETURN SQLDriverConnectW(SQLHDBC dbc, SQLHWND window, SQLWCHAR *text, SQLSMALLINT size, SQLWCHAR *out, SQLSMALLINT capacity, SQLSMALLINT *length,
                                   SQLUSMALLINT completion)
{
    (void)window, (void)completion;
    char *string = from_application(text, size, WIDE);
    SQLRETURN rc = connect_by(dbc, string, out, capacity, length, WIDE);
    free(string);
    return rc;
}

EXPORT SQLRETURN SQLBrowseConnectW(SQLHDBC dbc, SQLWCHAR *text, SQLSMALLINT size, SQLWCHAR *out, SQLSMALLINT capacity, SQLSMALLINT *length)
{
    char *string = from_application(text, size, WIDE);
    SQLRETURN rc = browse(dbc, string, out, capacity, length, WIDE);
    free(string);
    return rc;
}

EXPORT SQLRETURN SQLGetInfoW(SQLHDBC dbc, SQLUSMALLINT what, SQLPOINTER value, SQLSMALLINT capacity, SQLSMALLINT *length)
{
    return get_info(dbc, what, value, capacity, length, WIDE);
}

EXPORT SQLRETURN SQLSetConnectAttrW(SQLHDBC dbc, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER length)
{
    (void)length;
    return set_connection_attribute(dbc, attribute, value);
}

EXPORT SQLRETURN SQLGetConnectAttrW(SQLHDBC dbc, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER capacity, SQLINTEGER *length)
{
    (void)capacity;
    return get_connection_attribute(dbc, attribute, value, length);
}

EXPORT SQLRETURN SQLSetStmtAttrW(SQLHSTMT stmt, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER length)
{
    (void)length;
    return set_attribute(stmt, attribute, value);
}

EXPORT SQLRETURN SQLGetStmtAttrW(SQLHSTMT stmt, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER capacity, SQLINTEGER *length)
{
    (void)capacity;
    return get_attribute(stmt, attribute, value, length);
}

EXPORT SQLRETURN SQLPrepareW(SQLHSTMT stmt, SQLWCHAR *text, SQLINTEGER size)
{
    char *script = from_application(text, size, WIDE);
    SQLRETURN rc = prepare(stmt, script);
    free(script);
    return rc;
}

EXPORT SQLRETURN SQLExecDirectW(SQLHSTMT stmt, SQLWCHAR *text, SQLINTEGER size)
{
    char *script = from_application(text, size, WIDE);
    SQLRETURN rc = run(stmt, script);
    free(script);
    return rc;
}

EXPORT SQLRETURN SQLTablesW(SQLHSTMT stmt, SQLWCHAR *a, SQLSMALLINT al, SQLWCHAR *b, SQLSMALLINT bl, SQLWCHAR *c, SQLSMALLINT cl, SQLWCHAR *d, SQLSMALLINT dl)
{
    (void)a, (void)al, (void)b, (void)bl, (void)c, (void)cl, (void)d, (void)dl;
    return catalog(stmt, SQL_API_SQLTABLES);
}

EXPORT SQLRETURN SQLDescribeColW(SQLHSTMT stmt, SQLUSMALLINT column, SQLWCHAR *name, SQLSMALLINT capacity, SQLSMALLINT *length, SQLSMALLINT *type, SQLULEN *size,
                                 SQLSMALLINT *digits, SQLSMALLINT *nullable)
{
    return describe(stmt, column, name, capacity, length, type, size, digits, nullable, WIDE);
}

EXPORT SQLRETURN SQLColAttributeW(SQLHSTMT stmt, SQLUSMALLINT column, SQLUSMALLINT field, SQLPOINTER text, SQLSMALLINT capacity, SQLSMALLINT *length,
                                  SQLLEN *number)
{
    return column_attribute(stmt, column, field, text, capacity, length, number, WIDE);
}

#endif
