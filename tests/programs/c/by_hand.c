/* A program on a cassette that a person wrote: one text executed directly and one prepared, rows bound and with SQLGetData, a count, an
   error, and everything a client library asks of a driver: information types, functions, types, columns, parameters. The first
   argument is the connection string. */
#include <stdio.h>
#include <string.h>
#include <sql.h>
#include <sqlext.h>

static SQLHENV env;
static SQLHDBC dbc;
static SQLHSTMT stmt;

static void tell(const char *what, SQLRETURN rc, SQLSMALLINT type, SQLHANDLE handle)
{
    SQLCHAR state[6] = "", text[500] = "";
    printf("%s -> %d", what, rc);
    if (rc != SQL_SUCCESS && SQLGetDiagRec(type, handle, 1, state, NULL, text, sizeof text, NULL) == SQL_SUCCESS)
        printf(" %s %s", state, text);
    puts("");
}

static void columns(void)
{
    static const SQLUSMALLINT texts[] = {SQL_DESC_NAME, SQL_DESC_LABEL, SQL_DESC_TYPE_NAME, SQL_DESC_TABLE_NAME,
        SQL_DESC_BASE_COLUMN_NAME, SQL_DESC_CATALOG_NAME, SQL_DESC_LITERAL_PREFIX, SQL_DESC_LOCAL_TYPE_NAME};
    static const SQLUSMALLINT numbers[] = {SQL_DESC_TYPE, SQL_DESC_CONCISE_TYPE, SQL_DESC_LENGTH, SQL_DESC_OCTET_LENGTH,
        SQL_DESC_PRECISION, SQL_DESC_SCALE, SQL_DESC_DISPLAY_SIZE, SQL_DESC_NULLABLE, SQL_DESC_UNSIGNED,
        SQL_DESC_AUTO_UNIQUE_VALUE, SQL_DESC_CASE_SENSITIVE, SQL_DESC_FIXED_PREC_SCALE, SQL_DESC_SEARCHABLE,
        SQL_DESC_UPDATABLE, SQL_DESC_UNNAMED, SQL_DESC_NUM_PREC_RADIX, SQL_DESC_COUNT, SQL_COLUMN_LENGTH,
        SQL_COLUMN_PRECISION, SQL_COLUMN_SCALE, SQL_COLUMN_NULLABLE};
    SQLSMALLINT count = -1;
    SQLHDESC ird = NULL;
    SQLINTEGER described = -1;
    SQLNumResultCols(stmt, &count);
    SQLGetStmtAttr(stmt, SQL_ATTR_IMP_ROW_DESC, &ird, 0, NULL);
    SQLSMALLINT records = -1;
    SQLGetDescField(ird, 0, SQL_DESC_COUNT, &records, 0, &described);
    printf("%d columns, %d in the descriptor\n", count, records);
    for (SQLUSMALLINT column = 1; column <= count; column++) {
        SQLCHAR name[50] = "";
        SQLSMALLINT type = 0, scale = 0, nullable = 0;
        SQLULEN size = 0;
        SQLDescribeCol(stmt, column, name, sizeof name, NULL, &type, &size, &scale, &nullable);
        printf("%s type %d size %lu scale %d nullable %d:", name, type, (unsigned long)size, scale, nullable);
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            SQLCHAR text[50] = "";
            SQLRETURN rc = SQLColAttribute(stmt, column, texts[i], text, sizeof text, NULL, NULL);
            rc == SQL_SUCCESS ? printf(" [%s]", text) : printf(" %d failed", texts[i]);
        }
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
            SQLLEN number = -7777;
            SQLRETURN rc = SQLColAttribute(stmt, column, numbers[i], NULL, 0, NULL, &number);
            rc == SQL_SUCCESS ? printf(" %ld", (long)number) : printf(" %d failed", numbers[i]);
        }
        SQLCHAR described_name[50] = "";
        SQLGetDescField(ird, column, SQL_DESC_NAME, described_name, sizeof described_name, NULL);
        printf(" %s\n", described_name);
    }
}

/* Every information type that ODBC 3.8 has, in its own type. */
static void information(void)
{
    int answered = 0, failed = 0;
    for (int kind = 0; kind <= 10025; kind = kind == 173 ? 10000 : kind == 10005 ? 10021 : kind + 1) {
        union { SQLCHAR text[200]; SQLUINTEGER number; } value = {""};
        SQLSMALLINT length = -1;
        /* these two take a handle in, of a statement and of a descriptor */
        if (kind == SQL_DRIVER_HSTMT || kind == SQL_DRIVER_HDESC)
            continue;
        SQLRETURN rc = SQLGetInfo(dbc, (SQLUSMALLINT)kind, &value, sizeof value, &length);
        SQL_SUCCEEDED(rc) ? answered++ : (failed++, printf("information %d failed\n", kind));
    }
    SQLCHAR name[50] = "", version[50] = "";
    SQLGetInfo(dbc, SQL_DBMS_NAME, name, sizeof name, NULL);
    SQLGetInfo(dbc, SQL_DRIVER_ODBC_VER, version, sizeof version, NULL);
    printf("%d information types, %d failed; %s, ODBC %s\n", answered, failed, name, version);
    SQLUINTEGER none = 0;
    tell("no information type", SQLGetInfo(dbc, 9999, &none, sizeof none, NULL), SQL_HANDLE_DBC, dbc);
    SQLUSMALLINT functions[SQL_API_ODBC3_ALL_FUNCTIONS_SIZE], one = 0;
    tell("functions", SQLGetFunctions(dbc, SQL_API_ODBC3_ALL_FUNCTIONS, functions), SQL_HANDLE_DBC, dbc);
    SQLGetFunctions(dbc, SQL_API_SQLFETCH, &one);
    printf("SQLFetch: %d %d\n", SQL_FUNC_EXISTS(functions, SQL_API_SQLFETCH) != 0, one);
    SQLCHAR native[50] = "";
    tell("native", SQLNativeSql(dbc, (SQLCHAR *)"select 1", SQL_NTS, native, sizeof native, NULL), SQL_HANDLE_DBC, dbc);
    printf("%s\n", native);
}

