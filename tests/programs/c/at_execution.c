/* Data at execution: ten megabytes sent in pieces, two values of one execution, NULL, nothing at all, and a change of
 * mind. */
#include "report.h"

enum { SIZE = 10 * 1000 * 1000, PIECE = 1 << 20 };
static char sent[SIZE];

/* Sends `size` bytes of `sent` for whatever is asked for, and says which token that was. */
static SQLRETURN answer(SQLHSTMT stmt, SQLLEN size, SQLLEN piece)
{
    SQLPOINTER token = NULL;
    SQLRETURN rc = SQLParamData(stmt, &token);
    while (rc == SQL_NEED_DATA) {
        printf("    wants number %d\n", (int)(size_t)token);
        if (size == SQL_NULL_DATA || size == 0)
            tell("    put", SQLPutData(stmt, sent, size), SQL_HANDLE_STMT, stmt);
        for (SQLLEN at = 0; at < size; at += piece) {
            rc = SQLPutData(stmt, sent + at, at + piece > size ? size - at : piece);
            if (rc != SQL_SUCCESS)
                tell("    put", rc, SQL_HANDLE_STMT, stmt);
        }
        rc = SQLParamData(stmt, &token);
    }
    return tell("all data sent", rc, SQL_HANDLE_STMT, stmt);
}

static void one(SQLINTEGER id, SQLSMALLINT c_type, SQLSMALLINT sql_type, const char *column, SQLLEN size, SQLLEN piece)
{
    char sql[100];
    SQLHSTMT stmt = statement();
    SQLLEN length = SQL_LEN_DATA_AT_EXEC(size < 0 ? 0 : size), count = -99;
    snprintf(sql, sizeof sql, "insert into late (id, %s) values (?, ?)", column);
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)sql, SQL_NTS));
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0, NULL));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, c_type, sql_type, SIZE, 0, (SQLPOINTER)7, 0, &length));
    if (ON(stmt, SQLExecute(stmt)) == SQL_NEED_DATA)
        answer(stmt, size, piece);
    SQLRETURN rc = SQLRowCount(stmt, &count);
    printf("    row count %s %ld\n", rc_name(rc), (long)count);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void two(void)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER id = 10;
    /* SQLite's driver takes no data it was not told the length of. */
    SQLLEN first = SQL_LEN_DATA_AT_EXEC(12), second = strcmp(dialect, "sqlite") ? SQL_DATA_AT_EXEC : SQL_LEN_DATA_AT_EXEC(12);
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0, NULL));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_LONGVARCHAR, 100, 0, (SQLPOINTER)1, 0, &first));
    ON(stmt, SQLBindParameter(stmt, 3, SQL_PARAM_INPUT, SQL_C_BINARY, SQL_LONGVARBINARY, 100, 0, (SQLPOINTER)2, 0, &second));
    if (ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"insert into late (id, t, b) values (?, ?, ?)", SQL_NTS)) == SQL_NEED_DATA)
        answer(stmt, 12, 5);
    id = 11;
    if (ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"insert into late (id, t, b) values (?, ?, ?)", SQL_NTS)) == SQL_NEED_DATA)
        ON(stmt, SQLCancel(stmt)); /* never mind */
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* Two sets of an array: the counter says whose data is wanted. */
static void of_each_set(void)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER ids[3] = {20, 21, 22};
    SQLLEN lengths[3] = {SQL_LEN_DATA_AT_EXEC(5), SQL_NULL_DATA, SQL_LEN_DATA_AT_EXEC(5)};
    SQLUSMALLINT status[3] = {77, 77, 77};
    SQLULEN processed = 77;
    SQLPOINTER token = NULL;
    static char places[3][10];
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)3, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAM_STATUS_PTR, status, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAMS_PROCESSED_PTR, &processed, 0));
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, ids, 0, NULL));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_LONGVARCHAR, 100, 0, places, sizeof places[0], lengths));
    SQLRETURN rc = ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"insert into late (id, t) values (?, ?)", SQL_NTS));
    for (int i = 0; rc == SQL_NEED_DATA && i < 5; i++) {
        rc = ON(stmt, SQLParamData(stmt, &token));
        printf("    wants %ld, processed %lu\n", rc == SQL_NEED_DATA ? (long)((char (*)[10])token - places) : -1, (unsigned long)processed);
        if (rc == SQL_NEED_DATA)
            ON(stmt, SQLPutData(stmt, i ? "later" : "first", 5));
    }
    printf("    processed %lu, states %d %d %d\n", (unsigned long)processed, status[0], status[1], status[2]);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* SQLite's driver refuses data it was not told the length of; a text that makes no sense is refused at once by some. */
static void refused(void)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER id = 12;
    SQLLEN length = SQL_DATA_AT_EXEC;
    SQLPOINTER token = NULL;
    const char *texts[] = {"insert into late (id, t) values (?, ?)", "insert into nowhere (id, t) values (?, ?)",
                           "insert into late (id, t) values (?, ?)"};
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0, NULL));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_LONGVARCHAR, 100, 0, (SQLPOINTER)1, 0, &length));
    for (int i = 0; i < 3; i++) {
        if (i == 2)
            length = SQL_LEN_DATA_AT_EXEC(6);
        if (ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)texts[i], SQL_NTS)) != SQL_NEED_DATA)
            continue;
        ON(stmt, SQLParamData(stmt, &token));
        if (SQL_SUCCEEDED(ON(stmt, SQLPutData(stmt, "sent 6", 6))))
            ON(stmt, SQLParamData(stmt, &token));
        else
            ON(stmt, SQLCancel(stmt));
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute(by_dialect("create table late (id integer, t text, b blob)", "create table late (id integer, t text, b bytea)",
                       "create table late (id integer, t longtext, b longblob)"));
    for (int i = 0; i < SIZE; i++)
        sent[i] = 'a' + i % 23;
    if (!strcmp(extra, "changed"))
        sent[SIZE - 1] = '!';
    one(1, SQL_C_CHAR, SQL_LONGVARCHAR, "t", SIZE, PIECE);
    one(2, SQL_C_BINARY, SQL_LONGVARBINARY, "b", SIZE, PIECE);
    one(3, SQL_C_CHAR, SQL_LONGVARCHAR, "t", 30, 7);
    one(4, SQL_C_CHAR, SQL_LONGVARCHAR, "t", SQL_NULL_DATA, 1);
    one(5, SQL_C_CHAR, SQL_LONGVARCHAR, "t", 0, 1);
    two();
    of_each_set();
    refused();
    query("select id, length(t), length(b) from late order by id");
    query("select id, t from late where id > 2 order by id");
    return done();
}
