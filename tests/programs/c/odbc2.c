/* An application of ODBC 2: the old handle functions, options, SQLTransact, SQLSetParam, SQLColAttributes, SQLError. */
#include "report.h"

static void complaints(SQLHDBC on, SQLHSTMT stmt)
{
    SQLCHAR state[6], text[600];
    SQLINTEGER native;
    SQLSMALLINT length;
    while (SQL_SUCCEEDED(SQLError(env, on, stmt, state, &native, text, sizeof text, &length)))
        printf("    [%s] %d (%d) %s\n", state, (int)native, length, text);
}

#define OLD(call)                                                       \
    do {                                                                \
        SQLRETURN got = (call);                                         \
        printf("%s -> %s\n", #call, rc_name(got));                      \
        if (got != SQL_SUCCESS && got != SQL_NO_DATA)                   \
            complaints(dbc, stmt);                                      \
    } while (0)

int main(int argc, char **argv)
{
    SQLHSTMT stmt = SQL_NULL_HSTMT;
    arguments(argc, argv);
    OLD(SQLAllocEnv(&env));
    OLD(SQLAllocConnect(env, &dbc));
    OLD(SQLSetConnectOption(dbc, SQL_LOGIN_TIMEOUT, 20));
    OLD(SQLConnect(dbc, (SQLCHAR *)source, SQL_NTS, (SQLCHAR *)user, SQL_NTS, (SQLCHAR *)password, SQL_NTS));
    OLD(SQLAllocStmt(dbc, &stmt));
    OLD(SQLExecDirect(stmt, (SQLCHAR *)"create table old (id integer, t varchar(30), d date)", SQL_NTS));
    OLD(SQLPrepare(stmt, (SQLCHAR *)"insert into old values (?, ?, '2024-02-29')", SQL_NTS));
    SQLINTEGER id;
    char text[30];
    SQLLEN length = SQL_NTS, id_length = 0;
    OLD(SQLSetParam(stmt, 1, SQL_C_LONG, SQL_INTEGER, 0, 0, &id, &id_length));
    OLD(SQLSetParam(stmt, 2, SQL_C_CHAR, SQL_VARCHAR, 30, 0, text, &length));
    for (id = 1; id < 4; id++) {
        snprintf(text, sizeof text, "old %d", (int)id);
        OLD(SQLExecute(stmt));
    }
    OLD(SQLFreeStmt(stmt, SQL_RESET_PARAMS));
    OLD(SQLExecDirect(stmt, (SQLCHAR *)"select id, t, d from old order by id", SQL_NTS));
    SQLSMALLINT columns = 0;
    OLD(SQLNumResultCols(stmt, &columns));
    for (SQLUSMALLINT column = 1; column <= columns; column++) {
        static const SQLUSMALLINT asked[] = {SQL_COLUMN_TYPE, SQL_COLUMN_LENGTH, SQL_COLUMN_PRECISION, SQL_COLUMN_DISPLAY_SIZE, SQL_COLUMN_NULLABLE};
        SQLCHAR name[60] = "";
        SQLSMALLINT name_length = -7;
        OLD(SQLColAttributes(stmt, column, SQL_COLUMN_LABEL, name, sizeof name, &name_length, NULL));
        printf("    %s (%d)", name, name_length);
        for (int i = 0; i < 5; i++) {
            SQLLEN value = -7;
            SQLRETURN rc = SQLColAttributes(stmt, column, asked[i], NULL, 0, NULL, &value);
            printf(" %s %ld", rc_name(rc), (long)value);
        }
        printf("\n");
    }
    SQLRETURN rc;
    while (SQL_SUCCEEDED(rc = SQLFetch(stmt)))
        for (SQLUSMALLINT column = 1; column <= columns; column++) {
            char cell[60] = "";
            SQLLEN got = -7;
            rc = SQLGetData(stmt, column, SQL_C_CHAR, cell, sizeof cell, &got);
            printf("    %s %s (%ld)\n", rc_name(rc), cell, (long)got);
        }
    printf("end %s\n", rc_name(rc));
    OLD(SQLFreeStmt(stmt, SQL_CLOSE));
    SQLULEN option = 77;
    OLD(SQLGetStmtOption(stmt, SQL_MAX_ROWS, &option));
    OLD(SQLSetStmtOption(stmt, SQL_MAX_ROWS, 0));
    OLD(SQLSetConnectOption(dbc, SQL_AUTOCOMMIT, SQL_AUTOCOMMIT_OFF));
    OLD(SQLExecDirect(stmt, (SQLCHAR *)"delete from old", SQL_NTS));
    OLD(SQLTransact(env, dbc, SQL_ROLLBACK));
    OLD(SQLExecDirect(stmt, (SQLCHAR *)"select count(*) from old", SQL_NTS));
    OLD(SQLFetch(stmt));
    OLD(SQLGetData(stmt, 1, SQL_C_LONG, &id, 0, NULL));
    printf("    count %d\n", (int)id);
    OLD(SQLFreeStmt(stmt, SQL_CLOSE));
    OLD(SQLTransact(SQL_NULL_HENV, dbc, SQL_COMMIT));
    OLD(SQLExecDirect(stmt, (SQLCHAR *)"select nothing from nowhere", SQL_NTS));
    OLD(SQLTransact(env, SQL_NULL_HDBC, SQL_ROLLBACK));
    OLD(SQLFreeStmt(stmt, SQL_DROP));
    stmt = SQL_NULL_HSTMT;
    OLD(SQLDisconnect(dbc));
    OLD(SQLFreeConnect(dbc));
    dbc = SQL_NULL_HDBC;
    OLD(SQLFreeEnv(env));
    printf("done: everything was asked\n");
    return 0;
}
