/* SQL that repeats the connection's own password, and makes the server repeat it in an error. */
#include "report.h"

int main(int argc, char **argv)
{
    char sql[400];
    arguments(argc, argv);
    connect_or_exit();
    SQLHSTMT stmt = statement();
    snprintf(sql, sizeof sql, "create user if not exists echo@'127.0.0.1' identified by '%s'", password);
    printf("create user %s\n", rc_name(SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS)));
    snprintf(sql, sizeof sql, "select '%s' from", password);
    printf("wrong %s\n", rc_name(SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS)));
    SQLCHAR text[600] = "";
    SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 1, NULL, NULL, text, sizeof text, NULL);
    printf("a message of some length: %d\n", text[0] != 0);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
