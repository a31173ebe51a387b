/* Runs the queries of a cassette that was made of another tool's records, and tells their columns and rows. */
#include "report.h"

static void ask(const char *sql)
{
    SQLHSTMT stmt = statement();
    SQLSMALLINT columns = 0;
    SQLLEN count = -99;
    if (SQL_SUCCEEDED(ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS)))) {
        ON(stmt, SQLNumResultCols(stmt, &columns));
        for (SQLSMALLINT column = 1; column <= columns; column++) {
            SQLCHAR name[100] = "", type[100] = "";
            SQLSMALLINT kind = 0, scale = 0, nullable = 0;
            SQLULEN size = 0;
            ON(stmt, SQLDescribeCol(stmt, column, name, sizeof name, NULL, &kind, &size, &scale, &nullable));
            ON(stmt, SQLColAttribute(stmt, column, SQL_DESC_TYPE_NAME, type, sizeof type, NULL, NULL));
            printf("    %s %s %d %lu\n", name, type, kind, (unsigned long)size);
        }
        SQLRowCount(stmt, &count);
        printf("    %ld rows\n", (long)count);
        while (columns > 0 && SQL_SUCCEEDED(SQLFetch(stmt)))
            for (SQLSMALLINT column = 1; column <= columns; column++) {
                char text[100] = "";
                SQLLEN length = -99;
                SQLGetData(stmt, column, SQL_C_CHAR, text, sizeof text, &length);
                printf("    %s (%ld)\n", length == SQL_NULL_DATA ? "NULL" : text, (long)length);
            }
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    SQLINTEGER id = 2;
    arguments(argc, argv);
    connect_or_exit();
    ask("SELECT id, name, price, active FROM product ORDER BY id");
    SQLHSTMT stmt = statement();
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0, NULL));
    if (SQL_SUCCEEDED(ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"SELECT name FROM product WHERE id = ?", SQL_NTS))))
        rows(stmt);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    execute("UPDATE product SET active = false");
    execute("SELECT nonsense");
    return done();
}
