/* Numbers and intervals sent as structures, as parameters and in columns. The parts that do not count are different in every run: what the
 * program happened to leave there is no difference between a recording and its replay. The parts that count are the same each time. */
#include "report.h"
#include <unistd.h>

static int junk;

static void show(SQLHSTMT stmt)
{
    char text[60] = "";
    ON(stmt, SQLFetch(stmt));
    ON(stmt, SQLGetData(stmt, 1, SQL_C_CHAR, text, sizeof text, NULL));
    printf("    %s\n", text);
    SQLFreeStmt(stmt, SQL_CLOSE);
}

static SQL_NUMERIC_STRUCT number_of_25212(void)
{
    SQL_NUMERIC_STRUCT number;
    memset(&number, 0, sizeof number);
    number.precision = 5, number.scale = 3, number.sign = 1;
    number.val[0] = 0x7c, number.val[1] = 0x62;
    return number;
}

static void send_number(const char *what, SQL_NUMERIC_STRUCT number, int by_descriptor)
{
    SQLHSTMT stmt = statement();
    SQLHDESC descriptor;
    printf("%s\n", what);
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_NUMERIC, SQL_DECIMAL, 5, 3, &number, sizeof number, NULL));
    if (by_descriptor) {
        SQLGetStmtAttr(stmt, SQL_ATTR_APP_PARAM_DESC, &descriptor, 0, NULL);
        SQLSetDescField(descriptor, 1, SQL_DESC_TYPE, (SQLPOINTER)SQL_C_NUMERIC, 0);
        SQLSetDescField(descriptor, 1, SQL_DESC_PRECISION, (SQLPOINTER)5, 0);
        SQLSetDescField(descriptor, 1, SQL_DESC_SCALE, (SQLPOINTER)3, 0);
        SQLSetDescField(descriptor, 1, SQL_DESC_DATA_PTR, &number, 0);
    }
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select cast(? as decimal(10,3))", SQL_NTS));
    show(stmt);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* The driver may put the parameter's precision and scale into the structure. */
static void written_structure(void)
{
    SQLHSTMT stmt = statement();
    SQL_NUMERIC_STRUCT number = number_of_25212();
    number.precision = 0;
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"select cast(? as decimal(10,3))", SQL_NTS));
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_NUMERIC, SQL_DECIMAL, 5, 3, &number, sizeof number, NULL));
    for (int times = 0; times < 2; times++) {
        ON(stmt, SQLExecute(stmt));
        printf("    precision %d, scale %d, sign %d\n", number.precision, number.scale, number.sign);
        show(stmt);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void send_interval(SQLSMALLINT c_type, SQLSMALLINT sql_type, SQL_INTERVAL_STRUCT interval, int later)
{
    SQLHSTMT stmt = statement();
    printf("interval %d\n", c_type);
    interval.interval_sign = SQL_FALSE;
    SQLLEN length = SQL_DATA_AT_EXEC;
    SQLPOINTER token;
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, c_type, sql_type, 20, 0, &interval, sizeof interval, later ? &length : NULL));
    if (ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select ?", SQL_NTS)) == SQL_NEED_DATA) {
        ON(stmt, SQLParamData(stmt, &token));
        ON(stmt, SQLPutData(stmt, &interval, sizeof interval));
        ON(stmt, SQLParamData(stmt, &token));
    }
    show(stmt);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* The same structures in columns that are written through a cursor: changed, added, with data at execution, and ignored. */
