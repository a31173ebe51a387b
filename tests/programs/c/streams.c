/* Output parameters that are read in pieces: SQL_PARAM_DATA_AVAILABLE, the tokens, SQLGetData; after results, with data at execution, given up, left unread. */
#include "report.h"

/* What SQLGetData gives of a parameter, in pieces of `capacity` bytes. */
static void pieces(SQLHSTMT stmt, SQLUSMALLINT number, SQLSMALLINT c_type, SQLLEN capacity)
{
    static unsigned char data[400 + GUARD];
    SQLRETURN rc;
    int times = 0;
    do {
        SQLLEN length = -77;
        filled(data, 400);
        rc = SQLGetData(stmt, number, c_type, data, capacity, &length);
        if (times++ < 3 || rc != SQL_SUCCESS_WITH_INFO) {
            printf("    parameter %d: %s (%ld)", number, rc_name(rc), (long)length);
            written("", data, 400, 24);
            if (rc == SQL_ERROR || (rc == SQL_SUCCESS_WITH_INFO && times == 1))
                diagnostics(SQL_HANDLE_STMT, stmt);
        }
    } while (rc == SQL_SUCCESS_WITH_INFO);
    printf("    %d pieces\n", times);
}

static SQLRETURN next(SQLHSTMT stmt)
{
    SQLPOINTER token = (SQLPOINTER)-77;
    SQLRETURN rc = ON(stmt, SQLParamData(stmt, &token));
    printf("    token %ld\n", (long)token);
    return rc;
}

static void bind(SQLHSTMT stmt, SQLUSMALLINT number, SQLSMALLINT io, SQLSMALLINT c_type, SQLLEN *length)
{
    ON(stmt, SQLBindParameter(stmt, number, io, c_type, SQL_LONGVARCHAR, 10000, 0, (SQLPOINTER)(SQLLEN)(40 + number), 0, length));
}

static void several(int direct)
{
    SQLHSTMT stmt = statement();
    SQLLEN length = 0;
    SQLINTEGER plain = -77;
    char *sql = "? ? ? ? ?; value 1 short; long 2 1000; null 3; value 4 17; value 5 99; outputs";
    for (int i = 1; i <= 4; i++)
        bind(stmt, i, SQL_PARAM_OUTPUT_STREAM, i == 4 ? SQL_C_SLONG : SQL_C_CHAR, &length);
    ON(stmt, SQLBindParameter(stmt, 5, SQL_PARAM_OUTPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &plain, 0, NULL));
    if (direct) {
        ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS));
    } else {
        ON(stmt, SQLPrepare(stmt, (SQLCHAR *)sql, SQL_NTS));
        ON(stmt, SQLExecute(stmt));
    }
    next(stmt), pieces(stmt, 1, SQL_C_CHAR, 100);
    next(stmt), pieces(stmt, 2, direct ? SQL_C_CHAR : SQL_C_WCHAR, direct ? 300 : 202);
    next(stmt), pieces(stmt, 3, SQL_C_BINARY, 10);
    next(stmt), pieces(stmt, 4, direct ? SQL_C_DEFAULT : SQL_C_SLONG, 4);
    next(stmt);
    printf("    plain %d\n", (int)plain);
    ON(stmt, SQLMoreResults(stmt));
    if (!direct) {
        ON(stmt, SQLExecute(stmt));
        next(stmt), pieces(stmt, 1, SQL_C_CHAR, 3);
        ON(stmt, SQLCancel(stmt));
        ON(stmt, SQLExecute(stmt));
        next(stmt);
        ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
        ON(stmt, SQLCancel(stmt));
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void after_results(void)
{
    SQLHSTMT stmt = statement();
    SQLLEN length = 0;
    bind(stmt, 1, SQL_PARAM_OUTPUT_STREAM, SQL_C_CHAR, &length);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"?; value 1 after rows and a count; rows 2; count 3; outputs", SQL_NTS));
    rows(stmt);
    ON(stmt, SQLMoreResults(stmt));
    ON(stmt, SQLMoreResults(stmt));
    next(stmt), pieces(stmt, 1, SQL_C_CHAR, 9);
    next(stmt);
    ON(stmt, SQLMoreResults(stmt));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* Values of each set of an array, which the tokens and the counter tell apart. */
static void of_each_set(void)
{
    SQLHSTMT stmt = statement();
    static char places[3][8];
    SQLINTEGER numbers[3];
    SQLULEN processed = 77;
    SQLPOINTER token;
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)3, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAMS_PROCESSED_PTR, &processed, 0));
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_OUTPUT_STREAM, SQL_C_CHAR, SQL_LONGVARCHAR, 10000, 0, places, sizeof places[0], NULL));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_OUTPUT_STREAM, SQL_C_SLONG, SQL_INTEGER, 0, 0, numbers, 0, NULL));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"? ?; value 1 a longer text; value 2 4711; outputs", SQL_NTS));
    for (int i = 0; i < 7; i++) {
        SQLRETURN rc = ON(stmt, SQLParamData(stmt, &token));
        if (rc != SQL_PARAM_DATA_AVAILABLE)
            break;
        SQLUSMALLINT number = (char *)token >= places[0] && (char *)token <= places[2] ? 1 : 2;
        printf("    token %ld of parameter %d, processed %lu\n", (long)(number == 1 ? (char (*)[8])token - places : (SQLINTEGER *)token - numbers), number,
               (unsigned long)processed);
        if (i != 2) /* one is left unread */
            pieces(stmt, number, number == 1 ? SQL_C_CHAR : SQL_C_SLONG, number == 1 ? 6 : 4);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void both_ways(void)
{
    SQLHSTMT stmt = statement();
    SQLLEN length = SQL_DATA_AT_EXEC;
    bind(stmt, 1, SQL_PARAM_INPUT_OUTPUT_STREAM, SQL_C_CHAR, &length);
    bind(stmt, 2, SQL_PARAM_OUTPUT_STREAM, SQL_C_CHAR, NULL);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"? ?; value 1 back again; value 2 and another; outputs", SQL_NTS));
    next(stmt);
    ON(stmt, SQLPutData(stmt, !strcmp(extra, "changed") ? "here" : "there", SQL_NTS));
    next(stmt), pieces(stmt, 1, SQL_C_CHAR, 100);
    next(stmt), pieces(stmt, 2, SQL_C_CHAR, 100);
    next(stmt);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3_80, 0);
    SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
    ON_DBC(SQLDriverConnect(dbc, NULL, (SQLCHAR *)connection_string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT));
    several(1);
    several(0);
    after_results();
    of_each_set();
    both_ways();
    return done();
}
