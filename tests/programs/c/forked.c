/* Children that are forked when their parent is connected: they use its connection, open one of their own, do both, or neither. */
#include "report.h"
#include <sys/wait.h>
#include <unistd.h>

enum { IDLE, LETS_GO, EXECS, INHERITED, OWN, BOTH };

static SQLHSTMT prepared, cursor;
static SQLINTEGER number;
static SQLLEN length;

/* Reads a row of the parent's result that is at hand, the rows after it, and executes what the parent prepared. */
static void use_inherited(void)
{
    char text[40] = "";
    tell("  the other cell", SQLGetData(cursor, 2, SQL_C_CHAR, text, sizeof text, &length), SQL_HANDLE_STMT, cursor);
    printf("  %s\n", text);
    rows(cursor);
    ON(prepared, SQLExecute(prepared));
    rows(prepared);
    query("select max(price) from fruit");
    /* SQLite's files are not to be written by a child */
    if (strcmp(dialect, "sqlite"))
        execute("insert into fruit values ('quince', 9)");
}

/* Shadows the parent's handles: nothing of them is used. */
static void use_own(void)
{
    char sql[80];
    connect_or_exit();
    snprintf(sql, sizeof sql, "select name from fruit where price = %d", (int)number);
    query(sql);
    ON_DBC(SQLDisconnect(dbc));
}

/* What is prepared stays: PostgreSQL's driver tells the server when that is freed. */
static void let_go(void)
{
    ON(cursor, SQLFreeStmt(cursor, SQL_CLOSE));
    SQLFreeHandle(SQL_HANDLE_STMT, cursor);
}

static void child(int kind)
{
    SQLHENV parents_env = env;
    SQLHDBC parents_dbc = dbc;
    switch (kind) {
    case IDLE:
        break;
    case LETS_GO:
        let_go();
        break;
    case EXECS:
        execl("/bin/echo", "echo", "  another program", (char *)NULL);
        break;
    case INHERITED:
        use_inherited();
        break;
    case OWN:
        use_own();
        break;
    case BOTH:
        use_own();
        env = parents_env, dbc = parents_dbc;
        use_inherited();
        break;
    }
    printf("  child %d is done\n", (int)number);
    _exit(0);
}

/* Children that work at the same time, or one after the other where they share a connection; each tells through a pipe. */
static void children(const char *what, int kind, int count)
{
    int shares = kind == INHERITED || kind == BOTH, ends[8][2];
    pid_t ids[8];
    for (int i = 0; i < count; i++) {
        number = i % 4 + 1;
        if (pipe(ends[i]))
            exit(3);
        ids[i] = fork();
        if (ids[i] == 0) {
            dup2(ends[i][1], 1);
            child(kind);
        }
        close(ends[i][1]);
        if (shares)
            waitpid(ids[i], NULL, 0);
    }
    for (int i = 0; i < count; i++) {
        char text[8192];
        ssize_t got;
        printf("%s, child %d:\n", what, i + 1);
        while ((got = read(ends[i][0], text, sizeof text)) > 0)
            fwrite(text, 1, (size_t)got, stdout);
        close(ends[i][0]);
        if (!shares)
            waitpid(ids[i], NULL, 0);
    }
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute("create table fruit (name varchar(20), price integer)");
    execute("insert into fruit values ('apple', 1), ('pear', 2), ('cherry', 3), ('plum', 4)");
    prepared = statement();
    ON(prepared, SQLPrepare(prepared, (SQLCHAR *)"select name from fruit where price = ?", SQL_NTS));
    SQLBindParameter(prepared, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &number, 0, NULL);
    /* PostgreSQL's driver sends what is prepared when it is executed first: to be there for all children */
    number = 1;
    ON(prepared, SQLExecute(prepared));
    ON(prepared, SQLFreeStmt(prepared, SQL_CLOSE));
    cursor = statement();
    const char *all = "select price, name from fruit where price < 9 order by price";
    for (int round = 0; round < 2; round++) {
        int count = round ? 4 : 1;
        ON(cursor, SQLExecDirect(cursor, (SQLCHAR *)all, SQL_NTS));
        ON(cursor, SQLFetch(cursor));
        children("idle", IDLE, count);
        children("lets go", LETS_GO, count);
        children("execs", EXECS, count);
        children("inherited", INHERITED, count);
        children("own", OWN, count);
        children("both", BOTH, count);
        rows(cursor);
        ON(cursor, SQLFreeStmt(cursor, SQL_CLOSE));
        query("select count(*) from fruit");
    }
    SQLFreeHandle(SQL_HANDLE_STMT, cursor);
    SQLFreeHandle(SQL_HANDLE_STMT, prepared);
    return done();
}
