/* Results: two columns of made-up rows, bound or read by SQLGetData in pieces. */
#include "test_driver.h"

static struct result *at_hand(struct statement *stmt)
{
    struct result *result = stmt->result >= 0 && stmt->result < stmt->result_count ? &stmt->results[stmt->result] : NULL;
    return result && result->kind == ROWS ? result : NULL;
}

EXPORT SQLRETURN SQLNumResultCols(SQLHSTMT of, SQLSMALLINT *count)
{
    struct statement *stmt = of;
    POLL(stmt, SQL_API_SQLNUMRESULTCOLS);
    int prepared = stmt->prepared && stmt->result < 0 && stmt->result_count && stmt->results[0].kind == ROWS;
    *count = at_hand(stmt) || prepared ? 2 : 0;
    return SQL_SUCCESS;
}

static SQLRETURN no_such_column(struct statement *stmt)
{
    return say(stmt, SQL_ERROR, "07009", 0, "no such column");
}

SQLRETURN describe(struct statement *stmt, SQLUSMALLINT column, void *name, SQLSMALLINT capacity, SQLSMALLINT *length, SQLSMALLINT *type, SQLULEN *size,
                   SQLSMALLINT *digits, SQLSMALLINT *nullable, enum width width)
{
    POLL(stmt, SQL_API_SQLDESCRIBECOL);
    if (column < 1 || column > 2)
        return no_such_column(stmt);
    if (type)
        *type = column == 1 ? SQL_INTEGER : SQL_VARCHAR;
    if (size)
        *size = column == 1 ? 10 : 20;
    if (digits)
        *digits = 0;
    if (nullable)
        *nullable = column == 1 ? SQL_NO_NULLS : SQL_NULLABLE;
    return give_short(stmt, column == 1 ? "n" : "name", name, capacity, length, width);
}

SQLRETURN column_attribute(struct statement *stmt, SQLUSMALLINT column, SQLUSMALLINT field, void *text, SQLSMALLINT capacity, SQLSMALLINT *length, SQLLEN *number,
                           enum width width)
{
    POLL(stmt, SQL_API_SQLCOLATTRIBUTE);
    if (column < 1 || column > 2)
        return no_such_column(stmt);
    switch (field) {
    case SQL_DESC_NAME: case SQL_DESC_LABEL: return give_bytes(stmt, column == 1 ? "n" : "name", text, capacity, length, width);
    case SQL_DESC_CONCISE_TYPE: case SQL_DESC_TYPE: return *number = column == 1 ? SQL_INTEGER : SQL_VARCHAR, SQL_SUCCESS;
    case SQL_DESC_DISPLAY_SIZE: return *number = column == 1 ? 11 : 20, SQL_SUCCESS;
    }
    return say(stmt, SQL_ERROR, "HY091", 0, "no such field");
}

EXPORT SQLRETURN SQLDescribeCol(SQLHSTMT stmt, SQLUSMALLINT column, SQLCHAR *name, SQLSMALLINT capacity, SQLSMALLINT *length, SQLSMALLINT *type, SQLULEN *size,
                                SQLSMALLINT *digits, SQLSMALLINT *nullable)
{
    return describe(stmt, column, name, capacity, length, type, size, digits, nullable, NARROW);
}

EXPORT SQLRETURN SQLColAttribute(SQLHSTMT stmt, SQLUSMALLINT column, SQLUSMALLINT field, SQLPOINTER text, SQLSMALLINT capacity, SQLSMALLINT *length,
                                 SQLLEN *number)
{
    return column_attribute(stmt, column, field, text, capacity, length, number, NARROW);
}

EXPORT SQLRETURN SQLBindCol(SQLHSTMT of, SQLUSMALLINT column, SQLSMALLINT c_type, SQLPOINTER target, SQLLEN capacity, SQLLEN *length)
{
    struct statement *stmt = of;
    forget(stmt);
    if (column < 1 || column > 2)
        return no_such_column(stmt);
    stmt->columns[column] = (struct column){c_type, target, capacity, length};
    return SQL_SUCCESS;
}

