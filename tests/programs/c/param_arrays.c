/* Arrays of parameters, column-wise and row-wise, with status, processed count, ignored sets and a set that fails. */
#include "report.h"

enum { SETS = 5 };

static void outcome(SQLHSTMT stmt, SQLRETURN rc, const SQLUSMALLINT *status, SQLULEN processed)
{
    tell("execute the array", rc, SQL_HANDLE_STMT, stmt);
    printf("    processed %lu, status", (unsigned long)processed);
    for (int i = 0; i < SETS; i++)
        printf(" %x", status[i]);
    printf("\n");
    for (int result = 0; result < 10; result++) {
        SQLLEN count = -99;
        rc = SQLRowCount(stmt, &count);
        printf("    row count %s %ld\n", rc_name(rc), (long)count);
        rc = SQLMoreResults(stmt);
        printf("    more %s\n", rc_name(rc));
        if (!SQL_SUCCEEDED(rc))
            break;
    }
}

static void column_wise(int first, int clash, int ignore)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER id[SETS];
    char text[SETS][20];
    SQLLEN length[SETS];
    SQLUSMALLINT status[SETS], operation[SETS];
    SQLULEN processed = 77;
    memset(status, FILLER, sizeof status);
    for (int i = 0; i < SETS; i++) {
        id[i] = first + i, operation[i] = SQL_PARAM_PROCEED;
        snprintf(text[i], sizeof text[i], "set %d \xc3\xa9", i);
        length[i] = i == 1 ? SQL_NULL_DATA : SQL_NTS;
    }
    if (clash)
        id[3] = first;
    if (ignore)
        operation[2] = SQL_PARAM_IGNORE;
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)SETS, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAM_STATUS_PTR, status, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAMS_PROCESSED_PTR, &processed, 0));
    if (ignore)
        ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAM_OPERATION_PTR, operation, 0));
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"insert into many (id, t) values (?, ?)", SQL_NTS));
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, id, 0, NULL));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 20, 0, text, sizeof text[0], length));
    outcome(stmt, SQLExecute(stmt), status, processed);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void row_wise(int first)
{
    struct { SQLINTEGER id; char text[20]; SQLLEN length; } sets[2 * SETS];
    SQLHSTMT stmt = statement();
    SQLUSMALLINT status[SETS];
    SQLULEN processed = 77, offset = 0;
    for (int i = 0; i < 2 * SETS; i++) {
        sets[i].id = first + i;
        snprintf(sets[i].text, sizeof sets[i].text, "row %d", i);
        sets[i].length = i % 4 == 2 ? 3 : SQL_NTS;
    }
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAM_BIND_TYPE, (SQLPOINTER)sizeof sets[0], 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)SETS, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAM_STATUS_PTR, status, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAMS_PROCESSED_PTR, &processed, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAM_BIND_OFFSET_PTR, &offset, 0));
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &sets[0].id, 0, NULL));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 20, 0, sets[0].text, 20, &sets[0].length));
    memset(status, FILLER, sizeof status);
    outcome(stmt, SQLExecDirect(stmt, (SQLCHAR *)"insert into many (id, t) values (?, ?)", SQL_NTS), status, processed);
    offset = SETS * sizeof sets[0], processed = 77, memset(status, FILLER, sizeof status);
    SQLFreeStmt(stmt, SQL_CLOSE);
    outcome(stmt, SQLExecDirect(stmt, (SQLCHAR *)"insert into many (id, t) values (?, ?)", SQL_NTS), status, processed);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void long_array(void)
{
    enum { COUNT = 40 };
    SQLHSTMT stmt = statement();
    SQLINTEGER id[COUNT];
    double value[COUNT];
    SQLLEN length[COUNT];
    for (int i = 0; i < COUNT; i++)
        id[i] = 1000 + i, value[i] = i / 7.0, length[i] = i % 9 == 8 ? SQL_NULL_DATA : 0;
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)COUNT, 0));
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, id, 0, NULL));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_DOUBLE, SQL_DOUBLE, 0, 0, value, 0, length));
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"insert into many (id, f) values (?, ?)", SQL_NTS));
    ON(stmt, SQLExecute(stmt));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute(by_dialect("create table many (id integer primary key, t varchar(20), f double)",
                       "create table many (id integer primary key, t varchar(20), f double precision)",
                       "create table many (id integer primary key, t varchar(20), f double)"));
    column_wise(1, 0, 0);
    column_wise(11, 1, 0);
    query("select * from many order by id");
    column_wise(21, 0, 1);
    row_wise(31);
    long_array();
    query("select * from many order by id");
    return done();
}
