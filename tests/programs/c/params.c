/* Parameters of every C type: values read when executing, not when binding; NULLs, lengths, re-execution, arrays' absence. */
#include "report.h"

static void insert(const char *label, SQLSMALLINT c_type, SQLSMALLINT sql_type, SQLULEN size, SQLSMALLINT scale, void *value,
                   SQLLEN capacity, SQLLEN length, const char *column)
{
    static int id;
    SQLINTEGER number = ++id;
    SQLLEN indicator = length;
    char sql[200];
    SQLHSTMT stmt = statement();
    snprintf(sql, sizeof sql, "insert into param (id, %s) values (?, ?)", column);
    printf("%s\n", label);
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)sql, SQL_NTS));
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &number, 0, NULL));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, c_type, sql_type, size, scale, value, capacity, length == -7 ? NULL : &indicator));
    ON(stmt, SQLExecute(stmt));
    SQLLEN count = -99;
    SQLRETURN rc = SQLRowCount(stmt, &count);
    printf("    row count %s %ld, indicator %ld\n", rc_name(rc), (long)count, (long)indicator);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void every_type(void)
{
    signed char tiny = -5;
    unsigned char bit = 1, utiny = 250, data[] = {0, 255, 16, 92, 10};
    short small = -12345;
    unsigned short usmall = 54321;
    int number = -123456789;
    unsigned unumber = 4000000000u;
    long long big = -1234567890123456789LL;
    unsigned long long ubig = 1234567890123456789ULL;
    float real = 0.1f;
    double wide = 0.1;
    SQL_DATE_STRUCT date = {2024, 2, 29};
    SQL_TIME_STRUCT time = {23, 59, 58};
    SQL_TIMESTAMP_STRUCT stamp = {2024, 2, 29, 23, 59, 58, 120000000};
    SQL_NUMERIC_STRUCT numeric = {.precision = 9, .scale = 2, .sign = 1, .val = {0x39, 0x30}};
    SQLWCHAR wtext[] = {'w', 0xe9, 0xd83d, 0xde00, 0};
    char text[] = "plain \xc3\xa9 text", empty[] = "";

    insert("CHAR, ended", SQL_C_CHAR, SQL_VARCHAR, 40, 0, text, sizeof text, SQL_NTS, "t");
    insert("CHAR, counted", SQL_C_CHAR, SQL_VARCHAR, 40, 0, text, sizeof text, 5, "t");
    insert("CHAR, no indicator", SQL_C_CHAR, SQL_VARCHAR, 40, 0, text, sizeof text, -7, "t");
    insert("CHAR, empty", SQL_C_CHAR, SQL_VARCHAR, 40, 0, empty, sizeof empty, 0, "t");
    insert("CHAR, NULL", SQL_C_CHAR, SQL_VARCHAR, 40, 0, text, sizeof text, SQL_NULL_DATA, "t");
    insert("CHAR, NULL pointer", SQL_C_CHAR, SQL_VARCHAR, 40, 0, NULL, 0, SQL_NULL_DATA, "t");
    insert("WCHAR", SQL_C_WCHAR, SQL_WVARCHAR, 40, 0, wtext, sizeof wtext, SQL_NTS, "t");
    insert("WCHAR, counted", SQL_C_WCHAR, SQL_WVARCHAR, 40, 0, wtext, sizeof wtext, 4, "t");
    insert("BINARY", SQL_C_BINARY, SQL_VARBINARY, 40, 0, data, sizeof data, sizeof data, "b");
    insert("BIT", SQL_C_BIT, SQL_INTEGER, 0, 0, &bit, 0, -7, "i");
    insert("STINYINT", SQL_C_STINYINT, SQL_INTEGER, 0, 0, &tiny, 0, -7, "i");
    insert("UTINYINT", SQL_C_UTINYINT, SQL_INTEGER, 0, 0, &utiny, 0, -7, "i");
    insert("TINYINT", SQL_C_TINYINT, SQL_INTEGER, 0, 0, &tiny, 0, -7, "i");
    insert("SSHORT", SQL_C_SSHORT, SQL_INTEGER, 0, 0, &small, 0, -7, "i");
    insert("USHORT", SQL_C_USHORT, SQL_INTEGER, 0, 0, &usmall, 0, -7, "i");
    insert("SHORT", SQL_C_SHORT, SQL_INTEGER, 0, 0, &small, 0, -7, "i");
    insert("SLONG", SQL_C_SLONG, SQL_INTEGER, 0, 0, &number, 0, 4, "i");
    insert("ULONG", SQL_C_ULONG, SQL_BIGINT, 0, 0, &unumber, 0, -7, "i");
    insert("LONG", SQL_C_LONG, SQL_INTEGER, 0, 0, &number, 0, -7, "i");
    insert("LONG, NULL", SQL_C_LONG, SQL_INTEGER, 0, 0, &number, 0, SQL_NULL_DATA, "i");
    insert("SBIGINT", SQL_C_SBIGINT, SQL_BIGINT, 0, 0, &big, 0, -7, "i");
    insert("UBIGINT", SQL_C_UBIGINT, SQL_BIGINT, 0, 0, &ubig, 0, -7, "i");
    insert("FLOAT", SQL_C_FLOAT, SQL_REAL, 0, 0, &real, 0, -7, "f");
    insert("DOUBLE", SQL_C_DOUBLE, SQL_DOUBLE, 0, 0, &wide, 0, -7, "f");
    insert("DATE", SQL_C_TYPE_DATE, SQL_TYPE_DATE, 10, 0, &date, sizeof date, -7, "d");
    insert("DATE of ODBC 2", SQL_C_DATE, SQL_DATE, 10, 0, &date, sizeof date, -7, "d");
    insert("TIME", SQL_C_TYPE_TIME, SQL_TYPE_TIME, 8, 0, &time, sizeof time, -7, "c");
    insert("TIMESTAMP", SQL_C_TYPE_TIMESTAMP, SQL_TYPE_TIMESTAMP, 26, 6, &stamp, sizeof stamp, -7, "s");
    insert("NUMERIC", SQL_C_NUMERIC, SQL_NUMERIC, 9, 2, &numeric, sizeof numeric, -7, "t");
    insert("DEFAULT", SQL_C_DEFAULT, SQL_INTEGER, 0, 0, &number, 0, -7, "i");
    insert("no such C type", 4711, SQL_INTEGER, 0, 0, &number, 0, -7, "i");
    query("select * from param order by id");
}