/* Writes (what is left of) a value; a null one is NULL. `*read` is how much of it was given before. */
SQLRETURN put(void *handle, const char *value, size_t size, size_t *read, SQLSMALLINT c_type, SQLPOINTER target, SQLLEN capacity, SQLLEN *length)
{
    if (*read > size || (*read == size && size))
        return SQL_NO_DATA;
    if (!value) {
        *read = size + 1;
        if (!length)
            return say(handle, SQL_ERROR, "22002", 0, "NULL, and no indicator");
        return *length = SQL_NULL_DATA, SQL_SUCCESS;
    }
    if (c_type == SQL_C_SLONG || c_type == SQL_C_LONG) {
        *(SQLINTEGER *)target = atoi(value);
        *read = size + 1;
        return length ? *length = sizeof(SQLINTEGER) : 0, SQL_SUCCESS;
    }
    size_t unit = c_type == SQL_C_WCHAR ? sizeof(SQLWCHAR) : 1, end = c_type == SQL_C_BINARY ? 0 : unit, left = size - *read;
    size_t room = capacity > (SQLLEN)end ? (capacity - end) / unit : 0, most = left < room ? left : room;
    if (length)
        *length = left * unit;
    for (size_t i = 0; i < most; i++)
        if (c_type == SQL_C_WCHAR)
            ((SQLWCHAR *)target)[i] = (unsigned char)value[*read + i];
        else
            ((char *)target)[i] = value[*read + i];
    if (capacity >= (SQLLEN)end)
        memset((char *)target + most * unit, 0, end);
    *read = most < left ? *read + most : size + (size == 0);
    return most < left ? say(handle, SQL_SUCCESS_WITH_INFO, "01004", 0, "data was cut off") : SQL_SUCCESS;
}

static SQLRETURN cell(struct statement *stmt, SQLUSMALLINT column, SQLSMALLINT c_type, SQLPOINTER target, SQLLEN capacity, SQLLEN *length)
{
    char text[40];
    snprintf(text, sizeof text, column == 1 ? "%ld" : "row %ld", stmt->row);
    if (c_type == SQL_C_DEFAULT)
        c_type = column == 1 ? SQL_C_SLONG : SQL_C_CHAR;
    const char *value = column == 2 && stmt->row % 3 == 0 ? NULL : text;
    SQLRETURN again;
    if (value && read_again(stmt, column, c_type, strlen(text), capacity, length, &again))
        return again;
    return put(stmt, value, value ? strlen(text) : 0, &stmt->read[column], c_type, target, capacity, length);
}

EXPORT SQLRETURN SQLFetch(SQLHSTMT of)
{
    struct statement *stmt = of;
    POLL(stmt, SQL_API_SQLFETCH);
    struct result *result = at_hand(stmt);
    SQLRETURN rc = SQL_SUCCESS;
    if (!result)
        return say(stmt, SQL_ERROR, "24000", 0, "no rows to fetch");
    if (stmt->breaks && stmt->row == stmt->breaks)
        return break_off(stmt);
    if (stmt->row >= result->number) {
        if (stmt->miscounts && stmt->rows_fetched)
            *stmt->rows_fetched = stmt->miscounts;
        return SQL_NO_DATA;
    }
    stmt->row++;
    if (stmt->halves && stmt->rows_fetched)
        *(SQLUINTEGER *)stmt->rows_fetched = 1;
    memset(stmt->read, 0, sizeof stmt->read);
    for (int column = 1; column <= 2; column++) {
        struct column *bound = &stmt->columns[column];
        if (bound->target && cell(stmt, column, bound->c_type, bound->target, bound->capacity, bound->length) == SQL_SUCCESS_WITH_INFO)
            rc = SQL_SUCCESS_WITH_INFO;
        char text[40];
        if (stmt->lengths && !bound->target && bound->length)
            cell(stmt, column, bound->c_type, text, sizeof text, bound->length);
    }
    return rc;
}

EXPORT SQLRETURN SQLGetData(SQLHSTMT of, SQLUSMALLINT column, SQLSMALLINT c_type, SQLPOINTER target, SQLLEN capacity, SQLLEN *length)
{
    struct statement *stmt = of;
    POLL(stmt, SQL_API_SQLGETDATA);
    if (stmt->streaming > 0)
        return read_stream(stmt, column, c_type, target, capacity, length);
    if (!at_hand(stmt) || stmt->row == 0)
        return say(stmt, SQL_ERROR, "24000", 0, "there is no row");
    if (column < 1 || column > 2)
        return no_such_column(stmt);
    return cell(stmt, column, c_type, target, capacity, length);
}
