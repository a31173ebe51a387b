/* Autocommit off and on, commit and rollback on connection and environment, and what is left open by a disconnect. */
#include "report.h"

static void autocommit(SQLULEN on)
{
    SQLUINTEGER now = 77;
    ON_DBC(SQLSetConnectAttr(dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)on, 0));
    SQLRETURN rc = SQLGetConnectAttr(dbc, SQL_ATTR_AUTOCOMMIT, &now, 0, NULL);
    printf("autocommit %s %u\n", rc_name(rc), now);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute("create table entry (id integer)");
    autocommit(SQL_AUTOCOMMIT_OFF);
    execute("insert into entry values (1)");
    ON_DBC(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_ROLLBACK));
    query("select count(*) from entry");
    execute("insert into entry values (2)");
    ON_DBC(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_COMMIT));
    ON_DBC(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_COMMIT));
    query("select count(*) from entry");
    execute("insert into entry values (3)");
    ON_ENV(SQLEndTran(SQL_HANDLE_ENV, env, SQL_COMMIT));
    execute("insert into entry values (4)");
    ON_ENV(SQLEndTran(SQL_HANDLE_ENV, env, SQL_ROLLBACK));
    query("select id from entry order by id");
    execute("insert into entry values (5)");
    autocommit(SQL_AUTOCOMMIT_ON); /* commits */
    execute("insert into nowhere values (6)");
    query("select id from entry order by id");
    autocommit(SQL_AUTOCOMMIT_OFF);
    execute("insert into entry values (7)");
    tell("leave in the middle", SQLDisconnect(dbc), SQL_HANDLE_DBC, dbc);
    ON_DBC(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_ROLLBACK));
    return done();
}