static void written_through_cursor(int writes)
{
    SQLHSTMT stmt = statement();
    SQLHDESC descriptor;
    SQL_NUMERIC_STRUCT number[2];
    SQL_INTERVAL_STRUCT interval[2];
    SQLINTEGER id[2] = {2, 3};
    SQLLEN id_length[2] = {SQL_COLUMN_IGNORE, 0}, number_length[2] = {sizeof *number, sizeof *number};
    SQLLEN interval_length[2] = {sizeof *interval, sizeof *interval};
    SQLPOINTER token;
    SQLRETURN rc;
    execute("drop table if exists measured");
    execute(writes ? "create table measured (id int primary key, amount decimal(10,3), span time)"
                   : "create table measured (id int primary key, amount decimal(10,3), span interval)");
    execute("insert into measured values (1, 1, null)");
    SQLSetStmtAttr(stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)(SQLULEN)(writes ? SQL_CURSOR_STATIC : SQL_CURSOR_KEYSET_DRIVEN), 0);
    SQLSetStmtAttr(stmt, SQL_ATTR_CONCURRENCY, (SQLPOINTER)SQL_CONCUR_ROWVER, 0);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select id, amount, span from measured order by id", SQL_NTS));
    ON(stmt, SQLFetch(stmt));
    for (int row = 0; row < 2; row++) {
        number[row] = number_of_25212(), number[row].precision = 40 + junk % 30, number[row].sign = 40 + junk % 30;
        memset(interval + row, junk, sizeof *interval), interval[row].interval_sign = SQL_FALSE;
        if (writes)
            number[row].scale = 40 + junk % 30;
        else
            interval[row].intval.day_second.day = 0;
        interval[row].intval.day_second.hour = 10 + row, interval[row].intval.day_second.minute = 20;
        interval[row].intval.day_second.second = 45, interval[row].intval.day_second.fraction = 0;
    }
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, id, 0, id_length));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_NUMERIC, number, sizeof *number, number_length));
    ON(stmt, SQLBindCol(stmt, 3, SQL_C_INTERVAL_HOUR_TO_SECOND, interval, sizeof *interval, interval_length));
    if (writes) {
        SQLGetStmtAttr(stmt, SQL_ATTR_APP_ROW_DESC, &descriptor, 0, NULL);
        SQLSetDescField(descriptor, 2, SQL_DESC_TYPE, (SQLPOINTER)SQL_C_NUMERIC, 0);
        SQLSetDescField(descriptor, 2, SQL_DESC_PRECISION, (SQLPOINTER)5, 0);
        SQLSetDescField(descriptor, 2, SQL_DESC_SCALE, (SQLPOINTER)3, 0);
        SQLSetDescField(descriptor, 2, SQL_DESC_DATA_PTR, number, 0);
    }
    ON(stmt, SQLSetPos(stmt, 1, SQL_UPDATE, SQL_LOCK_NO_CHANGE));
    printf("    the sign is left alone: %d\n", number[0].sign == 40 + junk % 30);
    if (writes)
        printf("    precision %d, scale %d\n", number[0].precision, number[0].scale);
    number_length[0] = SQL_COLUMN_IGNORE, interval_length[0] = SQL_DATA_AT_EXEC;
    ON(stmt, rc = SQLSetPos(stmt, 1, SQL_UPDATE, SQL_LOCK_NO_CHANGE));
    while (rc == SQL_NEED_DATA && ON(stmt, rc = SQLParamData(stmt, &token)) == SQL_NEED_DATA)
        ON(stmt, SQLPutData(stmt, interval + 1, sizeof *interval));
    id_length[0] = 0, number_length[0] = sizeof *number, interval_length[0] = sizeof *interval;
    ON(stmt, SQLSetPos(stmt, 1, SQL_ADD, SQL_LOCK_NO_CHANGE));
    id[0] = 4;
    SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)2, 0);
    ON(stmt, SQLBulkOperations(stmt, SQL_ADD));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    query("select id, amount, span from measured order by id");
}

int main(int argc, char **argv)
{
    SQL_NUMERIC_STRUCT number;
    SQL_INTERVAL_STRUCT interval;
    int writes = (arguments(argc, argv), !strcmp(dialect, "mariadb"));
    junk = getpid();
    connect_or_exit();

    number = number_of_25212(), number.sign = 40 + junk % 30;
    send_number("a sign that is not 0", number, 0);
    written_structure();
    number = number_of_25212(), number.precision = 40 + junk % 30;
    send_number("another precision", number, 0);
    send_number("another precision, and the right one in the descriptor", number, 1);
    if (writes) {
        /* This driver goes by the parameter; psqlodbc goes by the structure, for which these would be other numbers. */
        number = number_of_25212(), number.scale = 40 + junk % 30;
        send_number("another scale", number, 0);
        send_number("another scale, and the right one in the descriptor", number, 1);
    }

    memset(&interval, junk, sizeof interval);
    if (!writes)
        /* psqlodbc sends the days, MariaDB's driver does not read them */
        interval.intval.day_second.day = 0;
    interval.intval.day_second.hour = 10, interval.intval.day_second.minute = 20;
    interval.intval.day_second.second = 45, interval.intval.day_second.fraction = 0;
    send_interval(SQL_C_INTERVAL_HOUR_TO_SECOND, SQL_INTERVAL_HOUR_TO_SECOND, interval, 0);
    send_interval(SQL_C_INTERVAL_HOUR_TO_SECOND, SQL_INTERVAL_HOUR_TO_SECOND, interval, 1);
    interval.intval.day_second.second = junk;
    send_interval(SQL_C_INTERVAL_HOUR_TO_MINUTE, SQL_INTERVAL_HOUR_TO_MINUTE, interval, 0);
    if (!writes) {
        /* MariaDB's driver sends the bytes of these structures as they are. */
        memset(&interval, junk, sizeof interval);
        interval.intval.day_second.day = 3;
        send_interval(SQL_C_INTERVAL_DAY, SQL_INTERVAL_DAY, interval, 0);
        interval.intval.year_month.year = 3, interval.intval.year_month.month = 4;
        send_interval(SQL_C_INTERVAL_YEAR_TO_MONTH, SQL_INTERVAL_YEAR_TO_MONTH, interval, 0);
    }
    written_through_cursor(writes);
    return done();
}
