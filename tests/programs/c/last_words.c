/* Ends without another word after its last command: super8 never hears of the end. Everything was played all the same.
   The arguments behind the usual ones: how it ends, and what it does last. */
#include "report.h"
#include <signal.h>
#include <unistd.h>

static const char *how, *last;

static void end(void)
{
    if (!strcmp(how, "exec")) {
        execlp("true", "true", NULL);
        perror("true");
        _exit(2);
    }
    if (!strcmp(how, "kill"))
        raise(SIGKILL);
    _exit(0);
}

static int is_last(const char *what)
{
    return !strcmp(last, what);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    how = extra, last = argc > 9 ? argv[9] : "";
    connect_or_exit();
    if (is_last("connect"))
        end();
    execute("create table ended (n integer)");
    execute("insert into ended values (42)");
    /* The statement stays open. */
    SQLHSTMT stmt = statement();
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select n from ended", SQL_NTS));
    rows(stmt);
    if (is_last("rows"))
        end();
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"delete from ended", SQL_NTS));
    if (is_last("statement"))
        end();
    ON_DBC(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_COMMIT));
    end();
}
