/* The same rows read in one way or another: other C types, buffers, blocks. A test replays one way what was recorded the other. */
#include "report.h"

enum { MOST = 5 };

static int block(void)
{
    return !strcmp(extra, "blocks") ? 2 : !strcmp(extra, "whole") ? MOST : 1;
}

/* Every row as text: from numbers, if it was recorded so. */
static void bound_as_text(void)
{
    SQLHSTMT stmt = statement();
    char cells[4][MOST][24];
    SQLLEN lengths[4][MOST];
    SQLULEN fetched = 1;
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)(SQLULEN)block(), 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select a, b, c, d from many order by a", SQL_NTS));
    for (int i = 0; i < 4; i++)
        ON(stmt, SQLBindCol(stmt, i + 1, SQL_C_CHAR, cells[i], sizeof cells[i][0], lengths[i]));
    while (SQL_SUCCEEDED(tell("fetch", SQLFetch(stmt), SQL_HANDLE_STMT, stmt)))
        for (SQLULEN row = 0; row < fetched; row++) {
            for (int i = 0; i < 4; i++)
                printf("    %s(%ld)", lengths[i][row] < 0 ? "NULL" : cells[i][row], (long)lengths[i][row]);
            printf("\n");
        }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

static void as_numbers(void)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER a[MOST];
    double b[MOST];
    DATE_STRUCT d[MOST];
    SQLLEN lengths[3][MOST];
    SQLULEN fetched = 1;
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)(SQLULEN)block(), 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select a, b, c, d from many order by a", SQL_NTS));
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, a, 0, lengths[0]));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_DOUBLE, b, 0, lengths[1]));
    ON(stmt, SQLBindCol(stmt, 4, SQL_C_TYPE_DATE, d, 0, lengths[2]));
    while (SQL_SUCCEEDED(tell("fetch", SQLFetch(stmt), SQL_HANDLE_STMT, stmt)))
        for (SQLULEN row = 0; row < fetched; row++) {
            printf("    %d(%ld)", (int)a[row], (long)lengths[0][row]);
            if (lengths[1][row] >= 0)
                printf(" %g(%ld)", b[row], (long)lengths[1][row]);
            if (lengths[2][row] >= 0)
                printf(" %d-%d-%d(%ld)", d[row].year, d[row].month, d[row].day, (long)lengths[2][row]);
            printf("\n");
        }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

/* A column that cannot be converted, and behind it one that is cut off: one row at a time, and all in a block. */
static void as_what_does_not_fit(int size)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER numbers[MOST];
    char dates[MOST][8];
    SQLLEN lengths[2][MOST];
    SQLUSMALLINT status[MOST] = {77, 77, 77, 77, 77};
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)(SQLULEN)size, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_STATUS_PTR, status, 0));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select a, b, c, d from many order by a", SQL_NTS));
    ON(stmt, SQLBindCol(stmt, 3, SQL_C_SLONG, numbers, 0, lengths[0]));
    ON(stmt, SQLBindCol(stmt, 4, SQL_C_CHAR, dates, sizeof dates[0], lengths[1]));
    for (SQLRETURN rc = SQL_SUCCESS; rc != SQL_NO_DATA;) {
        rc = tell("fetch", SQLFetch(stmt), SQL_HANDLE_STMT, stmt);
        printf("    states %d %d %d %d %d\n", status[0], status[1], status[2], status[3], status[4]);
    }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

/* A text in pieces of several sizes, or whole. */
static void in_pieces(void)
{
    SQLHSTMT stmt = statement();
    SQLLEN size = !strcmp(extra, "small") ? 4 : !strcmp(extra, "blocks") ? 9 : 40;
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select c from many order by a", SQL_NTS));
    while (SQL_SUCCEEDED(SQLFetch(stmt))) {
        char text[40], all[100] = "";
        SQLLEN length = -9;
        SQLRETURN rc;
        while (SQL_SUCCEEDED(rc = SQLGetData(stmt, 1, SQL_C_CHAR, text, size, &length)) && length != SQL_NULL_DATA)
            strcat(all, text);
        printf("    %s, then %s\n", length == SQL_NULL_DATA ? "NULL" : all, rc_name(rc));
    }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute("create table many (a integer, b double precision, c varchar(40), d date)");
    execute("insert into many values (1, 1.5, 'a text of some length', '2001-02-03')");
    execute("insert into many values (2, -0.25, '', '1999-12-31')");
    execute("insert into many values (-3, NULL, NULL, NULL)");
    execute("insert into many values (4, 1000, 'four', '2024-02-29')");
    execute("insert into many values (5, 0.5, 'n\xc3\xa4me', '2000-01-01')");
    if (!strcmp(extra, "types"))
        as_numbers(), as_numbers();
    else if (!strcmp(extra, "wrong"))
        as_what_does_not_fit(1), as_what_does_not_fit(MOST);
    else
        bound_as_text(), bound_as_text();
    in_pieces();
    return done();
}
