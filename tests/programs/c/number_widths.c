/* How many bytes drivers write of a number, and in which unit they report the length of a name: some write the low half of
 * a number, and MariaDB's driver counts characters where bytes are asked for. */
#include "report.h"

static void told(const char *what, SQLRETURN rc, const unsigned char *buffer)
{
    int last = 0;
    for (int i = 0; i < GUARD; i++)
        if (buffer[i] != FILLER)
            last = i + 1;
    printf("%s -> %s, %d bytes written\n", what, rc_name(rc), last);
}

int main(int argc, char **argv)
{
    static const SQLUSMALLINT infos[] = {SQL_ASYNC_MODE, SQL_STANDARD_CLI_CONFORMANCE, SQL_ODBC_INTERFACE_CONFORMANCE,
        SQL_GETDATA_EXTENSIONS, SQL_MAX_COLUMNS_IN_TABLE, SQL_SCROLL_OPTIONS};
    static const SQLINTEGER attributes[] = {SQL_ATTR_ASYNC_ENABLE, SQL_ATTR_AUTOCOMMIT, SQL_ATTR_ACCESS_MODE};
    unsigned char buffer[GUARD];
    SQLWCHAR name[100], query[] = {'s', 'e', 'l', 'e', 'c', 't', ' ', '\'', 'x', '\'', ' ', 'a', 's', ' ', 'a', 0};
    char label[40];
    SQLHSTMT stmt;
    SQLHDESC descriptor;
    SQLINTEGER length = -7;
    SQLRETURN rc;

    arguments(argc, argv);
    connect_or_exit();
    for (size_t i = 0; i < sizeof infos / sizeof *infos; i++) {
        memset(buffer, FILLER, sizeof buffer);
        rc = SQLGetInfo(dbc, infos[i], buffer, 0, NULL);
        sprintf(label, "info %d", infos[i]);
        told(label, rc, buffer);
    }
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        memset(buffer, FILLER, sizeof buffer);
        rc = SQLGetConnectAttr(dbc, attributes[i], buffer, 0, NULL);
        sprintf(label, "attribute %d", (int)attributes[i]);
        told(label, rc, buffer);
    }
    stmt = statement();
    ON(stmt, SQLExecDirectW(stmt, query, SQL_NTS));
    SQLGetStmtAttr(stmt, SQL_ATTR_IMP_ROW_DESC, &descriptor, 0, NULL);
    memset(name, 0, sizeof name);
    rc = SQLGetDescFieldW(descriptor, 1, SQL_DESC_TYPE_NAME, name, sizeof name, &length);
    printf("type name %s, length %d, ", rc_name(rc), (int)length);
    for (int i = 0; name[i]; i++)
        putchar(name[i]);
    printf("\n");
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
