/* A driver that counts fetched rows in 32 bits of a counter of 64, as drivers of ODBC 2's time do: the upper half stays the program's. */
#include "report.h"

static void fetch(SQLULEN rowset, SQLULEN *counter, SQLULEN before)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER number[2] = {-7, -7};
    if (rowset > 1)
        ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)rowset, 0));
    if (counter)
        ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, counter, 0));
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, number, 0, NULL));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"rows 2; halves", SQL_NTS));
    do
        if (counter)
            *counter = before;
    while (SQL_SUCCEEDED(ON(stmt, SQLFetch(stmt))) && printf("    %d %d, counter %#lx\n", (int)number[0], (int)number[1], counter ? (unsigned long)*counter : 0));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    SQLULEN counter;
    arguments(argc, argv);
    connect_or_exit();
    fetch(1, &counter, 0);
    fetch(2, &counter, 0);
    fetch(2, NULL, 0);
    return done();
}
