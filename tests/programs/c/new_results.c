/* What a statement knows of its result before anything is fetched from it, when a rowset was fetched from the one before. Without a driver
 * manager, which would refuse most of these calls by itself. */
#include "by_library.h"
#include "report.h"

#define SQLGetStmtAttr(...) F(SQLGetStmtAttr)(__VA_ARGS__)
#define SQLSetPos(...) F(SQLSetPos)(__VA_ARGS__)

enum { SIZE = 3 };

static SQLHSTMT stmt;
static const char *all = "select id, name from thing order by id";

static void ask(void)
{
    char text[20] = "";
    SQLLEN length = -77;
    SQLULEN number = 777;
    SQLSMALLINT columns = -77;
    ON(stmt, SQLNumResultCols(stmt, &columns));
    printf("    %d columns\n", columns);
    ON(stmt, SQLSetPos(stmt, 1, SQL_POSITION, SQL_LOCK_NO_CHANGE));
    if (columns || strcmp(dialect, "mariadb")) { /* which crashes */
        ON(stmt, SQLGetData(stmt, 1, SQL_C_CHAR, text, sizeof text, &length));
        printf("    %s (%ld)\n", text, (long)length);
    }
    if (strcmp(dialect, "mariadb")) { /* whose number is that of the last result's row */
        ON(stmt, SQLGetStmtAttr(stmt, SQL_ATTR_ROW_NUMBER, &number, 0, NULL));
        printf("    row %lu\n", (unsigned long)number);
    }
}

/* Fetches a rowset and moves in it. */
static void fetch(void)
{
    char text[20] = "";
    ON(stmt, SQLFetch(stmt));
    ON(stmt, SQLSetPos(stmt, 2, SQL_POSITION, SQL_LOCK_NO_CHANGE));
    ON(stmt, SQLGetData(stmt, 2, SQL_C_CHAR, text, sizeof text, NULL));
    printf("    %s\n", text);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    open_library(library);
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
    ON_DBC(SQLDriverConnect(dbc, NULL, (SQLCHAR *)driver_string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT));
    execute("create table thing (id integer, name varchar(20))");
    execute("insert into thing values (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four')");
    SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt);
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_STATIC, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)SIZE, 0));

    printf("executed again\n");
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)all, SQL_NTS));
    for (int times = 0; times < 2; times++) {
        ON(stmt, SQLExecute(stmt));
        ask(), fetch();
        ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    }
    printf("run\n");
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)all, SQL_NTS));
    ask(), fetch();
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    printf("a catalog function\n");
    ON(stmt, SQLTables(stmt, NULL, 0, NULL, 0, (SQLCHAR *)"thing", SQL_NTS, NULL, 0));
    ask();
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    printf("prepared and closed\n");
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)all, SQL_NTS));
    fetch();
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"select id, name from thing where id > 1", SQL_NTS));
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    ask();
    ON(stmt, SQLExecute(stmt));
    fetch();
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    if (!strcmp(dialect, "postgres")) {
        printf("another result\n");
        ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select 1, 'a' union select 2, 'b' union select 3, 'c'; select 7, 'seven'", SQL_NTS));
        fetch();
        ON(stmt, SQLMoreResults(stmt));
        ask(), fetch();
        ON(stmt, SQLMoreResults(stmt));
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    ON_DBC(SQLDisconnect(dbc));
    SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    printf("done: everything was asked\n");
    return 0;
}
