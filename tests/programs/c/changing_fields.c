/* Descriptor fields that are numbers, asked before and after what changes them: another text, an execution, a close, a parameter that is bound otherwise,
 * attributes that the program sets. */
#include "report.h"

static SQLHDESC of(SQLHSTMT stmt, SQLINTEGER which)
{
    SQLHDESC descriptor = SQL_NULL_HDESC;
    ON(stmt, SQLGetStmtAttr(stmt, which, &descriptor, 0, NULL));
    return descriptor;
}

static void field(const char *name, SQLHDESC descriptor, SQLSMALLINT record, SQLSMALLINT which)
{
    SQLLEN value = 0;
    SQLINTEGER length = -7;
    SQLRETURN rc = SQLGetDescField(descriptor, record, which, &value, SQL_IS_INTEGER, &length);
    printf(" %s %s %ld", name, rc_name(rc), rc == SQL_SUCCESS ? (long)value : 0L);
}

static void columns(const char *when, SQLHDESC descriptor)
{
    printf("%s: columns", when);
    field("count", descriptor, 0, SQL_DESC_COUNT);
    for (SQLSMALLINT record = 1; record < 3; record++) {
        field("\n    type", descriptor, record, SQL_DESC_CONCISE_TYPE);
        field("length", descriptor, record, SQL_DESC_LENGTH);
        field("precision", descriptor, record, SQL_DESC_PRECISION);
        field("scale", descriptor, record, SQL_DESC_SCALE);
        field("nullable", descriptor, record, SQL_DESC_NULLABLE);
        field("octets", descriptor, record, SQL_DESC_OCTET_LENGTH);
    }
    printf("\n");
}

static void parameters(const char *when, SQLHDESC ours, SQLHDESC theirs)
{
    printf("%s: parameters", when);
    field("count", ours, 0, SQL_DESC_COUNT);
    field("sets", ours, 0, SQL_DESC_ARRAY_SIZE);
    field("type", ours, 1, SQL_DESC_CONCISE_TYPE);
    field("octets", ours, 1, SQL_DESC_OCTET_LENGTH);
    field("\n    count", theirs, 0, SQL_DESC_COUNT);
    field("type", theirs, 1, SQL_DESC_CONCISE_TYPE);
    field("length", theirs, 1, SQL_DESC_LENGTH);
    field("precision", theirs, 1, SQL_DESC_PRECISION);
    field("scale", theirs, 1, SQL_DESC_SCALE);
    field("direction", theirs, 1, SQL_DESC_PARAMETER_TYPE);
    printf("\n");
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute("create table changing (a varchar(20), b integer)");
    execute("insert into changing values ('one', 1)");
    execute("insert into changing values ('two', 2)");
    SQLHSTMT stmt = statement();
    SQLHDESC rows = of(stmt, SQL_ATTR_IMP_ROW_DESC), bound = of(stmt, SQL_ATTR_APP_ROW_DESC);
    SQLHDESC ours = of(stmt, SQL_ATTR_APP_PARAM_DESC), theirs = of(stmt, SQL_ATTR_IMP_PARAM_DESC);
    columns("new", rows);
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"select a, b from changing where b = ?", SQL_NTS));
    SQLINTEGER number = 1;
    SQLLEN length = 0;
    parameters("prepared", ours, theirs);
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &number, 0, &length));
    parameters("bound as a number", ours, theirs);
    ON(stmt, SQLExecute(stmt));
    columns("executed", rows);
    parameters("executed", ours, theirs);
    rows_of(stmt, 2);
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    char text[20] = "2";
    length = SQL_NTS;
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 12, 0, text, sizeof text, &length));
    parameters("bound as a text", ours, theirs);
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_NUMERIC, 9, 2, text, sizeof text, &length));
    parameters("bound as a decimal", ours, theirs);
    ON(stmt, SQLFreeStmt(stmt, SQL_RESET_PARAMS));
    parameters("unbound", ours, theirs);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select b from changing order by b", SQL_NTS));
    columns("another text", rows);
    static const SQLULEN sizes[] = {2, 1, 3};
    for (int i = 0; i < 3; i++) {
        ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)sizes[i], 0));
        ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_BIND_TYPE, (SQLPOINTER)(8 * sizes[i]), 0));
        printf("bound: ");
        field("size", bound, 0, SQL_DESC_ARRAY_SIZE);
        field("row", bound, 0, SQL_DESC_BIND_TYPE);
        field("count", bound, 0, SQL_DESC_COUNT);
        printf("\n");
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
