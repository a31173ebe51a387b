/* Sessions whose cassettes are damaged before the replay: each array that is written to has sentinels behind it, and the program
 * says how many of them were written over. Arguments: a connection string and what is done: `scroll` reads a rowset of four rows in
 * the middle of a result, `arrays` sends three sets of parameters, refreshes and changes rows of a rowset, and reads into small
 * buffers, `rows` reads all rows with SQLGetData. */
#include <sql.h>
#include <sqlext.h>
#include <stdio.h>
#include <string.h>

enum { BEHIND = 65536, SENTINEL = 0xAA };

static SQLHSTMT stmt;

#define GUARDED(type, name, count)                                                                                                  \
    static struct {                                                                                                                 \
        type of[count];                                                                                                             \
        unsigned char behind[BEHIND];                                                                                               \
    } name;                                                                                                                         \
    memset(&name, SENTINEL, sizeof name)

static void look(const char *name, const unsigned char *behind)
{
    int written = 0;
    for (int i = 0; i < BEHIND; i++)
        written += behind[i] != SENTINEL;
    if (written)
        printf("WRITTEN OUTSIDE %s: %d bytes\n", name, written);
}

#define LOOK(name) look(#name, name.behind)

static SQLRETURN tell(const char *call, SQLRETURN rc, SQLSMALLINT type, SQLHANDLE handle)
{
    SQLCHAR text[1600] = "";
    printf("%.60s -> %d\n", call, rc);
    if (rc == SQL_ERROR || rc == SQL_SUCCESS_WITH_INFO) {
        SQLGetDiagRec(type, handle, 1, NULL, NULL, text, sizeof text, NULL);
        printf("    %s\n", text);
    }
    return rc;
}

#define DO(call) tell(#call, call, SQL_HANDLE_STMT, stmt)

static SQLRETURN run(const char *sql)
{
    printf("%s\n", sql);
    return DO(SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS));
}

static void set(SQLINTEGER attribute, SQLLEN value)
{
    SQLSetStmtAttr(stmt, attribute, (SQLPOINTER)value, 0);
}

static void scroll(void)
{
    GUARDED(SQLINTEGER, number, 4);
    GUARDED(SQLLEN, length, 4);
    GUARDED(SQLUSMALLINT, state, 4);
    SQLULEN fetched = 0;
    set(SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_STATIC);
    set(SQL_ATTR_ROW_ARRAY_SIZE, 4);
    set(SQL_ATTR_ROWS_FETCHED_PTR, (SQLLEN)&fetched);
    set(SQL_ATTR_ROW_STATUS_PTR, (SQLLEN)state.of);
    SQLBindCol(stmt, 1, SQL_C_SLONG, number.of, 0, length.of);
    run("with recursive r(x) as (select 1 union all select x+1 from r where x<20) select x from r");
    if (SQL_SUCCEEDED(DO(SQLFetchScroll(stmt, SQL_FETCH_ABSOLUTE, 5))))
        printf("%lu rows: %d %d %d %d\n", (unsigned long)fetched, number.of[0], number.of[1], number.of[2], number.of[3]);
    LOOK(number), LOOK(length), LOOK(state);
}

static void arrays(SQLHDBC dbc)
{
    GUARDED(SQLUSMALLINT, functions, SQL_API_ODBC3_ALL_FUNCTIONS_SIZE);
    GUARDED(SQLUSMALLINT, older_functions, 100);
    GUARDED(SQLCHAR, product, 16);
    SQLSMALLINT size = 0;
    SQLGetFunctions(dbc, SQL_API_ODBC3_ALL_FUNCTIONS, functions.of), LOOK(functions);
    SQLGetFunctions(dbc, SQL_API_ALL_FUNCTIONS, older_functions.of), LOOK(older_functions);
    SQLGetInfo(dbc, SQL_DBMS_NAME, product.of, sizeof product.of, &size), LOOK(product);
    run("create table t (id integer primary key, name varchar(10))");

    static SQLINTEGER ids[3] = {1, 2, 3};
    static char names[3][11] = {"a", "b", "c"};
    static SQLLEN lengths[3] = {SQL_NTS, SQL_NTS, SQL_NTS};
    GUARDED(SQLUSMALLINT, set_state, 3);
    SQLULEN processed = 0;
    set(SQL_ATTR_PARAMSET_SIZE, 3);
    set(SQL_ATTR_PARAM_STATUS_PTR, (SQLLEN)set_state.of);
    set(SQL_ATTR_PARAMS_PROCESSED_PTR, (SQLLEN)&processed);
    SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, ids, 0, NULL);
    SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 10, 0, names, 11, lengths);
    run("insert into t values (?, ?)");
    printf("%lu sets\n", (unsigned long)processed), LOOK(set_state);
    set(SQL_ATTR_PARAMSET_SIZE, 1);
    set(SQL_ATTR_PARAM_STATUS_PTR, 0);
    set(SQL_ATTR_PARAMS_PROCESSED_PTR, 0);
    SQLFreeStmt(stmt, SQL_RESET_PARAMS);

    GUARDED(SQLINTEGER, id, 2);
    GUARDED(SQLLEN, id_length, 2);
    GUARDED(SQLCHAR, name, 22);
    GUARDED(SQLLEN, name_length, 2);
    GUARDED(SQLUSMALLINT, state, 2);
