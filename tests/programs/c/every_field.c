/* Every field of SQLColAttribute and SQLColAttributes, SQLBindParam, parameters that are their defaults, intervals and GUIDs as parameters, the cursor's row
 * count. */
#include "report.h"

static int is_text(SQLUSMALLINT field)
{
    return field == SQL_COLUMN_NAME || (field >= SQL_DESC_TYPE_NAME && field <= SQL_DESC_LABEL) || field == SQL_DESC_BASE_COLUMN_NAME
        || field == SQL_DESC_BASE_TABLE_NAME || (field >= SQL_DESC_LITERAL_PREFIX && field <= SQL_DESC_LOCAL_TYPE_NAME) || field == SQL_DESC_NAME;
}

static void fields(SQLHSTMT stmt)
{
    static const SQLUSMALLINT all[] = {0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15,   16,   17,   18,   22,   23,
                                       25,   27,   28,   29,   32,   1001, 1002, 1003, 1005, 1006, 1007, 1008, 1011, 1012, 1013, 1212, 9999};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (SQLUSMALLINT column = 1; column <= 3; column++) {
            char text[100] = "";
            SQLSMALLINT length = -7;
            SQLLEN number = -7;
            SQLRETURN rc = SQLColAttribute(stmt, column, all[i], text, sizeof text, &length, &number);
            /* A number beside a text, or a length beside a number, means nothing; but some drivers write it. */
            printf("%d of %d: %s '%s' %d %ld\n", all[i], column, rc_name(rc), is_text(all[i]) ? text : "", length, (long)number);
        }
}

static void sent(const char *name, SQLSMALLINT c_type, SQLSMALLINT sql_type, SQLULEN size, SQLPOINTER value, SQLLEN length)
{
    SQLHSTMT stmt = statement();
    SQLLEN given = length;
    printf("%s\n", name);
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, c_type, sql_type, size, 0, value, length, &given));
    if (SQL_SUCCEEDED(ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select ?", SQL_NTS))))
        rows(stmt);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute("create table field (id integer not null, t varchar(20), d numeric(8,3))");
    execute("insert into field values (1, 'one', 1.5)");
    SQLHSTMT stmt = statement();
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select id, t, d from field", SQL_NTS));
    fields(stmt);
    SQLFreeStmt(stmt, SQL_CLOSE);
    SQLINTEGER id = 1;
    SQLLEN length = 0;
    ON(stmt, SQLBindParam(stmt, 1, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, &length));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select t from field where id = ?", SQL_NTS));
    rows(stmt);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);

    SQLGUID guid = {0x01234567, 0x89ab, 0xcdef, {1, 2, 3, 4, 5, 6, 7, 8}};
    sent("a GUID", SQL_C_GUID, SQL_GUID, 36, &guid, sizeof guid);
    SQL_INTERVAL_STRUCT interval = {SQL_IS_DAY_TO_SECOND, SQL_TRUE, {.day_second = {3, 4, 5, 6, 0}}};
    sent("an interval", SQL_C_INTERVAL_DAY_TO_SECOND, SQL_INTERVAL_DAY_TO_SECOND, 20, &interval, sizeof interval);
    SQLINTEGER number = 5;
    sent("its default", SQL_C_SLONG, SQL_INTEGER, 0, &number, SQL_DEFAULT_PARAM);
    return done();
}
