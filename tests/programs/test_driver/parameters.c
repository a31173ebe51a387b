/* Parameters: data at execution, output parameters, streamed output parameters. */
#include "test_driver.h"
#include <unistd.h>

EXPORT SQLRETURN SQLBindParameter(SQLHSTMT of, SQLUSMALLINT number, SQLSMALLINT io, SQLSMALLINT c_type, SQLSMALLINT sql_type, SQLULEN size, SQLSMALLINT digits,
                                  SQLPOINTER target, SQLLEN capacity, SQLLEN *length)
{
    struct statement *stmt = of;
    (void)size, (void)digits;
    forget(stmt);
    if (number < 1 || number > MOST_PARAMETERS)
        return say(stmt, SQL_ERROR, "07009", 0, "no such parameter");
    stmt->parameters[number - 1] = (struct parameter){io, c_type, sql_type, target, capacity, length};
    return SQL_SUCCESS;
}

static int at_execution(const struct parameter *parameter)
{
    int sent = parameter->io == SQL_PARAM_INPUT || parameter->io == SQL_PARAM_INPUT_OUTPUT || parameter->io == SQL_PARAM_INPUT_OUTPUT_STREAM;
    return sent && parameter->length && (*parameter->length == SQL_DATA_AT_EXEC || *parameter->length <= SQL_LEN_DATA_AT_EXEC_OFFSET);
}

static int streamed(const struct parameter *parameter)
{
    return parameter->io == SQL_PARAM_OUTPUT_STREAM || parameter->io == SQL_PARAM_INPUT_OUTPUT_STREAM;
}

/* The next parameter after `number` (from 1; -1 for before the first) of a kind; 0 for none. */
static int next(struct statement *stmt, int number, int (*wanted)(const struct parameter *))
{
    for (int i = number < 0 ? 0 : number; i < stmt->markers && i < MOST_PARAMETERS; i++)
        if (wanted(&stmt->parameters[i]))
            return i + 1;
    return 0;
}

SQLRETURN begin_sending(struct statement *stmt)
{
    stmt->streaming = 0;
    stmt->sending = next(stmt, -1, at_execution) ? -1 : 0;
    return stmt->sending ? SQL_NEED_DATA : SQL_SUCCESS;
}

SQLRETURN begin_streaming(struct statement *stmt)
{
    stmt->streaming = next(stmt, -1, streamed) ? -1 : 0;
    stmt->streaming_set = 0;
    return stmt->streaming ? SQL_PARAM_DATA_AVAILABLE : SQL_SUCCESS;
}

/* Output parameters that are not streamed. */
void write_outputs(struct statement *stmt)
{
    for (int i = 0; i < stmt->markers && i < MOST_PARAMETERS; i++) {
        struct parameter *parameter = &stmt->parameters[i];
        size_t read = 0;
        if (parameter->io == SQL_PARAM_OUTPUT || parameter->io == SQL_PARAM_INPUT_OUTPUT)
            put(stmt, stmt->values[i].text, stmt->values[i].length, &read, parameter->c_type, parameter->target, parameter->capacity, parameter->length);
    }
}

EXPORT SQLRETURN SQLParamData(SQLHSTMT of, SQLPOINTER *token)
{
    struct statement *stmt = of;
    POLL(stmt, SQL_API_SQLPARAMDATA);
    if (stmt->sending) {
        stmt->sending = next(stmt, stmt->sending, at_execution);
        if (stmt->sending)
            return *token = stmt->parameters[stmt->sending - 1].target, SQL_NEED_DATA;
        if (stmt->waits) {
            atomic_store(&stmt->cancelled, 0), atomic_store(&stmt->waiting, 1);
            *(void *volatile *)token = (void *)-1;
            while (!atomic_load(&stmt->cancelled))
                usleep(1000);
            atomic_store(&stmt->waiting, 0);
            return say(stmt, SQL_ERROR, "HY008", 0, "the execution was cancelled");
        }
        SQLRETURN rc = next_result(stmt);
        if (rc != SQL_PARAM_DATA_AVAILABLE)
            return rc;
    }
    if (!stmt->streaming)
        return say(stmt, SQL_ERROR, "HY010", 0, "no parameter is waited for");
    stmt->streaming = next(stmt, stmt->streaming, streamed);
    if (!stmt->streaming && stmt->streaming_set + 1 < stmt->sets)
        stmt->streaming_set++, stmt->streaming = next(stmt, -1, streamed);
    if (!stmt->streaming)
        return SQL_SUCCESS;
    struct parameter *parameter = &stmt->parameters[stmt->streaming - 1];
    size_t element = parameter->c_type == SQL_C_SLONG ? sizeof(SQLINTEGER) : (size_t)parameter->capacity;
    stmt->streamed = stmt->streaming_set; /* each set's value begins a character later */
    if (stmt->sets > 1 && stmt->sets_processed)
        *stmt->sets_processed = stmt->streaming_set + 1;
    return *token = (char *)parameter->target + stmt->streaming_set * element, SQL_PARAM_DATA_AVAILABLE;
}

EXPORT SQLRETURN SQLPutData(SQLHSTMT of, SQLPOINTER data, SQLLEN length)
{
    struct statement *stmt = of;
    (void)data, (void)length;
    POLL(stmt, SQL_API_SQLPUTDATA);
    return stmt->sending > 0 ? SQL_SUCCESS : say(stmt, SQL_ERROR, "HY010", 0, "no data is waited for");
}

SQLRETURN read_stream(struct statement *stmt, SQLUSMALLINT number, SQLSMALLINT c_type, SQLPOINTER target, SQLLEN capacity, SQLLEN *length)
{
    if (number != stmt->streaming)
        return say(stmt, SQL_ERROR, "07009", 0, "another parameter is being streamed");
    struct value *value = &stmt->values[number - 1];
    if (c_type == SQL_APD_TYPE || c_type == SQL_C_DEFAULT)
        c_type = stmt->parameters[number - 1].c_type;
    return put(stmt, value->text, value->length, &stmt->streamed, c_type, target, capacity, length);
}
