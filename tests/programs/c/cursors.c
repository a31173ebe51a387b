/* Cursors of each type while other statements change their rows, as far as drivers have them: what is asked for and what it becomes, the rows that are seen,
 * their states, going back to them, locks. */
#include "report.h"

enum { SIZE = 3 };

static SQLINTEGER id[SIZE];
static char name[SIZE][16];
static SQLLEN lengths[2][SIZE];
static SQLUSMALLINT status[SIZE];
static SQLULEN fetched;

static void attribute(SQLHSTMT stmt, const char *what, SQLINTEGER which, SQLULEN wanted)
{
    SQLULEN now = 77;
    printf("%s %lu: ", what, (unsigned long)wanted);
    tell("set", SQLSetStmtAttr(stmt, which, (SQLPOINTER)wanted, 0), SQL_HANDLE_STMT, stmt);
    if (SQL_SUCCEEDED(tell("    get", SQLGetStmtAttr(stmt, which, &now, 0, NULL), SQL_HANDLE_STMT, stmt)))
        printf("    it is %lu\n", (unsigned long)(SQLUINTEGER)now);
}

static void show(SQLHSTMT stmt, const char *what, SQLRETURN rc)
{
    tell(what, rc, SQL_HANDLE_STMT, stmt);
    printf("    fetched %lu:", (unsigned long)fetched);
    for (int i = 0; i < SIZE; i++)
        if (status[i] == SQL_ROW_SUCCESS || status[i] == SQL_ROW_UPDATED || status[i] == SQL_ROW_ADDED)
            printf(" %d:%d %s |", status[i], (int)id[i], lengths[1][i] < 0 ? "NULL" : name[i]);
        else
            printf(" %d |", status[i]);
    printf("\n");
}

static void go(SQLHSTMT stmt, const char *what, SQLSMALLINT orientation, SQLLEN offset)
{
    for (int i = 0; i < SIZE; i++)
        id[i] = -7, strcpy(name[i], "-"), lengths[0][i] = lengths[1][i] = -77, status[i] = 77;
    fetched = 77;
    show(stmt, what, SQLFetchScroll(stmt, orientation, offset));
}

static void of_type(SQLULEN type, SQLULEN concurrency)
{
    printf("\ntype %lu, concurrency %lu\n", (unsigned long)type, (unsigned long)concurrency);
    execute("delete from cursored");
    execute("insert into cursored values (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four'), (5, 'five')");
    SQLHSTMT stmt = statement();
    attribute(stmt, "concurrency", SQL_ATTR_CONCURRENCY, concurrency);
    attribute(stmt, "type", SQL_ATTR_CURSOR_TYPE, type);
    attribute(stmt, "keyset size", SQL_ATTR_KEYSET_SIZE, 0);
    attribute(stmt, "rowset", SQL_ATTR_ROW_ARRAY_SIZE, SIZE);
    SQLSetStmtAttr(stmt, SQL_ATTR_ROW_STATUS_PTR, status, 0);
    SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0);
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, id, 0, lengths[0]));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, name, sizeof name[0], lengths[1]));
    if (SQL_SUCCEEDED(ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select id, name from cursored order by id", SQL_NTS)))) {
        SQLLEN rows = -7;
        SQLINTEGER header = -7;
        printf("    cursor rows %s", rc_name(SQLGetDiagField(SQL_HANDLE_STMT, stmt, 0, SQL_DIAG_CURSOR_ROW_COUNT, &rows, 0, NULL)));
        printf(" %ld, function %s", (long)rows, rc_name(SQLGetDiagField(SQL_HANDLE_STMT, stmt, 0, SQL_DIAG_DYNAMIC_FUNCTION_CODE, &header, 0, NULL)));
        printf(" %d\n", (int)header);
        attribute(stmt, "type now", SQL_ATTR_CURSOR_TYPE, type);
        go(stmt, "next", SQL_FETCH_NEXT, 0);
        execute("update cursored set name = 'changed' where id = 2");
        execute("delete from cursored where id = 3");
        execute("insert into cursored values (6, 'six')");
        go(stmt, "again", SQL_FETCH_RELATIVE, 0);
        show(stmt, "refresh", SQLSetPos(stmt, 0, SQL_REFRESH, SQL_LOCK_NO_CHANGE));
        for (SQLUSMALLINT lock = SQL_LOCK_EXCLUSIVE; lock <= SQL_LOCK_UNLOCK; lock++)
            show(stmt, "lock", SQLSetPos(stmt, 1, SQL_POSITION, lock));
        go(stmt, "next", SQL_FETCH_NEXT, 0);
        go(stmt, "next", SQL_FETCH_NEXT, 0);
        go(stmt, "prior", SQL_FETCH_PRIOR, 0);
        go(stmt, "last", SQL_FETCH_LAST, 0);
        go(stmt, "absolute", SQL_FETCH_ABSOLUTE, 2);
        go(stmt, "first", SQL_FETCH_FIRST, 0);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    static const SQLULEN types[] = {SQL_CURSOR_FORWARD_ONLY, SQL_CURSOR_KEYSET_DRIVEN, SQL_CURSOR_DYNAMIC, SQL_CURSOR_STATIC};
    arguments(argc, argv);
    static char more[1000];
    /* MariaDB's driver has dynamic cursors if it is told so. */
    snprintf(more, sizeof more, "%s%s", connection_string, strcmp(dialect, "mariadb") ? "" : "OPTION=32;");
    connection_string = more;
    connect_or_exit();
    execute("create table cursored (id integer primary key, name varchar(15))");
    for (int i = 0; i < 4; i++)
        of_type(types[i], SQL_CONCUR_READ_ONLY), of_type(types[i], SQL_CONCUR_ROWVER);
    SQLHSTMT stmt = statement();
    for (SQLULEN sensitivity = 0; sensitivity < 3; sensitivity++)
        attribute(stmt, "sensitivity", SQL_ATTR_CURSOR_SENSITIVITY, sensitivity);
    for (SQLULEN scrollable = 0; scrollable < 2; scrollable++)
        attribute(stmt, "scrollable", SQL_ATTR_CURSOR_SCROLLABLE, scrollable);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
