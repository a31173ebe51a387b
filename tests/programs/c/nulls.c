/* What a fetch leaves in the buffers of NULLs. The argument is how many rows a fetch asks for, what the buffers are filled with
 * before it, and which column is the first that is bound: super8 may not look at buffers that the driver has not written. */
#include "report.h"

enum { ROWS = 3, WIDTH = 8 };

int main(int argc, char **argv)
{
    SQLINTEGER number[ROWS];
    double real[ROWS];
    SQLCHAR text[ROWS][WIDTH];
    SQLWCHAR wide[ROWS][WIDTH];
    SQL_TIMESTAMP_STRUCT time[ROWS];
    SQLCHAR raw[ROWS][WIDTH];
    SQLLEN length[6][ROWS];
    char sql[200];
    int rows = 1, filler = FILLER, first = 1;
    arguments(argc, argv);
    sscanf(extra, "%d,%d,%d", &rows, &filler, &first);
    int postgres = !strcmp(dialect, "postgres");
    connect_or_exit();
    sprintf(sql, "create table blank (number integer, amount double precision, note varchar(20), wide varchar(20), moment timestamp null, raw %s)",
        postgres ? "bytea" : "varbinary(20)");
    execute(sql);
    sprintf(sql, "insert into blank values (1, 1.5, 'one', 'one', '2026-01-02 03:04:05', %s)", postgres ? "'\\x0107'" : "x'0107'");
    execute(sql);
    execute("insert into blank (number) values (NULL)");
    execute("insert into blank (number) values (3)");
    SQLHSTMT stmt = statement();
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)(SQLLEN)rows, 0));
    if (first <= 1)
        ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, number, 0, length[0]));
    if (first <= 2)
        ON(stmt, SQLBindCol(stmt, 2, SQL_C_DOUBLE, real, 0, length[1]));
    ON(stmt, SQLBindCol(stmt, 3, SQL_C_CHAR, text, WIDTH, length[2]));
    ON(stmt, SQLBindCol(stmt, 4, SQL_C_WCHAR, wide, sizeof wide[0], length[3]));
    ON(stmt, SQLBindCol(stmt, 5, SQL_C_TYPE_TIMESTAMP, time, sizeof time[0], length[4]));
    ON(stmt, SQLBindCol(stmt, 6, SQL_C_BINARY, raw, WIDTH, length[5]));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select number, amount, note, wide, moment, raw from blank order by coalesce(number, 2)", SQL_NTS));
    for (;;) {
        memset(number, filler, sizeof number), memset(real, filler, sizeof real), memset(text, filler, sizeof text);
        memset(wide, filler, sizeof wide), memset(time, filler, sizeof time), memset(raw, filler, sizeof raw);
        memset(length, 0, sizeof length);
        if (!SQL_SUCCEEDED(ON(stmt, SQLFetch(stmt))))
            break;
        for (int row = 0; row < rows; row++) {
            printf("  %d ", row);
            for (int column = 0; column < 6; column++)
                printf(" %ld", (long)length[column][row]);
            printf("  "), bytes(&number[row], sizeof number[row]);
            printf("  "), bytes(&real[row], sizeof real[row]);
            /* what is behind a text is the driver's */
            printf("  "), bytes(text[row], length[2][row] < 0 ? WIDTH : (size_t)length[2][row] + 1);
            printf("  "), bytes(wide[row], length[3][row] < 0 ? WIDTH * sizeof(SQLWCHAR) : (size_t)length[3][row] + 2);
            printf("  "), bytes(&time[row], sizeof time[row]);
            printf("  "), bytes(raw[row], length[5][row] < 0 ? WIDTH : (size_t)length[5][row]);
            printf("\n");
        }
    }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
    return done();
}
