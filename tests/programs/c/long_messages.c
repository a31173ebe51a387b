/* Messages longer than a driver manager's own buffer, read into one that is large enough, and the row and column of errors. */
#include "report.h"

static void long_message(void)
{
    static char sql[3000];
    SQLHSTMT stmt = statement();
    memset(sql, 'x', sizeof sql - 1);
    memcpy(sql, "select '", 8);
    strcpy(sql + sizeof sql - 40, by_dialect("' + nowhere", "'::integer", "' + nowhere"));
    SQLRETURN rc = SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS);
    printf("a long message -> %s\n", rc_name(rc));
    for (SQLSMALLINT record = 1; record < 20; record++) {
        static SQLCHAR state[6], text[4000];
        SQLINTEGER native = -1;
        SQLSMALLINT length = -1;
        rc = SQLGetDiagRec(SQL_HANDLE_STMT, stmt, record, state, &native, text, sizeof text, &length);
        printf("    record %d -> %s", record, rc_name(rc));
        if (!SQL_SUCCEEDED(rc))
            break;
        printf(" [%s] %d (%d) %zu: %.60s ... %.20s\n", state, (int)native, length, strlen((char *)text), text,
               text + (strlen((char *)text) > 20 ? strlen((char *)text) - 20 : 0));
    }
    printf("\n");
    if (*by_dialect("", "known", "known")) { /* of sqliteodbc's errors unixODBC gives out memory that it never set */
        SQLLEN row = -77;
        SQLINTEGER column = -77;
        rc = SQLGetDiagField(SQL_HANDLE_STMT, stmt, 1, SQL_DIAG_ROW_NUMBER, &row, 0, NULL);
        printf("    row %s %ld\n", rc_name(rc), (long)row);
        rc = SQLGetDiagField(SQL_HANDLE_STMT, stmt, 1, SQL_DIAG_COLUMN_NUMBER, &column, 0, NULL);
        printf("    column %s %d\n", rc_name(rc), (int)column);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void of_connection(void)
{
    char info[20];
    SQLSMALLINT length = 0;
    SQLRETURN rc = SQLGetInfo(dbc, 9999, info, sizeof info, &length);
    printf("an unknown question -> %s\n", rc_name(rc));
    SQLLEN row = -77;
    SQLINTEGER column = -77;
    rc = SQLGetDiagField(SQL_HANDLE_DBC, dbc, 1, SQL_DIAG_ROW_NUMBER, &row, 0, NULL);
    printf("    row %s %ld\n", rc_name(rc), (long)row);
    rc = SQLGetDiagField(SQL_HANDLE_DBC, dbc, 1, SQL_DIAG_COLUMN_NUMBER, &column, 0, NULL);
    printf("    column %s %d\n", rc_name(rc), (int)column);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    long_message();
    of_connection();
    return done();
}
