/* Asynchronous execution by polling: a function says SQL_STILL_EXECUTING some times before it does its work. */
#include "test_driver.h"

/* Whether a call has to say something else than its result (`*rc`): it is still executing, was cancelled, or another function is. */
int still_executing(void *handle, struct polling *polling, int on, int polls, int function, SQLRETURN *rc)
{
    if (polling->function && polling->function != function) {
        forget(handle);
        *rc = say(handle, SQL_ERROR, "HY010", 0, "another function is executing");
        return 1;
    }
    if (!polling->function) {
        forget(handle);
        if (!on || polls <= 0)
            return 0;
        polling->function = function, polling->left = polls, polling->cancelled = 0;
    }
    forget(handle);
    if (polling->cancelled) {
        polling->function = 0;
        *rc = say(handle, SQL_ERROR, "HY008", 0, "the operation was cancelled");
        return 1;
    }
    if (polling->left-- > 0) {
        *rc = SQL_STILL_EXECUTING;
        return 1;
    }
    polling->function = 0;
    return 0;
}

EXPORT SQLRETURN SQLCancel(SQLHSTMT of)
{
    struct statement *stmt = of;
    if (atomic_load(&stmt->waiting))
        return atomic_store(&stmt->cancelled, 1), SQL_SUCCESS;
    forget(stmt);
    if (stmt->polling.function && stmt->deaf)
        return say(stmt, SQL_SUCCESS_WITH_INFO, "01000", 25, "it goes on");
    if (stmt->polling.function) {
        stmt->polling.cancelled = 1;
        return SQL_SUCCESS;
    }
    stmt->sending = stmt->streaming = 0;
    return stmt->deaf ? say(stmt, SQL_SUCCESS_WITH_INFO, "01000", 24, "there was nothing to cancel") : SQL_SUCCESS;
}

EXPORT SQLRETURN SQLCancelHandle(SQLSMALLINT kind, SQLHANDLE handle)
{
    if (kind == SQL_HANDLE_STMT)
        return SQLCancel(handle);
    struct connection *connection = handle;
    forget(connection);
    if (connection->polling.function)
        connection->polling.cancelled = 1;
    return SQL_SUCCESS;
}
