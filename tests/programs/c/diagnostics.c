/* Errors and warnings through SQLGetDiagRec, SQLGetDiagField and SQLError, and how long they last. */
#include "report.h"

static const char *bad = "select nothing from nowhere where \xc3\xa9 = 1";

static void fail(SQLHSTMT stmt)
{
    printf("fail -> %s\n", rc_name(SQLExecDirect(stmt, (SQLCHAR *)bad, SQL_NTS)));
}

static void records(SQLHSTMT stmt)
{
    unsigned char text[1000 + GUARD];
    SQLCHAR state[6] = "-----";
    SQLINTEGER native = -77;
    SQLSMALLINT length = -77;
    SQLRETURN rc = SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 1, state, &native, filled(text, 1000), 1000, &length);
    printf("record -> %s [%s] %d (%d)\n", rc_name(rc), state, (int)native, length);
    written("text", text, 1000, length + 1);
    printf("record 2 -> %s\n", rc_name(SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 2, state, NULL, NULL, 0, NULL)));
    printf("record 0 -> %s\n", rc_name(SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 0, state, NULL, NULL, 0, NULL)));
    diagnostics(SQL_HANDLE_STMT, stmt); /* asking does not use them up */
}

static void fields(SQLHSTMT stmt)
{
    static const SQLSMALLINT texts[] = {SQL_DIAG_SQLSTATE, SQL_DIAG_MESSAGE_TEXT, SQL_DIAG_CLASS_ORIGIN, SQL_DIAG_SUBCLASS_ORIGIN,
        SQL_DIAG_SERVER_NAME, SQL_DIAG_CONNECTION_NAME};
    static const SQLSMALLINT header[] = {SQL_DIAG_NUMBER, SQL_DIAG_RETURNCODE, SQL_DIAG_DYNAMIC_FUNCTION_CODE};
    for (size_t i = 0; i < sizeof header / sizeof *header; i++) {
        SQLINTEGER value = 0;
        SQLRETURN rc = SQLGetDiagField(SQL_HANDLE_STMT, stmt, 0, header[i], &value, 0, NULL);
        printf("header %d -> %s %d\n", header[i], rc_name(rc), (int)(SQLSMALLINT)value);
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        unsigned char text[1000 + GUARD];
        SQLSMALLINT length = -77;
        SQLRETURN rc = SQLGetDiagField(SQL_HANDLE_STMT, stmt, 1, texts[i], filled(text, 1000), 1000, &length);
        printf("field %d -> %s (%d) %.*s\n", texts[i], rc_name(rc), length, SQL_SUCCEEDED(rc) && length > 0 ? (int)strnlen((char *)text, 1000) : 0, text);
    }
    SQLINTEGER native = -77;
    SQLRETURN rc = SQLGetDiagField(SQL_HANDLE_STMT, stmt, 1, SQL_DIAG_NATIVE, &native, 0, NULL);
    printf("native -> %s %d\n", rc_name(rc), (int)native);
    rc = SQLGetDiagField(SQL_HANDLE_STMT, stmt, 9, SQL_DIAG_NATIVE, &native, 0, NULL);
    printf("field of record 9 -> %s\n", rc_name(rc));
}

static void old_way(SQLHSTMT stmt)
{
    for (int i = 0; i < 5; i++) {
        SQLCHAR state[6] = "-----", text[1000] = "";
        SQLINTEGER native = -77;
        SQLSMALLINT length = -77;
        SQLRETURN rc = SQLError(env, dbc, stmt, state, &native, text, sizeof text, &length);
        printf("error %d -> %s [%s] %d (%d) %s\n", i, rc_name(rc), state, (int)native, length, text);
        if (rc == SQL_NO_DATA)
            break;
    }
}

static void truncation(void)
{
    SQLHSTMT stmt = statement();
    char small[4];
    SQLLEN length = -77;
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_CHAR, small, sizeof small, &length));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select 'a long text' union all select 'b'", SQL_NTS));
    for (int i = 0; i < 3; i++) {
        ON(stmt, SQLFetch(stmt));
        /* MariaDB's driver does not end a text it cut off: the last byte is not shown. */
        printf("    %.*s (%ld)\n", (int)sizeof small - 1, small, (long)length);
    }
    diagnostics(SQL_HANDLE_STMT, stmt);
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));

    stmt = statement();
    unsigned char number = 0;
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select 123456", SQL_NTS));
    ON(stmt, SQLFetch(stmt));
    ON(stmt, SQLGetData(stmt, 1, SQL_C_UTINYINT, &number, 1, &length)); /* does not fit */
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    SQLHSTMT stmt = statement();
    fail(stmt), records(stmt);
    fail(stmt), fields(stmt);
    fail(stmt), old_way(stmt);
    fail(stmt);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select 1", SQL_NTS)); /* a success clears what the error left */
    diagnostics(SQL_HANDLE_STMT, stmt);
    rows(stmt);
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    tell("prepare badly", SQLPrepare(stmt, (SQLCHAR *)"selec 1", SQL_NTS), SQL_HANDLE_STMT, stmt);
    tell("execute it", SQLExecute(stmt), SQL_HANDLE_STMT, stmt);
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
    execute("create table one (id integer primary key)");
    execute("insert into one values (1)");
    execute("insert into one values (1)");
    execute("create table one (id integer)");
    truncation();
    return done();
}
