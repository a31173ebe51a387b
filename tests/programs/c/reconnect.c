/* Connecting again and again, environment and all: the driver manager unloads drivers in between. */
#include "report.h"

int main(int argc, char **argv)
{
    arguments(argc, argv);
    for (int round = 1; round <= 4; round++) {
        char sql[80];
        connect_or_exit();
        if (round == 1)
            execute("create table again (n integer)");
        snprintf(sql, sizeof sql, "insert into again values (%d)", round);
        execute(sql);
        query("select n from again order by n");
        ON_DBC(SQLDisconnect(dbc));
        ON_DBC(SQLFreeHandle(SQL_HANDLE_DBC, dbc));
        ON_ENV(SQLFreeHandle(SQL_HANDLE_ENV, env));
    }
    printf("done: everything was asked\n");
    return 0;
}
