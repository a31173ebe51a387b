/* What a program sets it is told when it asks, not what it set when it was recorded: the last argument is the value. */
#include "report.h"

int main(int argc, char **argv)
{
    static const SQLINTEGER all[] = {SQL_ATTR_MAX_ROWS, SQL_ATTR_ROW_ARRAY_SIZE, SQL_ATTR_PARAMSET_SIZE};
    arguments(argc, argv);
    SQLULEN wanted = (SQLULEN)atol(extra);
    connect_or_exit();
    SQLHSTMT stmt = statement();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        SQLULEN now = 777;
        SQLRETURN set = SQLSetStmtAttr(stmt, all[i], (SQLPOINTER)wanted, 0);
        SQLRETURN got = SQLGetStmtAttr(stmt, all[i], &now, 0, NULL);
        printf("attribute %d: set %s", (int)all[i], rc_name(set));
        printf(", now %s %s\n", rc_name(got), now == wanted ? "what was set" : "something else");
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
