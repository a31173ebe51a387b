/* One question about the driver's types, asked often, and each time another part of the answer is looked at. */
#include "report.h"

static SQLHSTMT types(void)
{
    SQLHSTMT stmt = statement();
    tell("SQLGetTypeInfo", SQLGetTypeInfo(stmt, SQL_ALL_TYPES), SQL_HANDLE_STMT, stmt);
    return stmt;
}

static void cells(SQLHSTMT stmt, int first, int last)
{
    for (int column = first; column <= last; column++) {
        char text[80] = "untouched";
        SQLLEN length = -77;
        SQLRETURN rc = SQLGetData(stmt, column, SQL_C_CHAR, text, sizeof text, &length);
        printf("  %d: %s %d %s\n", column, rc_name(rc), (int)length, length < 0 ? "" : text);
    }
}

int main(int argc, char **argv)
{
    SQLHSTMT stmt;
    SQLSMALLINT count = -1;
    arguments(argc, argv);
    connect_or_exit();

    puts("only how many columns");
    stmt = types();
    ON(stmt, SQLNumResultCols(stmt, &count));
    printf("%d columns\n", count);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);

    puts("the first column of all rows");
    stmt = types();
    int rows = 0;
    while (SQL_SUCCEEDED(SQLFetch(stmt))) {
        cells(stmt, 1, 1);
        rows++;
    }
    printf("%d rows\n", rows);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);

    puts("some columns of the first row");
    stmt = types();
    ON(stmt, SQLFetch(stmt));
    cells(stmt, 1, 3);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);

    puts("others of the first two rows");
    stmt = types();
    ON(stmt, SQLFetch(stmt));
    cells(stmt, 6, 7);
    ON(stmt, SQLFetch(stmt));
    cells(stmt, 2, 4);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);

    puts("what a column is called");
    stmt = types();
    SQLCHAR name[40] = "";
    SQLSMALLINT length = -1;
    ON(stmt, SQLDescribeCol(stmt, 2, name, sizeof name, &length, NULL, NULL, NULL, NULL));
    printf("%s, %d\n", name, length);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