static void types(SQLSMALLINT type)
{
    SQLSMALLINT count = 0;
    int rows = 0;
    printf("types of %d:", type);
    SQLRETURN rc = SQLGetTypeInfo(stmt, type);
    SQLNumResultCols(stmt, &count);
    while (SQL_SUCCEEDED(rc) && SQLFetch(stmt) == SQL_SUCCESS) {
        SQLCHAR name[50] = "";
        SQLINTEGER code = 0;
        SQLGetData(stmt, 1, SQL_C_CHAR, name, sizeof name, NULL);
        SQLGetData(stmt, 2, SQL_C_SLONG, &code, 0, NULL);
        printf(" %s %d", name, (int)code);
        rows++;
    }
    printf(" (%d columns, %d rows)\n", count, rows);
    SQLFreeStmt(stmt, SQL_CLOSE);
}

static void rows(void)
{
    SQLCHAR name[50] = "";
    double price = 0;
    SQLLEN name_length = 0, price_length = 0;
    SQLBindCol(stmt, 1, SQL_C_CHAR, name, sizeof name, &name_length);
    SQLRETURN rc;
    while (SQL_SUCCEEDED(rc = SQLFetch(stmt))) {
        price = 0;
        SQLGetData(stmt, 2, SQL_C_DOUBLE, &price, 0, &price_length);
        price_length == SQL_NULL_DATA ? printf("%s (%ld): NULL\n", name, (long)name_length)
                                      : printf("%s (%ld): %g\n", name, (long)name_length, price);
    }
    tell("end", rc, SQL_HANDLE_STMT, stmt);
    tell("more", SQLMoreResults(stmt), SQL_HANDLE_STMT, stmt);
    SQLFreeStmt(stmt, SQL_CLOSE);
    SQLFreeStmt(stmt, SQL_UNBIND);
}

int main(int argc, char **argv)
{
    SQLCHAR *query = (SQLCHAR *)"select name, price from fruit where price < ?";
    SQLSMALLINT count = -1;
    SQLLEN changed = -1;
    SQLINTEGER limit = 5;
    setvbuf(stdout, NULL, _IONBF, 0);
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
    SQLRETURN rc = SQLDriverConnect(dbc, NULL, (SQLCHAR *)argv[argc - 1], SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
    tell("connect", rc, SQL_HANDLE_DBC, dbc);
    if (!SQL_SUCCEEDED(rc))
        return 1;
    information();
    SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt);
    types(SQL_ALL_TYPES);
    types(SQL_VARCHAR);
    types(SQL_TYPE_DATE);
    types(SQL_INTERVAL_YEAR);

    /* prepared, and asked about before it is executed */
    tell("prepare", SQLPrepare(stmt, query, SQL_NTS), SQL_HANDLE_STMT, stmt);
    columns();
    SQLNumParams(stmt, &count);
    SQLSMALLINT type = 0, scale = 0, nullable = 0;
    SQLULEN size = 0;
    rc = SQLDescribeParam(stmt, 1, &type, &size, &scale, &nullable);
    printf("%d parameters; -> %d type %d size %lu scale %d nullable %d\n", count, rc, type, (unsigned long)size, scale, nullable);
    SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 10, 0, &limit, 0, NULL);
    tell("execute", SQLExecute(stmt), SQL_HANDLE_STMT, stmt);
    SQLRowCount(stmt, &changed);
    printf("row count %ld\n", (long)changed);
    rows();
    SQLFreeStmt(stmt, SQL_RESET_PARAMS);

    tell("delete", SQLExecDirect(stmt, (SQLCHAR *)"delete from fruit", SQL_NTS), SQL_HANDLE_STMT, stmt);
    SQLRowCount(stmt, &changed);
    SQLNumResultCols(stmt, &count);
    printf("row count %ld, %d columns\n", (long)changed, count);
    tell("nothing", SQLExecDirect(stmt, (SQLCHAR *)"select nothing", SQL_NTS), SQL_HANDLE_STMT, stmt);

    /* transactions, of which the cassette says nothing */
    tell("autocommit", SQLSetConnectAttr(dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_OFF, 0), SQL_HANDLE_DBC, dbc);
    tell("commit", SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_COMMIT), SQL_HANDLE_DBC, dbc);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    tell("disconnect", SQLDisconnect(dbc), SQL_HANDLE_DBC, dbc);
    SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    puts("done: everything was asked");
    return 0;
}
