/* In what drivers differ, and a recording must not make them alike: the table of tests/programs/c/manners.c, column by column. */
#include "test_driver.h"

void take_manner(struct connection *connection)
{
    static const char *const names[] = {"own", "sqlite", "postgres", "mariadb"};
    char value[20];
    connection->manner = OWN;
    for (int i = OWN; i <= MARIADB && keyword(connection->given, "Manner", value, sizeof value); i++)
        if (!strcmp(value, names[i]))
            connection->manner = i;
}

SQLRETURN unknown_attribute(struct connection *connection)
{
    switch (connection->manner) {
    case SQLITE: return say(connection, SQL_SUCCESS_WITH_INFO, "01S02", 0, "some attribute or other was taken");
    case MARIADB: return SQL_SUCCESS;
    default: return say(connection, SQL_ERROR, "HY092", 0, "no such attribute of a connection");
    }
}

/* A text that does not fit: what is said of it, and which length. */
static SQLRETURN cut(struct connection *connection, SQLRETURN rc, SQLSMALLINT written, SQLSMALLINT *length)
{
    if (rc != SQL_SUCCESS_WITH_INFO || connection->manner == OWN || connection->manner == POSTGRES)
        return rc;
    forget(connection);
    if (length)
        *length = connection->manner == SQLITE ? written : written + 1;
    return SQL_SUCCESS;
}

SQLRETURN give_fact(struct connection *connection, const char *text, void *value, SQLSMALLINT capacity, SQLSMALLINT *length, enum width width)
{
    SQLSMALLINT unit = width == WIDE ? sizeof(SQLWCHAR) : 1;
    return cut(connection, give_bytes(connection, text, value, capacity, length, width), capacity - unit, length);
}

SQLRETURN give_string(struct connection *connection, void *out, SQLINTEGER capacity, SQLSMALLINT *length, enum width width)
{
    return cut(connection, give_short(connection, connection->given, out, capacity, length, width), capacity - 1, length);
}

/* SQLGetData with a buffer of no bytes, of a value read to its end, and of a number read again; true if that is all. */
int read_again(struct statement *stmt, SQLUSMALLINT column, SQLSMALLINT c_type, size_t size, SQLLEN capacity, SQLLEN *length, SQLRETURN *rc)
{
    if (stmt->connection->manner != SQLITE)
        return 0;
    if (c_type == SQL_C_SLONG || c_type == SQL_C_LONG) {
        stmt->read[column] = 0;
        return 0;
    }
    int ended = stmt->read[column] >= size;
    if (length && (ended || capacity == 0))
        *length = ended ? 0 : (SQLLEN)((size - stmt->read[column]) * (c_type == SQL_C_WCHAR ? sizeof(SQLWCHAR) : 1));
    *rc = ended ? SQL_NO_DATA : SQL_SUCCESS;
    return ended || capacity == 0;
}

void write_sets(struct statement *stmt)
{
    if (stmt->connection->manner == SQLITE)
        return;
    for (SQLULEN set = 0; stmt->set_status && set < stmt->sets; set++)
        stmt->set_status[set] = SQL_PARAM_SUCCESS;
    if (stmt->sets_processed)
        *stmt->sets_processed = stmt->sets;
}

/* The row that cannot be fetched. */
SQLRETURN break_off(struct statement *stmt)
{
    if (stmt->connection->manner == POSTGRES && stmt->rows_fetched)
        *stmt->rows_fetched = 0;
    if (stmt->connection->manner == POSTGRES && stmt->row_status)
        stmt->row_status[0] = SQL_ROW_ERROR;
    return say(stmt, SQL_ERROR, "HY000", 20, "the row is broken");
}

/* Statement attributes that are places, one that is refused the first time, and one while a cursor is open; true if it is one of them. */
int set_place(struct statement *stmt, SQLINTEGER attribute, SQLPOINTER value, SQLRETURN *rc)
{
    *rc = SQL_SUCCESS;
    switch (attribute) {
    case SQL_ATTR_PARAMSET_SIZE: stmt->sets = (SQLULEN)value; return 1;
    case SQL_ATTR_PARAM_STATUS_PTR: stmt->set_status = value; return 1;
    case SQL_ATTR_PARAMS_PROCESSED_PTR: stmt->sets_processed = value; return 1;
    case SQL_ATTR_ROW_STATUS_PTR: stmt->row_status = value; return 1;
    case SQL_ATTR_ROWS_FETCHED_PTR: stmt->rows_fetched = value; return 1;
    case SQL_ATTR_QUERY_TIMEOUT:
        if (stmt->connection->refused++ == 0)
            *rc = say(stmt, SQL_ERROR, "HYC00", 22, "not at once");
        return 1;
    case SQL_ATTR_MAX_LENGTH:
        if (stmt->result >= 0 && stmt->result_count)
            *rc = say(stmt, SQL_ERROR, "24000", 23, "a cursor is open");
        return 1;
    }
    return 0;
}