static void late(void)
{
    SQLHSTMT stmt = statement();
    char text[40] = "bound with this";
    SQLINTEGER id = 0;
    SQLLEN length = SQL_NTS;
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"insert into param (id, t) values (?, ?)", SQL_NTS));
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0, NULL));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 40, 0, text, sizeof text, &length));
    for (id = 100; id < 105; id++) {
        snprintf(text, sizeof text, "executed with %d", (int)id);
        length = id == 103 ? SQL_NULL_DATA : id == 104 ? 8 : SQL_NTS;
        ON(stmt, SQLExecute(stmt));
    }
    id = 100;
    ON(stmt, SQLExecute(stmt)); /* the key is there already */
    ON(stmt, SQLFreeStmt(stmt, SQL_RESET_PARAMS));
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));

    stmt = statement();
    SQLINTEGER low = 99;
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &low, 0, NULL));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select id, t from param where id > ? order by id", SQL_NTS));
    rows(stmt);
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    low = 103;
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select id, t from param where id > ? order by id", SQL_NTS));
    rows(stmt);
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

static void point_queries(void)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER id = 0;
    char text[60];
    SQLLEN length;
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"select t from param where id = ?", SQL_NTS));
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0, NULL));
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_CHAR, text, sizeof text, &length));
    for (id = 99; id < 106; id++) {
        SQLRETURN rc = SQLExecute(stmt), fetched = SQLFetch(stmt), end = SQLFetch(stmt);
        printf("id %d: %s %s %s", (int)id, rc_name(rc), rc_name(fetched), rc_name(end));
        printf(" %s (%ld)\n", SQL_SUCCEEDED(fetched) && length >= 0 ? text : "", SQL_SUCCEEDED(fetched) ? (long)length : 0);
        SQLFreeStmt(stmt, SQL_CLOSE);
    }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute(by_dialect("create table param (id integer primary key, t varchar(60), b blob, i bigint, f double, d date, c time, s timestamp)",
                       "create table param (id integer primary key, t varchar(60), b bytea, i bigint, f double precision, d date, c time, s timestamp)",
                       "create table param (id integer primary key, t varchar(60), b blob, i bigint, f double, d date, c time, s datetime(6))"));
    every_type();
    late();
    point_queries();
    return done();
}
