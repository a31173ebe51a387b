/* The connection's password by every way that leads into a cassette. With "unknown" the program connects without it. */
#include "report.h"

#define SECRET "Own-Passw0rd-Xyzzy42"

int main(int argc, char **argv)
{
    static char all[2000], sql[600], text[100], array[20][40];
    static SQLLEN lengths[20];
    SQLWCHAR wide[40];
    SQLLEN length = SQL_NTS;
    SQLSMALLINT small;
    SQLPOINTER token;
    arguments(argc, argv);
    snprintf(all, sizeof all, "%s;%s", connection_string, strcmp(extra, "unknown") ? "NEWPWD=" SECRET : "");
    connection_string = all;
    connect_or_exit();
    for (int i = 0; i <= (int)strlen(SECRET); i++)
        wide[i] = SECRET[i];
    SQLHSTMT stmt = statement();
    const char *ask = by_dialect("select length(?)", "select length(?::text)", "select length(?)");

    /* Parameters: narrow, wide, binary, in an array, at execution in one piece and in two. */
    strcpy(text, SECRET);
    SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 40, 0, text, sizeof text, &length);
    printf("char %s\n", rc_name(SQLExecDirect(stmt, (SQLCHAR *)ask, SQL_NTS)));
    SQLFreeStmt(stmt, SQL_CLOSE);
    SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_WCHAR, SQL_WVARCHAR, 40, 0, wide, sizeof wide, &length);
    printf("wide %s\n", rc_name(SQLExecDirect(stmt, (SQLCHAR *)ask, SQL_NTS)));
    SQLFreeStmt(stmt, SQL_CLOSE);
    length = strlen(SECRET);
    SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_BINARY, SQL_VARBINARY, 40, 0, text, sizeof text, &length);
    SQLExecDirect(stmt, (SQLCHAR *)by_dialect("select length(?)", "select length(?::bytea)", "select length(?)"), SQL_NTS);
    SQLFreeStmt(stmt, SQL_CLOSE);
    for (int pieces = 1; pieces <= 2; pieces++) {
        length = SQL_LEN_DATA_AT_EXEC(20);
        SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_LONGVARCHAR, 40, 0, &length, 0, &length);
        printf("at execution %s\n", rc_name(SQLExecDirect(stmt, (SQLCHAR *)ask, SQL_NTS)));
        SQLParamData(stmt, &token);
        SQLPutData(stmt, SECRET, pieces == 1 ? (SQLLEN)strlen(SECRET) : 7);
        if (pieces == 2)
            SQLPutData(stmt, SECRET + 7, strlen(SECRET) - 7);
        printf("done %s\n", rc_name(SQLParamData(stmt, &token)));
        SQLFreeStmt(stmt, SQL_CLOSE);
    }
    for (int i = 0; i < 20; i++)
        strcpy(array[i], SECRET), lengths[i] = SQL_NTS;
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"create table own_password (a varchar(40))", SQL_NTS));
    SQLSetStmtAttr(stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)20, 0);
    SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 40, 0, array, 40, lengths);
    printf("array %s\n", rc_name(SQLExecDirect(stmt, (SQLCHAR *)"insert into own_password values (?)", SQL_NTS)));
    SQLSetStmtAttr(stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)1, 0);
    SQLFreeStmt(stmt, SQL_RESET_PARAMS);

    /* Cells: bound, read at once, wide, as bytes; one row and many. */
    SQLSMALLINT types[] = {SQL_C_CHAR, SQL_C_WCHAR, SQL_C_BINARY};
    for (int bound = 0; bound < 2; bound++)
        for (int type = 0; type < 3; type++)
            for (int many = 0; many < 2; many++) {
                int rows = 0;
                snprintf(sql, sizeof sql, many ? "select a from own_password" : "select '%s' as x", SECRET);
                SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS);
                if (bound)
                    SQLBindCol(stmt, 1, types[type], text, sizeof text, &length);
                while (SQL_SUCCEEDED(SQLFetch(stmt))) {
                    rows++;
                    if (!bound)
                        SQLGetData(stmt, 1, types[type], text, sizeof text, &length);
                }
                printf("%d rows\n", rows);
                SQLFreeStmt(stmt, SQL_UNBIND);
                SQLFreeStmt(stmt, SQL_CLOSE);
            }

    /* Names, a question's text, a catalog function's argument, an error, a word inside of others. */
    snprintf(sql, sizeof sql, by_dialect("select 1 as \"%s\"", "select 1 as \"%s\"", "select 1 as `%s`"), SECRET);
    printf("name %s\n", rc_name(SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS)));
    SQLDescribeCol(stmt, 1, (SQLCHAR *)text, sizeof text, &small, NULL, NULL, NULL, NULL);
    SQLColAttribute(stmt, 1, SQL_DESC_LABEL, text, sizeof text, &small, NULL);
    SQLFreeStmt(stmt, SQL_CLOSE);
    SQLINTEGER native;
    char question[] = "select '" SECRET "'";
    SQLNativeSql(dbc, (SQLCHAR *)question, SQL_NTS, (SQLCHAR *)sql, sizeof sql, &native);
    printf("tables %s\n", rc_name(SQLTables(stmt, NULL, 0, NULL, 0, (SQLCHAR *)SECRET, SQL_NTS, NULL, 0)));
    SQLFreeStmt(stmt, SQL_CLOSE);
    SQLSetCursorName(stmt, (SQLCHAR *)SECRET, SQL_NTS);
    SQLGetCursorName(stmt, (SQLCHAR *)text, sizeof text, &small);
    printf("wrong %s\n", rc_name(SQLExecDirect(stmt, (SQLCHAR *)"select no_such_function('" SECRET "')", SQL_NTS)));
    SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 1, NULL, NULL, (SQLCHAR *)sql, sizeof sql, NULL);
    printf("inside %s\n", rc_name(SQLExecDirect(stmt, (SQLCHAR *)"select 'prefix_" SECRET "'", SQL_NTS)));
    SQLFreeStmt(stmt, SQL_CLOSE);
    printf("drop %s\n", rc_name(SQLExecDirect(stmt, (SQLCHAR *)"drop table own_password", SQL_NTS)));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
