/* Buffers that are said to be longer than they are: behind their 16 bytes is memory that nobody may read, and what the driver writes
 * ends before. What the length variable of the output parameter holds before the execution is the last argument; it says nothing of
 * the buffer. The buffer that SQLGetData writes to is for wide characters and has an odd length. */
#include "report.h"
#include <sys/mman.h>
#include <unistd.h>

enum { ROOM = 16, SAID = 2000 };

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute(by_dialect("select 1", "create function word(n integer, out a varchar) language plpgsql as "
                                   "'begin a := case n when 1 then ''one'' when 2 then ''two'' end; end'",
                       "create procedure word(n integer, out a varchar(30)) "
                       "begin set a = case n when 1 then 'one' when 2 then 'two' end; end"));
    long page = sysconf(_SC_PAGESIZE);
    char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(memory + page, page, PROT_NONE);
    char *text = memory + page - ROOM;
    SQLHSTMT stmt = statement();
    for (SQLINTEGER n = 1; n <= 3; n++) { /* the third one is NULL */
        SQLLEN length = atol(extra), n_length = 0;
        memset(text, FILLER, ROOM);
        ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &n, 0, &n_length));
        ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_OUTPUT, SQL_C_CHAR, SQL_VARCHAR, 30, 0, text, SAID, &length));
        ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"{call word(?, ?)}", SQL_NTS));
        ON(stmt, SQLMoreResults(stmt));
        printf("    length %ld ", (long)length);
        bytes(text, ROOM);
        printf("\n");
        ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    }
    SQLLEN length = -7;
    memset(text, FILLER, ROOM);
    ON(stmt, SQLFreeStmt(stmt, SQL_RESET_PARAMS));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select 'cell'", SQL_NTS));
    ON(stmt, SQLFetch(stmt));
    ON(stmt, SQLGetData(stmt, 1, SQL_C_WCHAR, text, SAID + 1, &length));
    printf("    length %ld ", (long)length);
    bytes(text, ROOM);
    printf("\n");
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
    return done();
}
