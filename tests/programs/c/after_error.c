/* Raises a number in one statement. What it does when that fails is the mode, its last argument: `passes`, `crashes` by a null pointer,
   `hangs`, or tries `for_ever`. The first argument is the connection string. */
#include "report.h"
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *mode = argv[argc - 1];
    SQLCHAR *raise = (SQLCHAR *)"update shelf set amount = amount + 3 where name = 'lower'";
    connection_string = argv[1];
    connect_or_exit();
    SQLHSTMT stmt = statement();
    while (!SQL_SUCCEEDED(SQLExecDirect(stmt, raise, SQL_NTS))) {
        if (strcmp(mode, "crashes") == 0)
            *(volatile int *)NULL = 1;
        if (strcmp(mode, "hangs") == 0)
            sleep(600);
        if (strcmp(mode, "for_ever") != 0)
            return 1;
        usleep(10000);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
