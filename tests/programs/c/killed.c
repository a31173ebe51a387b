/* Reads a result of 50,000 rows and is killed at row 30,000, as by kill -9, or ends there with _exit: of what was read nothing but
   the end may be missing in what is recovered. The recovered cassette ends earlier than that, with an error. One more argument says
   how rows are read, and, with the word "leaves", that the program ends by itself. */
#include "report.h"
#include <signal.h>
#include <unistd.h>

enum { KILLED_AT = 30000, BLOCK = 100 };

static long checked;

/* Each row says its number twice. */
static void check(SQLINTEGER number, const char *text)
{
    char expected[32];
    checked++;
    snprintf(expected, sizeof expected, "row %ld", checked);
    if (number != checked || strcmp(text, expected))
        printf("row %ld is (%d, %s)\n", checked, (int)number, text);
    if (checked == KILLED_AT && strstr(extra, "leaves"))
        _exit(0);
    if (checked == KILLED_AT)
        raise(SIGKILL);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    SQLHSTMT stmt = statement();
    SQLINTEGER numbers[BLOCK];
    char texts[BLOCK][32];
    SQLLEN lengths[2][BLOCK];
    SQLULEN count = 1;
    int by_cell = !!strstr(extra, "get_data"), block = !!strstr(extra, "block");
    if (block) {
        SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)(SQLULEN)BLOCK, 0);
        SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &count, 0);
    }
    if (!by_cell) {
        SQLBindCol(stmt, 1, SQL_C_SLONG, numbers, sizeof *numbers, lengths[0]);
        SQLBindCol(stmt, 2, SQL_C_CHAR, texts, sizeof *texts, lengths[1]);
    }
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"with recursive n (i) as (select 1 union all select i + 1 from n where i < 50000) "
                                            "select i, 'row ' || i from n", SQL_NTS));
    SQLRETURN rc;
    while (SQL_SUCCEEDED(rc = SQLFetch(stmt))) {
        if (by_cell) {
            SQLGetData(stmt, 1, SQL_C_SLONG, numbers, sizeof *numbers, lengths[0]);
            SQLGetData(stmt, 2, SQL_C_CHAR, texts, sizeof *texts, lengths[1]);
        }
        for (SQLULEN at = 0; at < count; at++)
            check(numbers[at], texts[at]);
    }
    tell("SQLFetch", rc, SQL_HANDLE_STMT, stmt);
    printf("rows: %ld\n", checked);
    return 0;
}
