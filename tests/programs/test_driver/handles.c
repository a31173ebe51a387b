/* Handles, their diagnostic records, and the environment. */
#include "test_driver.h"

/* Adds a record and gives `rc` back. */
SQLRETURN say(void *handle, SQLRETURN rc, const char *state, SQLINTEGER native, const char *text)
{
    struct handle *on = handle;
    if (on->records < MOST_RECORDS) {
        struct record *record = &on->record[on->records++];
        snprintf(record->state, sizeof record->state, "%s", state);
        record->native = native;
        snprintf(record->text, sizeof record->text, "[test driver] %s", text);
    }
    return rc;
}

/* Every function but those that read records forgets the handle's. */
void forget(void *handle)
{
    ((struct handle *)handle)->records = 0;
}

SQLRETURN get_record(SQLSMALLINT kind, SQLHANDLE of, SQLSMALLINT number, void *state, SQLINTEGER *native, void *text, SQLSMALLINT capacity, SQLSMALLINT *length,
                     enum width width)
{
    struct handle *on = of;
    if (!on || on->kind != kind)
        return SQL_INVALID_HANDLE;
    if (number < 1)
        return SQL_ERROR;
    if (number > on->records)
        return SQL_NO_DATA;
    struct record *record = &on->record[number - 1];
    if (state)
        give(record->state, state, 6, NULL, width);
    if (native)
        *native = record->native;
    SQLINTEGER all;
    int cut = give(record->text, text, capacity, &all, width);
    if (length)
        *length = all;
    return cut ? SQL_SUCCESS_WITH_INFO : SQL_SUCCESS;
}

SQLRETURN get_record_field(SQLSMALLINT kind, SQLHANDLE of, SQLSMALLINT number, SQLSMALLINT field, void *value, SQLSMALLINT capacity, SQLSMALLINT *length,
                           enum width width)
{
    struct handle *on = of;
    SQLINTEGER size = width == WIDE ? sizeof(SQLWCHAR) : 1, all = 0;
    if (!on || on->kind != kind)
        return SQL_INVALID_HANDLE;
    if (field == SQL_DIAG_NUMBER)
        return *(SQLINTEGER *)value = on->records, SQL_SUCCESS;
    if (field == SQL_DIAG_ROW_COUNT && kind == SQL_HANDLE_STMT)
        return *(SQLLEN *)value = -1, SQL_SUCCESS;
    if (number < 1)
        return SQL_ERROR;
    if (number > on->records)
        return SQL_NO_DATA;
    struct record *record = &on->record[number - 1];
    const char *text = "";
    switch (field) {
    case SQL_DIAG_NATIVE: return *(SQLINTEGER *)value = record->native, SQL_SUCCESS;
    case SQL_DIAG_ROW_NUMBER: return *(SQLLEN *)value = SQL_NO_ROW_NUMBER, SQL_SUCCESS;
    case SQL_DIAG_COLUMN_NUMBER: return *(SQLINTEGER *)value = SQL_NO_COLUMN_NUMBER, SQL_SUCCESS;
    case SQL_DIAG_SQLSTATE: text = record->state; break;
    case SQL_DIAG_MESSAGE_TEXT: text = record->text; break;
    case SQL_DIAG_CLASS_ORIGIN: case SQL_DIAG_SUBCLASS_ORIGIN: text = "ISO 9075"; break;
    case SQL_DIAG_SERVER_NAME: text = "nowhere"; break;
    }
    int cut = give(text, value, capacity / size, &all, width);
    if (length)
        *length = all * size;
    return cut ? SQL_SUCCESS_WITH_INFO : SQL_SUCCESS;
}

EXPORT SQLRETURN SQLGetDiagRec(SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT number, SQLCHAR *state, SQLINTEGER *native, SQLCHAR *text, SQLSMALLINT capacity,
                               SQLSMALLINT *length)
{
    return get_record(kind, handle, number, state, native, text, capacity, length, NARROW);
}

EXPORT SQLRETURN SQLGetDiagField(SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT number, SQLSMALLINT field, SQLPOINTER value, SQLSMALLINT capacity,
                                 SQLSMALLINT *length)
{
    return get_record_field(kind, handle, number, field, value, capacity, length, NARROW);
}

static void *made(size_t size, SQLSMALLINT kind)
{
    struct handle *handle = calloc(1, size);
    handle->kind = kind;
    return handle;
}

EXPORT SQLRETURN SQLAllocHandle(SQLSMALLINT kind, SQLHANDLE parent, SQLHANDLE *out)
{
    if (kind == SQL_HANDLE_ENV) {
        *out = made(sizeof(struct environment), kind);
    } else if (kind == SQL_HANDLE_DBC) {
        struct connection *connection = *out = made(sizeof *connection, kind);
        connection->environment = parent;
        connection->autocommit = SQL_AUTOCOMMIT_ON;
        forget(parent);
    } else if (kind == SQL_HANDLE_STMT) {
        struct statement *stmt = *out = made(sizeof *stmt, kind);
        stmt->connection = parent;
        stmt->asynchronous = stmt->connection->asynchronous;
        stmt->polls = stmt->connection->polls;
        stmt->result = -1;
        forget(parent);
    } else {
        forget(parent);
        return say(parent, SQL_ERROR, "HYC00", 0, "no descriptors");
    }
    return SQL_SUCCESS;
}

EXPORT SQLRETURN SQLFreeHandle(SQLSMALLINT kind, SQLHANDLE handle)
{
    struct statement *stmt = kind == SQL_HANDLE_STMT ? handle : NULL;
    if (stmt && stmt->clings)
        return stmt->clings--, say(stmt, SQL_ERROR, "HY000", 23, "the statement clings");
    if (stmt)
        for (int i = 0; i < MOST_PARAMETERS; i++)
            free(stmt->values[i].text);
    free(handle);
    return SQL_SUCCESS;
}

EXPORT SQLRETURN SQLSetEnvAttr(SQLHENV env, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER length)
{
    (void)length;
    forget(env);
    if (attribute != SQL_ATTR_ODBC_VERSION)
        return say(env, SQL_ERROR, "HY092", 0, "no such attribute of an environment");
    ((struct environment *)env)->version = (SQLLEN)value;
    return SQL_SUCCESS;
}

EXPORT SQLRETURN SQLGetEnvAttr(SQLHENV env, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER capacity, SQLINTEGER *length)
{
    (void)capacity, (void)length;
    forget(env);
    if (attribute != SQL_ATTR_ODBC_VERSION)
        return say(env, SQL_ERROR, "HY092", 0, "no such attribute of an environment");
    *(SQLINTEGER *)value = ((struct environment *)env)->version;
    return SQL_SUCCESS;
}