#define LOOK_AT_ROWS LOOK(id), LOOK(id_length), LOOK(name), LOOK(name_length), LOOK(state)
    SQLULEN fetched = 0;
    set(SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_STATIC);
    set(SQL_ATTR_CONCURRENCY, SQL_CONCUR_LOCK);
    set(SQL_ATTR_ROW_ARRAY_SIZE, 2);
    set(SQL_ATTR_ROW_STATUS_PTR, (SQLLEN)state.of);
    set(SQL_ATTR_ROWS_FETCHED_PTR, (SQLLEN)&fetched);
    SQLBindCol(stmt, 1, SQL_C_SLONG, id.of, 0, id_length.of);
    SQLBindCol(stmt, 2, SQL_C_CHAR, name.of, 11, name_length.of);
    run("select id, name from t order by id");
    DO(SQLFetchScroll(stmt, SQL_FETCH_FIRST, 0));
    printf("%lu rows: %d %d\n", (unsigned long)fetched, id.of[0], id.of[1]), LOOK_AT_ROWS;
    DO(SQLSetPos(stmt, 1, SQL_REFRESH, SQL_LOCK_NO_CHANGE)), LOOK_AT_ROWS;
    memcpy(name.of, "new", 4), name_length.of[0] = SQL_NTS;
    DO(SQLSetPos(stmt, 1, SQL_UPDATE, SQL_LOCK_NO_CHANGE)), LOOK_AT_ROWS;
    DO(SQLFetchScroll(stmt, SQL_FETCH_NEXT, 0));
    printf("%lu rows\n", (unsigned long)fetched), LOOK_AT_ROWS;
    SQLFreeStmt(stmt, SQL_CLOSE), SQLFreeStmt(stmt, SQL_UNBIND);
    set(SQL_ATTR_ROW_ARRAY_SIZE, 1);
    set(SQL_ATTR_ROW_STATUS_PTR, 0);
    set(SQL_ATTR_ROWS_FETCHED_PTR, 0);

    GUARDED(SQLCHAR, cell, 8);
    GUARDED(SQLCHAR, label, 8);
    SQLLEN cell_length = 0;
    SQLSMALLINT label_length = 0;
    run("select id, name from t order by id");
    SQLFetch(stmt);
    DO(SQLGetData(stmt, 2, SQL_C_CHAR, cell.of, sizeof cell.of, &cell_length)), LOOK(cell);
    DO(SQLDescribeCol(stmt, 1, label.of, sizeof label.of, &label_length, NULL, NULL, NULL, NULL)), LOOK(label);
}

static void rows(void)
{
    SQLSMALLINT columns = 0;
    char name[20] = "", cell[200] = "";
    SQLLEN length = 0;
    int count = 0;
    run("with recursive r(x) as (select 1 union all select x+1 from r where x<20) select x, 'text '||x from r");
    SQLNumResultCols(stmt, &columns);
    SQLDescribeCol(stmt, 2, (SQLCHAR *)name, sizeof name, NULL, NULL, NULL, NULL, NULL);
    while (SQL_SUCCEEDED(DO(SQLFetch(stmt))) && ++count)
        for (int column = 1; column <= columns; column++)
            DO(SQLGetData(stmt, column, SQL_C_CHAR, cell, sizeof cell, &length));
    printf("%d rows, %s ends with %s\n", count, name, cell);
}

int main(int argc, char **argv)
{
    SQLHENV env;
    SQLHDBC dbc;
    if (argc < 3)
        return 2;
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
    SQLRETURN rc = SQLDriverConnect(dbc, NULL, (SQLCHAR *)argv[1], SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
    if (!SQL_SUCCEEDED(tell("SQLDriverConnect", rc, SQL_HANDLE_DBC, dbc)))
        return 1;
    SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt);
    if (!strcmp(argv[2], "scroll"))
        scroll();
    else if (!strcmp(argv[2], "arrays"))
        arrays(dbc);
    else
        rows();
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    SQLDisconnect(dbc);
    SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    return 0;
}
