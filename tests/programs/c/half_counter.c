/* A driver that counts fetched rows in 32 bits of a counter of 64, as drivers of ODBC 2's time do: the upper half stays the program's. And
 * one that leaves a number there at the end of data. */
#include "report.h"

static void fetch(const char *script, SQLULEN rowset, SQLULEN *counter, SQLULEN before)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER number[2] = {-7, -7};
    if (rowset > 1)
        ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)rowset, 0));
    if (counter)
        ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, counter, 0));
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, number, 0, NULL));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)script, SQL_NTS));
    do
        if (counter)
            *counter = before;
    while (SQL_SUCCEEDED(ON(stmt, SQLFetch(stmt))) && printf("    %d %d, counter %#lx\n", (int)number[0], (int)number[1], counter ? (unsigned long)*counter : 0));
    if (counter)
        printf("    at the end %#lx\n", (unsigned long)*counter);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    SQLULEN counter;
    arguments(argc, argv);
    connect_or_exit();
    fetch("rows 2; halves", 1, &counter, 0);
    fetch("rows 2; halves", 2, &counter, 0);
    fetch("rows 2; halves", 2, NULL, 0);
    char script[60];
    snprintf(script, sizeof script, "rows 2; miscounts %s", *extra ? extra : "1");
    fetch(script, 1, &counter, 7);
    return done();
}
