/* What was set on a connection and then changed by the text of a statement: MariaDB's server says so, and its driver tells. */
#include "report.h"

static void asked(const char *when)
{
    SQLUINTEGER now = 777;
    SQLRETURN got = SQLGetConnectAttr(dbc, SQL_ATTR_AUTOCOMMIT, &now, 0, NULL);
    printf("%s: %s %u\n", when, rc_name(got), (unsigned)now);
}

static void run(const char *sql)
{
    SQLHSTMT stmt = statement();
    printf("%s -> %s\n", sql, rc_name(SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS)));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    const char *on = by_dialect("select 1", "select 1", "set autocommit = 1");
    const char *off = by_dialect("select 0", "select 0", "set autocommit = 0");
    connect_or_exit();
    asked("connected");
    for (int times = 0; times < 2; times++) {
        ON_DBC(SQLSetConnectAttr(dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_OFF, 0));
        if (times == 0)
            asked("set to off");
        run(on);
        asked("after the text that sets it to on");
        run(off);
        asked("after the text that sets it to off");
        asked("again");
        run(on);
        asked("after the text that sets it to on");
        ON_DBC(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_COMMIT));
        ON_DBC(SQLSetConnectAttr(dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_ON, 0));
        asked("set to on");
    }
    return done();
}
