/* The program numbers its orders itself, from 1 to 9 in an order of its own, and gives each a short code. It writes them in one
   array and reads them back in blocks, row by row and as numbers and texts: what it reads is what it wrote. The quantities are 1 to 9
   as well, and the same in each run. It may run again on the same
   database. `wide` numbers from 1000 to 9999, so that hardly a number is the same in two runs. */
#include <time.h>
#include "report.h"

enum { COUNT = 9 };

static SQLINTEGER numbers[COUNT], quantities[COUNT];
static char codes[COUNT][8];

static void choose(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    srand((unsigned)(now.tv_nsec ^ now.tv_sec));
    for (int at = 0; at < COUNT; at++)
        numbers[at] = quantities[at] = at + 1;
    for (int at = COUNT - 1; at > 0; at--) {
        int other = rand() % (at + 1);
        SQLINTEGER kept = numbers[at];
        numbers[at] = numbers[other], numbers[other] = kept;
    }
    for (int at = 0; at < COUNT && !strcmp(extra, "wide"); at++)
        numbers[at] = 1000 * numbers[at] + rand() % 1000;
    // a letter of its own keeps two codes apart
    for (int at = 0; at < COUNT; at++)
        snprintf(codes[at], sizeof codes[at], "%c%03d", 'a' + at, rand() % 1000);
}

static void expect(const char *what, int row, int same)
{
    printf("  %s of row %d: %s\n", what, row, same ? "what it wrote" : "NOT WHAT IT WROTE");
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    choose();
    connect_or_exit();
    execute("drop table if exists orders");
    execute("create table orders (id integer, qty integer, code varchar(8))");

    SQLHSTMT stmt = statement();
    SQLLEN ends[COUNT];
    for (int at = 0; at < COUNT; at++)
        ends[at] = SQL_NTS;
    SQLSetStmtAttr(stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)COUNT, 0);
    SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_LONG, SQL_INTEGER, 0, 0, numbers, 0, NULL);
    SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_LONG, SQL_INTEGER, 0, 0, quantities, 0, NULL);
    SQLBindParameter(stmt, 3, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 8, 0, codes, sizeof codes[0], ends);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"insert into orders values (?, ?, ?)", SQL_NTS));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);

    SQLINTEGER id[4], qty[4];
    char code[4][8];
    SQLLEN id_length[4], qty_length[4], code_length[4];
    SQLULEN fetched = 0;
    stmt = statement();
    SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)4, 0);
    SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0);
    SQLBindCol(stmt, 1, SQL_C_LONG, id, 0, id_length);
    SQLBindCol(stmt, 2, SQL_C_LONG, qty, 0, qty_length);
    SQLBindCol(stmt, 3, SQL_C_CHAR, code, sizeof code[0], code_length);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select id, qty, code from orders order by qty", SQL_NTS));
    for (int row = 0; SQL_SUCCEEDED(SQLFetch(stmt));) {
        for (SQLULEN at = 0; at < fetched && row < COUNT; at++, row++) {
            expect("number", row, id[at] == numbers[row]);
            expect("quantity", row, qty[at] == quantities[row]);
            expect("code", row, !strcmp(code[at], codes[row]) && code_length[at] == (SQLLEN)strlen(codes[row]));
        }
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);

    stmt = statement();
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"select id, qty, code from orders where id = ?", SQL_NTS));
    for (int row = COUNT - 1; row >= 0; row -= 3) {
        char text[16] = "", first[3] = "", rest[16] = "", wanted[16];
        SQLLEN length = -99;
        SQLDOUBLE as_double = 0;
        snprintf(wanted, sizeof wanted, "%d", (int)numbers[row]);
        SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_LONG, SQL_INTEGER, 0, 0, &numbers[row], 0, NULL);
        tell("execute", SQLExecute(stmt), SQL_HANDLE_STMT, stmt);
        tell("fetch", SQLFetch(stmt), SQL_HANDLE_STMT, stmt);
        SQLGetData(stmt, 1, SQL_C_CHAR, text, sizeof text, &length);
        expect("number as text", row, !strcmp(text, wanted) && length == (SQLLEN)strlen(wanted));
        SQLGetData(stmt, 2, SQL_C_DOUBLE, &as_double, 0, &length);
        expect("quantity as a floating-point number", row, as_double == quantities[row]);
        SQLGetData(stmt, 3, SQL_C_CHAR, first, sizeof first, &length);
        SQLGetData(stmt, 3, SQL_C_CHAR, rest, sizeof rest, &length);
        expect("code in pieces", row, !strncmp(first, codes[row], 2) && !strcmp(rest, codes[row] + 2));
        SQLFreeStmt(stmt, SQL_CLOSE);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
