/* Questions whose answer is a text, each asked with the rooms that the last argument lists (-1: no buffer at all), in that order; with "no_length" no place
 * is given for the length. The question is the same whatever the room: an answer that was asked for with none does not stand for the full one. */
#include "report.h"

static int rooms[20], count;
static int with_length = 1;

#define ASK(what, call)                                                                                                        \
    for (int i = 0; i < count; i++) {                                                                                          \
        char text[300];                                                                                                        \
        int room = rooms[i] < 0 ? 0 : rooms[i];                                                                                \
        SQLSMALLINT length = -7, *at = with_length ? &length : NULL;                                                           \
        SQLINTEGER long_length = -7, *long_at = with_length ? &long_length : NULL;                                             \
        void *buffer = rooms[i] < 0 ? NULL : text;                                                                             \
        (void)at, (void)long_at;                                                                                               \
        memset(text, 'z', 299), text[299] = 0;                                                                                 \
        SQLRETURN rc = (call);                                                                                                 \
        /* What a driver leaves behind a text's end means nothing. */                                                         \
        for (size_t end = strlen(text) + 1; room > 0 && end < 299; end++)                                                      \
            if (end < (size_t)room)                                                                                            \
                text[end] = 'z';                                                                                               \
        printf("%s, room for %d: %s %d %d '%.40s'\n", what, rooms[i], rc_name(rc), length, (int)long_length, text);           \
    }

int main(int argc, char **argv)
{
    arguments(argc, argv);
    SQLHDESC columns = NULL;
    SQLSMALLINT number;
    SQLULEN size;
    SQLLEN value;
    with_length = strstr(extra, "no_length") == NULL;
    for (const char *at = extra; count < 20 && (*at == '-' || (*at >= '0' && *at <= '9')); at += *at == ',') {
        char *end;
        rooms[count++] = (int)strtol(at, &end, 10);
        at = end;
    }
    connect_or_exit();
    execute("create table rooms (a_long_column_name varchar(20), b integer)");
    /* SQLite's driver ends the text that it is given where the buffer for the other one ends. */
    if (strcmp(dialect, "sqlite"))
        ASK("native SQL", SQLNativeSql(dbc, (SQLCHAR *)"select 10", SQL_NTS, buffer, room, long_at));
    ASK("DBMS", SQLGetInfo(dbc, SQL_DBMS_NAME, buffer, (SQLSMALLINT)room, at));
    ASK("keywords", SQLGetInfo(dbc, SQL_KEYWORDS, buffer, (SQLSMALLINT)room, at));
    /* SQLite's driver writes to a buffer that has no room. */
    if (strcmp(dialect, "sqlite"))
        ASK("catalog", SQLGetConnectAttr(dbc, SQL_ATTR_CURRENT_CATALOG, buffer, room, long_at));
    SQLHSTMT stmt = statement();
    /* Drivers name a cursor after an address. */
    if (strcmp(dialect, "sqlite"))
        ON(stmt, SQLSetCursorName(stmt, (SQLCHAR *)"a_long_cursor_name", SQL_NTS));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select a_long_column_name, b from rooms", SQL_NTS));
    ON(stmt, SQLDescribeCol(stmt, 2, NULL, 0, NULL, NULL, NULL, NULL, NULL));
    ASK("column", SQLDescribeCol(stmt, 1, buffer, (SQLSMALLINT)room, at, &number, &size, &number, &number));
    ASK("label", SQLColAttribute(stmt, 1, SQL_DESC_LABEL, buffer, (SQLSMALLINT)room, at, &value));
    ASK("name", SQLColAttribute(stmt, 1, SQL_DESC_NAME, buffer, (SQLSMALLINT)room, at, &value));
    ASK("type name", SQLColAttribute(stmt, 1, SQL_DESC_TYPE_NAME, buffer, (SQLSMALLINT)room, at, &value));
    ASK("table", SQLColAttribute(stmt, 1, SQL_DESC_TABLE_NAME, buffer, (SQLSMALLINT)room, at, &value));
    /* With no room, SQLite's driver says one thing or another by what the place for the length held. */
    if (strcmp(dialect, "sqlite"))
        ASK("base column", SQLColAttribute(stmt, 1, SQL_DESC_BASE_COLUMN_NAME, buffer, (SQLSMALLINT)room, at, &value));
    if (strcmp(dialect, "sqlite"))
        ASK("cursor", SQLGetCursorName(stmt, buffer, (SQLSMALLINT)room, at));
    ON(stmt, SQLGetStmtAttr(stmt, SQL_ATTR_IMP_ROW_DESC, &columns, 0, NULL));
    ASK("field", SQLGetDescField(columns, 1, SQL_DESC_NAME, buffer, room, long_at));
    ASK("record", SQLGetDescRec(columns, 1, buffer, (SQLSMALLINT)room, at, &number, &number, &value, &number, &number, &number));
    SQLExecDirect(stmt, (SQLCHAR *)"selekt nonsense", SQL_NTS);
    /* SQLite's driver writes to a buffer that has no room, and PostgreSQL's write a state there. */
    if (strcmp(dialect, "sqlite")) {
        ASK("message", SQLGetDiagField(SQL_HANDLE_STMT, stmt, 1, SQL_DIAG_MESSAGE_TEXT, buffer, (SQLSMALLINT)room, at));
        ASK("origin", SQLGetDiagField(SQL_HANDLE_STMT, stmt, 1, SQL_DIAG_CLASS_ORIGIN, buffer, (SQLSMALLINT)room, at));
    }
    if (!strcmp(dialect, "mariadb"))
        ASK("state", SQLGetDiagField(SQL_HANDLE_STMT, stmt, 1, SQL_DIAG_SQLSTATE, buffer, (SQLSMALLINT)room, at));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    /* Whether a column is there is all that is asked of this result. */
    stmt = statement();
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select 1 as one, 2 as two", SQL_NTS));
    ON(stmt, SQLDescribeCol(stmt, 2, NULL, 0, NULL, NULL, NULL, NULL, NULL));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
