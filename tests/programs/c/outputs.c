/* What procedures and functions write to parameters: output, input and output, return values; NULL, what is too long, what
 * is left alone, and values that are there only after the last result. */
#include "report.h"

static struct {
    SQLINTEGER n;
    unsigned char guard[GUARD];
    SQLLEN n_length;
    unsigned char t[30 + GUARD];
    SQLLEN t_length;
    SQL_TIMESTAMP_STRUCT at;
    SQLLEN at_length;
} out;

static void reset(void)
{
    memset(&out, FILLER, sizeof out);
    memset(&out.at, 0, sizeof out.at);
    out.n = 21, out.n_length = out.t_length = out.at_length = 0; /* MariaDB's driver reads what it will only write to */
}

static void show(void)
{
    printf("    n %d (%ld)", (int)out.n, (long)out.n_length);
    written("t", out.t, 30, 12);
    printf("    t length %ld, at %d-%d (%ld)\n", (long)out.t_length, out.at.year, out.at.month, (long)out.at_length);
}

static SQLHSTMT call(const char *sql)
{
    SQLHSTMT stmt = statement();
    printf("%s\n", sql);
    reset();
    return stmt;
}

/* One number, in the direction given; by SQLExecDirect, and prepared twice. */
static void number(SQLSMALLINT direction)
{
    SQLHSTMT stmt = call("twice");
    out.n_length = 0;
    ON(stmt, SQLBindParameter(stmt, 1, direction, SQL_C_SLONG, SQL_INTEGER, 0, 0, &out.n, 0, &out.n_length));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"{call twice(?)}", SQL_NTS));
    show();
    ON(stmt, SQLMoreResults(stmt));
    show();
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"{call twice(?)}", SQL_NTS));
    for (int i = 0; i < 2; i++) {
        out.n = !strcmp(extra, "changed") && i ? 50 : 4 + i, out.n_length = i ? 0 : sizeof out.n;
        ON(stmt, SQLExecute(stmt));
        ON(stmt, SQLMoreResults(stmt));
        show();
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* Three parameters: one sent, two that come back. `capacity` is the text's room. */
static void several(SQLINTEGER n, SQLLEN capacity)
{
    SQLHSTMT stmt = call("several");
    out.n = n, out.n_length = 0;
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &out.n, 0, &out.n_length));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_OUTPUT, SQL_C_CHAR, SQL_VARCHAR, 30, 0, out.t, capacity, &out.t_length));
    ON(stmt, SQLBindParameter(stmt, 3, SQL_PARAM_OUTPUT, SQL_C_TYPE_TIMESTAMP, SQL_TYPE_TIMESTAMP, 0, 0, &out.at, 0, &out.at_length));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"{call several(?, ?, ?)}", SQL_NTS));
    show();
    ON(stmt, SQLMoreResults(stmt));
    show();
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* A result to be fetched first; the value may be there only when there are no more. */
static void with_rows(void)
{
    SQLHSTMT stmt = call("with rows");
    SQLRETURN rc;
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_OUTPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &out.n, 0, &out.n_length));
    rc = ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"{call with_rows(?)}", SQL_NTS));
    show();
    while (SQL_SUCCEEDED(rc)) {
        rows(stmt);
        show();
        rc = ON(stmt, SQLMoreResults(stmt));
        show();
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* {? = call f(?)}: the return value is parameter 1. */
static void function(void)
{
    SQLHSTMT stmt = call("function");
    SQLINTEGER given = 8;
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_OUTPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &out.n, 0, &out.n_length));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &given, 0, NULL));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"{? = call half(?)}", SQL_NTS));
    show();
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* Two texts and a number that share one length variable: the driver's last word on it stays. */
static void shared_length(SQLINTEGER n)
{
    unsigned char other[30 + GUARD];
    SQLINTEGER number = 5;
    SQLLEN n_length = 0;
    SQLHSTMT stmt = call("shared length");
    memset(other, FILLER, sizeof other);
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &n, 0, &n_length));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_OUTPUT, SQL_C_CHAR, SQL_VARCHAR, 30, 0, out.t, 30, &out.t_length));
    ON(stmt, SQLBindParameter(stmt, 3, SQL_PARAM_OUTPUT, SQL_C_CHAR, SQL_VARCHAR, 30, 0, other, 30, &out.t_length));
    ON(stmt, SQLBindParameter(stmt, 4, SQL_PARAM_OUTPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &number, 0, &out.t_length));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"{call texts(?, ?, ?, ?)}", SQL_NTS));
    show();
    written("other", other, 30, 16);
    ON(stmt, SQLMoreResults(stmt));
    show();
    written("other", other, 30, 16);
    printf("    number %d\n", (int)number);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* Bound as output and never written to. */
static void left_alone(void)
{
    SQLHSTMT stmt = call("left alone");
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_OUTPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &out.n, 0, &out.n_length));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_OUTPUT, SQL_C_CHAR, SQL_VARCHAR, 30, 0, out.t, 30, &out.t_length));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select count(*) from called", SQL_NTS));
    rows(stmt);
    show();
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"{call no_such_thing(?)}", SQL_NTS));
    show();
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute("create table called (n integer)");
    execute(by_dialect("select 1", "create function twice(inout n integer) language plpgsql as 'begin insert into called values (n); n := n * 2; end'",
                       "create procedure twice(inout n integer) begin insert into called values (n); set n = n * 2; end"));
    execute(by_dialect("select 2", "create function several(n integer, out t varchar, out at timestamp) language plpgsql as "
                                   "'begin if n > 0 then t := ''a text of words''; at := ''2001-02-03 04:05:06''; end if; end'",
                       "create procedure several(n integer, out t varchar(30), out at datetime) "
                       "begin if n > 0 then set t = 'a text of words', at = '2001-02-03 04:05:06'; end if; end"));
    execute(by_dialect("select 3", "create function with_rows(out n integer) language plpgsql as 'begin n := 77; end'",
                       "create procedure with_rows(out n integer) begin select 1 as one union select 2; select 'x' as x; set n = 77; end"));
    execute(by_dialect("select 4", "create function half(n integer) returns integer language sql as 'select n / 2'",
                       "create function half(n integer) returns integer deterministic return n / 2"));
    execute(by_dialect("select 5", "create function texts(n integer, out a varchar, out b varchar, out k integer) language plpgsql as "
                                   "'begin a := ''one''; k := n; if n = 1 then b := ''two two two''; end if; end'",
                       "create procedure texts(n integer, out a varchar(30), out b varchar(30), out k integer) "
                       "begin set a = 'one', k = n; if n = 1 then set b = 'two two two'; end if; end"));
    number(SQL_PARAM_INPUT_OUTPUT);
    number(SQL_PARAM_OUTPUT);
    several(1, 30);
    several(1, 8);
    several(0, 30);
    with_rows();
    function();
    shared_length(1);
    shared_length(2);
    left_alone();
    return done();
}
