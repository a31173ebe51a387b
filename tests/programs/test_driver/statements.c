/* Preparing, executing, going on to the next result; statement attributes; closing. */
#include "test_driver.h"

SQLRETURN prepare(struct statement *stmt, const char *text)
{
    POLL(stmt, SQL_API_SQLPREPARE);
    stmt->result = -1;
    SQLRETURN rc = read_script(stmt, text);
    stmt->prepared = SQL_SUCCEEDED(rc);
    return rc;
}

/* Goes on to the next result and says what comes of it. */
SQLRETURN next_result(struct statement *stmt)
{
    if (++stmt->result >= stmt->result_count) {
        if (stmt->result == 0) /* a text without any result */
            return write_outputs(stmt), SQL_SUCCESS;
        stmt->result = stmt->result_count;
        return SQL_NO_DATA;
    }
    struct result *result = &stmt->results[stmt->result];
    stmt->row = 0;
    switch (result->kind) {
    case WARNING: return say(stmt, SQL_SUCCESS_WITH_INFO, result->state, 5, result->text);
    case FAILURE: return say(stmt, SQL_ERROR, result->state, 6, result->text);
    case OUTPUTS: return begin_streaming(stmt);
    case CODE: return result->number;
    default: return write_outputs(stmt), SQL_SUCCESS;
    }
}

static SQLRETURN execute(struct statement *stmt)
{
    stmt->result = -1;
    SQLRETURN rc = begin_sending(stmt);
    write_sets(stmt);
    return rc == SQL_NEED_DATA ? rc : next_result(stmt);
}

SQLRETURN run(struct statement *stmt, const char *text)
{
    POLL(stmt, SQL_API_SQLEXECDIRECT);
    SQLRETURN rc = read_script(stmt, text);
    return SQL_SUCCEEDED(rc) ? execute(stmt) : rc;
}

SQLRETURN catalog(struct statement *stmt, int function)
{
    POLL(stmt, function);
    SQLRETURN rc = read_script(stmt, "rows 2");
    return SQL_SUCCEEDED(rc) ? execute(stmt) : rc;
}

EXPORT SQLRETURN SQLPrepare(SQLHSTMT stmt, SQLCHAR *text, SQLINTEGER size)
{
    char *script = from_application(text, size, NARROW);
    SQLRETURN rc = prepare(stmt, script);
    free(script);
    return rc;
}

EXPORT SQLRETURN SQLExecDirect(SQLHSTMT stmt, SQLCHAR *text, SQLINTEGER size)
{
    char *script = from_application(text, size, NARROW);
    SQLRETURN rc = run(stmt, script);
    free(script);
    return rc;
}

EXPORT SQLRETURN SQLExecute(SQLHSTMT of)
{
    struct statement *stmt = of;
    POLL(stmt, SQL_API_SQLEXECUTE);
    return stmt->prepared ? execute(stmt) : say(stmt, SQL_ERROR, "HY010", 0, "nothing is prepared");
}

EXPORT SQLRETURN SQLTables(SQLHSTMT stmt, SQLCHAR *a, SQLSMALLINT al, SQLCHAR *b, SQLSMALLINT bl, SQLCHAR *c, SQLSMALLINT cl, SQLCHAR *d, SQLSMALLINT dl)
{
    (void)a, (void)al, (void)b, (void)bl, (void)c, (void)cl, (void)d, (void)dl;
    return catalog(stmt, SQL_API_SQLTABLES);
}

EXPORT SQLRETURN SQLMoreResults(SQLHSTMT of)
{
    struct statement *stmt = of;
    POLL(stmt, SQL_API_SQLMORERESULTS);
    return next_result(stmt);
}

EXPORT SQLRETURN SQLRowCount(SQLHSTMT of, SQLLEN *count)
{
    struct statement *stmt = of;
    forget(stmt);
    int known = stmt->result >= 0 && stmt->result < stmt->result_count && stmt->results[stmt->result].kind == COUNT;
    *count = known ? stmt->results[stmt->result].number : -1;
    return SQL_SUCCESS;
}

EXPORT SQLRETURN SQLNumParams(SQLHSTMT of, SQLSMALLINT *count)
{
    struct statement *stmt = of;
    POLL(stmt, SQL_API_SQLNUMPARAMS);
    *count = stmt->markers;
    return SQL_SUCCESS;
}

static SQLRETURN close_cursor(struct statement *stmt)
{
    forget(stmt);
    if (stmt->clings == 2)
        return stmt->clings--, say(stmt, SQL_ERROR, "HY000", 21, "the cursor clings");
    stmt->result = -1, stmt->row = 0, stmt->sending = stmt->streaming = 0, stmt->polling.function = 0;
    return SQL_SUCCESS;
}

EXPORT SQLRETURN SQLCloseCursor(SQLHSTMT stmt)
{
    return close_cursor(stmt);
}

EXPORT SQLRETURN SQLFreeStmt(SQLHSTMT of, SQLUSMALLINT option)
{
    struct statement *stmt = of;
    forget(stmt);
    switch (option) {
    case SQL_CLOSE: return close_cursor(stmt);
    case SQL_UNBIND: memset(stmt->columns, 0, sizeof stmt->columns); break;
    case SQL_RESET_PARAMS: memset(stmt->parameters, 0, sizeof stmt->parameters); break;
    }
    return SQL_SUCCESS;
}

SQLRETURN set_attribute(struct statement *stmt, SQLINTEGER attribute, SQLPOINTER value)
{
    SQLRETURN rc;
    forget(stmt);
    if (set_place(stmt, attribute, value, &rc))
        return rc;
    if (attribute != SQL_ATTR_ASYNC_ENABLE)
        return say(stmt, SQL_ERROR, "HYC00", 0, "no such attribute of a statement");
    stmt->asynchronous = (SQLULEN)value;
    return SQL_SUCCESS;
}

SQLRETURN get_attribute(struct statement *stmt, SQLINTEGER attribute, void *value, SQLINTEGER *length)
{
    forget(stmt);
    (void)length;
    if (attribute >= SQL_ATTR_APP_ROW_DESC && attribute <= SQL_ATTR_IMP_PARAM_DESC)
        return *(SQLPOINTER *)value = &stmt->descriptor[attribute - SQL_ATTR_APP_ROW_DESC], SQL_SUCCESS;
    if (attribute != SQL_ATTR_ASYNC_ENABLE)
        return say(stmt, SQL_ERROR, "HYC00", 0, "no such attribute of a statement");
    *(SQLULEN *)value = stmt->asynchronous;
    return SQL_SUCCESS;
}

EXPORT SQLRETURN SQLSetStmtAttr(SQLHSTMT stmt, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER length)
{
    (void)length;
    return set_attribute(stmt, attribute, value);
}

EXPORT SQLRETURN SQLGetStmtAttr(SQLHSTMT stmt, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER capacity, SQLINTEGER *length)
{
    (void)capacity;
    return get_attribute(stmt, attribute, value, length);
}
