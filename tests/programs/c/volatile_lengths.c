/* The program writes a text and a number of its own choice (the argument) and reads them back into buffers that the recorded ones
   fit and others do not, and the other way round: in each run lengths and return codes are those of the value of that run. The text
   is sent as a parameter, in pieces at execution, and in an array. */
#include "report.h"

/* The return code, the SQLSTATE of a warning, the length, and the text up to its end: what stands behind it, and
   whether a text that is cut off is ended at all, is the driver's habit. */
static SQLRETURN show(const char *what, SQLRETURN rc, SQLHSTMT stmt, SQLLEN length, const unsigned char *buffer, size_t size, size_t unit)
{
    SQLCHAR state[6] = "", text[200];
    if (rc == SQL_SUCCESS_WITH_INFO || rc == SQL_ERROR)
        SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 1, state, NULL, text, sizeof text, NULL);
    printf("%s -> %s %s\n", what, rc_name(rc), state);
    if (SQL_SUCCEEDED(rc)) {
        size_t end = 0;
        while (end + unit < size && (buffer[end] || (unit == 2 && buffer[end + 1])))
            end += unit;
        printf("    length %ld\n", (long)length);
        written("value", buffer, size, unit > 2 ? size : end);
    }
    return rc;
}

static size_t unit_of(SQLSMALLINT type)
{
    return type == SQL_C_CHAR ? 1 : type == SQL_C_WCHAR ? 2 : 8;
}

static void read_bound(SQLSMALLINT type, SQLLEN size)
{
    unsigned char buffer[64 + GUARD];
    SQLLEN length = -99;
    SQLHSTMT stmt = statement();
    printf("bound as %d in %ld bytes\n", type, (long)size);
    SQLBindCol(stmt, 1, type, filled(buffer, size), size, &length);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select t from w where n > 99999 order by id", SQL_NTS));
    for (int row = 0; row < 9; row++) {
        filled(buffer, size);
        SQLRETURN rc = SQLFetch(stmt);
        if (!SQL_SUCCEEDED(show("fetch", rc, stmt, length, buffer, size, unit_of(type))))
            break;
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void read_pieces(SQLSMALLINT type, SQLLEN size)
{
    unsigned char buffer[64 + GUARD];
    SQLHSTMT stmt = statement();
    printf("in pieces as %d in %ld bytes\n", type, (long)size);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select id, t from w order by id", SQL_NTS));
    ON(stmt, SQLFetch(stmt));
    for (int piece = 0; piece < 20; piece++) {
        SQLLEN length = -99;
        SQLRETURN rc = SQLGetData(stmt, 2, type, filled(buffer, size), size, &length);
        if (!SQL_SUCCEEDED(show("piece", rc, stmt, length, buffer, size, unit_of(type))))
            break;
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void read_number(SQLSMALLINT type, SQLLEN size)
{
    unsigned char buffer[64 + GUARD];
    SQLLEN length = -99;
    SQLHSTMT stmt = statement();
    printf("number as %d in %ld bytes\n", type, (long)size);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select n from w where id = 1", SQL_NTS));
    ON(stmt, SQLFetch(stmt));
    SQLRETURN rc = SQLGetData(stmt, 1, type, filled(buffer, size), size, &length);
    show("number", rc, stmt, length, buffer, size, unit_of(type));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    char text[64], sql[200], texts[3][80];
    SQLINTEGER ids[3] = {3, 4, 5};
    SQLLEN lengths[3];
    SQLBIGINT number = 0;
    snprintf(text, sizeof text, "%s", extra);
    for (const char *at = text; *at; at++)
        number = (number * 7 + *at) % 100000000;
    number = number * (strlen(text) > 20 ? 100000 : 1) + 1000000;
    execute("create table w (id integer, t varchar(200), n bigint)");

    SQLHSTMT stmt = statement();
    SQLINTEGER id = 1;
    SQLLEN at_execution = SQL_DATA_AT_EXEC;
    SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_LONG, SQL_INTEGER, 0, 0, &id, 0, NULL);
    SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 200, 0, text, 0, NULL);
    SQLBindParameter(stmt, 3, SQL_PARAM_INPUT, SQL_C_SBIGINT, SQL_BIGINT, 0, 0, &number, 0, NULL);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"insert into w (id, t, n) values (?, ?, ?)", SQL_NTS));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);

    stmt = statement();
    id = 2;
    SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_LONG, SQL_INTEGER, 0, 0, &id, 0, NULL);
    SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 200, 0, text, 0, &at_execution);
    SQLBindParameter(stmt, 3, SQL_PARAM_INPUT, SQL_C_SBIGINT, SQL_BIGINT, 0, 0, &number, 0, NULL);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"insert into w (id, t, n) values (?, ?, ?)", SQL_NTS));
    SQLPOINTER token;
    ON(stmt, SQLParamData(stmt, &token));
    ON(stmt, SQLPutData(stmt, text, 7));
    ON(stmt, SQLPutData(stmt, text + 7, strlen(text) - 7));
    ON(stmt, SQLParamData(stmt, &token));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);

    stmt = statement();
    for (int row = 0; row < 3; row++) {
        snprintf(texts[row], sizeof texts[row], "%d%s", row, text);
        lengths[row] = row == 1 ? SQL_NULL_DATA : (SQLLEN)strlen(texts[row]);
    }
    SQLSetStmtAttr(stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)3, 0);
    SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_LONG, SQL_INTEGER, 0, 0, ids, 0, NULL);
    SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 200, 0, texts, sizeof texts[0], lengths);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"insert into w (id, t, n) values (?, ?, 100000)", SQL_NTS));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);

    read_bound(SQL_C_CHAR, 20);
    read_bound(SQL_C_CHAR, 64);
    read_bound(SQL_C_WCHAR, 40);
    read_pieces(SQL_C_CHAR, 10);
    read_pieces(SQL_C_WCHAR, 20);
    read_pieces(SQL_C_CHAR, 16);
    read_number(SQL_C_CHAR, 10);
    read_number(SQL_C_CHAR, 30);
    read_number(SQL_C_SBIGINT, 8);
    read_number(SQL_C_DOUBLE, 8);

    stmt = statement();
    snprintf(sql, sizeof sql, "select t from w where t = '%s' and n = %lld", text, (long long)number);
    tell("by literals", SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS), SQL_HANDLE_STMT, stmt);
    rows_of(stmt, 1);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
