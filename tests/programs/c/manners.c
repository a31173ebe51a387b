/* Where drivers differ, over the test driver with Manner=...: each row of a table, and some more return codes and outputs.
 *
 *                                     sqlite               postgres         mariadb
 * SQLGetData, buffer of 0     probe   SUCCESS, length      INFO, length     INFO, length
 * again after the end         end     NO_DATA, length 0    NO_DATA, -       NO_DATA, -
 * a number read twice         twice   SUCCESS, again       NO_DATA          NO_DATA
 * parameter status, counter   sets    -                    written          written
 * SQLGetInfo cut              fact    SUCCESS, the cut     INFO, the whole  SUCCESS, the room
 * unknown connect attribute   unknown INFO                 ERROR            SUCCESS
 * connect's string cut        string  SUCCESS, the cut     INFO, the whole  SUCCESS, the room
 * a fetch that fails          broken  -                    counter, state,  length of
 *                                                          column 1         column 2
 *
 * "-" is what the driver leaves alone. For all of them: return codes without a record, a close, a free and a cancel that do not
 * simply succeed, an attribute that is refused and then taken, and one that is taken or refused as the moment has it, on three connections
 * that are alike. */
#include "report.h"

static SQLLEN length;
static unsigned char buffer[40 + GUARD];

static void get(SQLHSTMT stmt, const char *name, SQLUSMALLINT column, SQLSMALLINT c_type, SQLLEN capacity)
{
    length = -77;
    SQLRETURN rc = tell(name, SQLGetData(stmt, column, c_type, filled(buffer, 40), capacity, &length), SQL_HANDLE_STMT, stmt);
    printf("    length %ld", (long)length);
    written("", buffer, 40, SQL_SUCCEEDED(rc) ? 12 : 4);
}

static void reading(void)
{
    SQLHSTMT stmt = statement();
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"rows 2", SQL_NTS));
    ON(stmt, SQLFetch(stmt));
    get(stmt, "probe", 2, SQL_C_CHAR, 0);
    get(stmt, "piece", 2, SQL_C_CHAR, 4);
    get(stmt, "rest", 2, SQL_C_CHAR, 40);
    get(stmt, "end", 2, SQL_C_CHAR, 40);
    get(stmt, "number", 1, SQL_C_SLONG, 4);
    get(stmt, "twice", 1, SQL_C_SLONG, 4);
    ON(stmt, SQLFetch(stmt));
    get(stmt, "probe", 2, SQL_C_WCHAR, 0);
    get(stmt, "whole", 2, SQL_C_WCHAR, 40);
    get(stmt, "end", 2, SQL_C_WCHAR, 40);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void sets(void)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER values[3] = {1, 2, 3};
    SQLUSMALLINT status[3] = {77, 77, 77};
    SQLULEN processed = 77;
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)3, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAM_STATUS_PTR, status, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_PARAMS_PROCESSED_PTR, &processed, 0));
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, values, 0, NULL));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"?; count 3", SQL_NTS));
    printf("sets: %d %d %d, %lu\n", status[0], status[1], status[2], (unsigned long)processed);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void broken(void)
{
    SQLHSTMT stmt = statement();
    SQLUSMALLINT state = 77;
    SQLULEN fetched = 77;
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_STATUS_PTR, &state, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0));
    SQLINTEGER number = -7;
    SQLLEN number_length = -77, name_length = -77;
    char name[20] = "";
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, &number, 0, &number_length));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, name, sizeof name, &name_length));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"breaks 1; rows 3", SQL_NTS));
    for (int i = 0; i < 2; i++) {
        fetched = 77, state = 77, number = -7, number_length = name_length = -77, strcpy(name, "before");
        ON(stmt, SQLFetch(stmt));
        printf("broken: %lu, %d, %d (%ld), %s (%ld)\n", (unsigned long)fetched, state, (int)number, (long)number_length, name, (long)name_length);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void codes(void)
{
    static const char *const texts[] = {"returns 100", "returns 1", "returns -1", "returns 77"};
    for (int i = 0; i < 4; i++) {
        SQLHSTMT stmt = statement();
        printf("%s", texts[i]);
        ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)texts[i], SQL_NTS));
        SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    }
}

static void ending(void)
{
    SQLHSTMT stmt = statement();
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"clings; deaf; rows 2", SQL_NTS));
    ON(stmt, SQLFetch(stmt));
    ON(stmt, SQLCancel(stmt));
    ON(stmt, SQLCloseCursor(stmt));
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
    tell("free", SQLFreeHandle(SQL_HANDLE_STMT, stmt), SQL_HANDLE_DBC, dbc);
    stmt = statement();
    for (int i = 0; i < 3; i++)
        ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_QUERY_TIMEOUT, (SQLPOINTER)5, 0));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* What came of the same call before says nothing of this one; nor does what came of it on another connection. */
static void at_the_moment(int open)
{
    SQLHSTMT stmt = statement();
    for (int i = 0; i < 5; i++, open = !open) {
        if (open)
            ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"rows 1", SQL_NTS));
        for (int again = 0; again < 3; again++)
            ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_MAX_LENGTH, (SQLPOINTER)100, 0));
        ON(stmt, SQLBindCol(stmt, 3, SQL_C_CHAR, buffer, 10, NULL));
        SQLFreeStmt(stmt, SQL_CLOSE);
        ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_MAX_LENGTH, (SQLPOINTER)100, 0));
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void three_connections(char *string)
{
    SQLHDBC first = dbc, others[2];
    for (int i = 0; i < 2; i++) {
        SQLAllocHandle(SQL_HANDLE_DBC, env, &others[i]);
        dbc = others[i];
        ON_DBC(SQLDriverConnect(dbc, NULL, (SQLCHAR *)string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT));
    }
    dbc = others[0], execute("count 1"), at_the_moment(0);
    dbc = first, execute("count 2"), at_the_moment(1);
    dbc = others[1], execute("count 3"), at_the_moment(1);
    for (int i = 0; i < 2; i++)
        SQLDisconnect(others[i]), SQLFreeHandle(SQL_HANDLE_DBC, others[i]);
    dbc = first;
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    static char string[1000], out[1000];
    SQLSMALLINT size = -77;
    snprintf(string, sizeof string, "%sManner=%s;", driver_string, extra);
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
    ON_DBC(SQLSetConnectAttr(dbc, 99998, (SQLPOINTER)1, 0));
    tell("string", SQLDriverConnect(dbc, NULL, (SQLCHAR *)string, SQL_NTS, (SQLCHAR *)out, 10, &size, SQL_DRIVER_NOPROMPT), SQL_HANDLE_DBC, dbc);
    printf("    %d\n", size);
    ON_DBC(SQLSetConnectAttr(dbc, 99999, (SQLPOINTER)1, 0));
    for (SQLSMALLINT room = 4; room < 30; room += 20) {
        size = -77;
        tell("fact", SQLGetInfo(dbc, SQL_DBMS_VER, filled(buffer, 40), room, &size), SQL_HANDLE_DBC, dbc);
        printf("    length %d", size);
        written("", buffer, 40, 12);
    }
    reading();
    sets();
    broken();
    codes();
    ending();
    three_connections(string);
    return done();
}
