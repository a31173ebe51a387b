/* What the test driver does when nothing unusual is asked of it: connecting, results of several kinds, errors, output parameters, data at execution. */
#include "report.h"

static void outputs(void)
{
    SQLHSTMT stmt = statement();
    char text[20 + GUARD];
    SQLINTEGER number = -77;
    SQLLEN text_length = -77, number_length = -77;
    filled((unsigned char *)text, 20);
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_OUTPUT, SQL_C_CHAR, SQL_VARCHAR, 20, 0, text, 20, &text_length));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_OUTPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &number, 0, &number_length));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"? ?; value 1 hello; value 2 42; count 1", SQL_NTS));
    written("text", (unsigned char *)text, 20, 6);
    printf("    %ld, number %d %ld\n", (long)text_length, (int)number, (long)number_length);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void sent(void)
{
    SQLHSTMT stmt = statement();
    SQLLEN length = SQL_DATA_AT_EXEC;
    SQLPOINTER token = NULL;
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 20, 0, (SQLPOINTER)7, 0, &length));
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"?; count 3", SQL_NTS));
    ON(stmt, SQLExecute(stmt));
    ON(stmt, SQLParamData(stmt, &token));
    printf("    token %ld\n", (long)token);
    ON(stmt, SQLPutData(stmt, "words", 5));
    ON(stmt, SQLParamData(stmt, &token));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    query("rows 4");
    execute("count 5");
    execute("warns 01000 a word of warning");
    execute("fails 42S02 no such table");
    execute("nonsense");
    SQLHSTMT stmt = statement();
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"rows 1; count 2; rows 2", SQL_NTS));
    rows(stmt);
    while (SQL_SUCCEEDED(ON(stmt, SQLMoreResults(stmt))))
        rows(stmt);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    outputs();
    sent();
    return done();
}
