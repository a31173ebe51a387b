/* Buffers that are bound beyond the result's columns, the last of them given back, and SQLExtendedFetch without a row counter. */
#include "report.h"
#include <sys/mman.h>

static void beyond(void)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER first = -7, second = -7;
    SQLLEN first_length = -7, second_length = -7;
    size_t page = 4096;
    char *third = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, &first, 0, &first_length));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_SLONG, &second, 0, &second_length));
    ON(stmt, SQLBindCol(stmt, 3, SQL_C_CHAR, third, 20, (SQLLEN *)(third + 64)));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select 1, 2, 'three'", SQL_NTS));
    ON(stmt, SQLFetch(stmt));
    printf("    %d %d %s\n", (int)first, (int)second, third);
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    munmap(third, page); /* whoever looks there now does not come back */
    second = 77, second_length = 78;
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select 4", SQL_NTS));
    ON(stmt, SQLFetch(stmt));
    printf("    %d, and %d (%ld) as it was\n", (int)first, (int)second, (long)second_length);
    ON(stmt, SQLFetch(stmt));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* Three columns bound, and results with three and with two, where a driver takes several: each has its own number. */
static void two_results(void)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER numbers[3] = {-7, -7, -7};
    SQLSMALLINT columns = -7;
    for (SQLUSMALLINT i = 0; i < 3; i++)
        ON(stmt, SQLBindCol(stmt, i + 1, SQL_C_SLONG, &numbers[i], 0, NULL));
    SQLRETURN rc = ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select 1, 2, 3; select 4, 5", SQL_NTS));
    while (SQL_SUCCEEDED(rc)) {
        ON(stmt, SQLNumResultCols(stmt, &columns));
        ON(stmt, SQLFetch(stmt));
        printf("    %d columns: %d %d %d\n", columns, (int)numbers[0], (int)numbers[1], (int)numbers[2]);
        rc = ON(stmt, SQLMoreResults(stmt));
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void uncounted(void)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER numbers[3] = {-7, -7, -7};
    SQLUSMALLINT status[3] = {77, 77, 77};
    ON(stmt, SQLSetStmtAttr(stmt, 9 /* SQL_ROWSET_SIZE */, (SQLPOINTER)3, 0));
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, numbers, 0, NULL));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select 1 union all select 2 union all select 3 union all select 4", SQL_NTS));
    for (int block = 0; block < 3; block++) {
        SQLRETURN rc = ON(stmt, SQLExtendedFetch(stmt, SQL_FETCH_NEXT, 0, NULL, status));
        for (int row = 0; row < 3 && SQL_SUCCEEDED(rc) && status[row] == SQL_ROW_SUCCESS; row++)
            printf("    %d\n", (int)numbers[row]);
        printf("    states %d %d %d\n", status[0], status[1], status[2]);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    beyond();
    two_results();
    uncounted();
    return done();
}
