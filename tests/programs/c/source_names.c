/* Connects to a data source whose name is not ASCII, through each function that takes a name: in UTF-8 through the ANSI functions, in UTF-16 through the
 * others. The arguments are names of functions; none stands for all of them. */
#include <stdio.h>
#include <string.h>
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

static SQLCHAR name[] = "Gr\xc3\xb6\xc3\x9f" "e", string[] = "DSN=Gr\xc3\xb6\xc3\x9f" "e";
static SQLWCHAR wide_name[] = {'G', 'r', 0xf6, 0xdf, 'e', 0}, wide_string[] = {'D', 'S', 'N', '=', 'G', 'r', 0xf6, 0xdf, 'e', 0};

int main(int argc, char **argv)
{
    static const char *all[] = {"SQLConnect", "SQLConnectW", "SQLDriverConnect", "SQLDriverConnectW"};
    SQLHENV env;
    int failed = 0;
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    for (int i = 0; i < 4; i++) {
        SQLHDBC dbc;
        SQLHSTMT stmt;
        SQLRETURN rc;
        SQLINTEGER value = -7;
        int wanted = argc < 2;
        for (int at = 1; at < argc; at++)
            wanted |= !strcmp(argv[at], all[i]);
        if (!wanted)
            continue;
        SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
        switch (i) {
        case 0: rc = SQLConnect(dbc, name, SQL_NTS, NULL, 0, NULL, 0); break;
        case 1: rc = SQLConnectW(dbc, wide_name, SQL_NTS, NULL, 0, NULL, 0); break;
        case 2: rc = SQLDriverConnect(dbc, NULL, string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT); break;
        default: rc = SQLDriverConnectW(dbc, NULL, wide_string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
        }
        if (SQL_SUCCEEDED(rc)) {
            SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt);
            SQLExecDirect(stmt, (SQLCHAR *)"select 41 + 1", SQL_NTS);
            SQLFetch(stmt);
            SQLGetData(stmt, 1, SQL_C_SLONG, &value, 0, NULL);
            SQLFreeHandle(SQL_HANDLE_STMT, stmt);
            SQLDisconnect(dbc);
        } else {
            SQLCHAR text[500] = "";
            SQLGetDiagRec(SQL_HANDLE_DBC, dbc, 1, NULL, NULL, text, sizeof text, NULL);
            printf("%s\n", text);
            failed = 1;
        }
        printf("%s: %d, %d\n", all[i], rc, (int)value);
        SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    }
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    return failed;
}
