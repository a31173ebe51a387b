/* How many bytes drivers write of a number, and in which unit they report the length of a name: some write the low half of
 * a number, some more of it than ODBC says, and MariaDB's driver counts characters where bytes are asked for. */
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
    static const SQLINTEGER attributes[] = {SQL_ATTR_ASYNC_ENABLE, SQL_ATTR_AUTOCOMMIT, SQL_ATTR_ACCESS_MODE,
        SQL_ATTR_LOGIN_TIMEOUT, SQL_ATTR_CONNECTION_TIMEOUT, SQL_ATTR_TXN_ISOLATION, SQL_ATTR_METADATA_ID};
    static const SQLINTEGER of_statements[] = {SQL_ATTR_QUERY_TIMEOUT, SQL_ATTR_MAX_ROWS, SQL_ATTR_CONCURRENCY,
        SQL_ATTR_FETCH_BOOKMARK_PTR, SQL_ATTR_PARAM_BIND_OFFSET_PTR, SQL_ATTR_ROW_STATUS_PTR, SQL_ATTR_ROW_ARRAY_SIZE, 29,
        SQL_ATTR_METADATA_ID};
    static const SQLSMALLINT fields[] = {SQL_DESC_COUNT, SQL_DESC_CONCISE_TYPE, SQL_DESC_TYPE, SQL_DESC_LENGTH, SQL_DESC_PRECISION,
        SQL_DESC_SCALE, SQL_DESC_NULLABLE, SQL_DESC_UNNAMED, SQL_DESC_OCTET_LENGTH, SQL_DESC_DISPLAY_SIZE, SQL_DESC_UNSIGNED,
        SQL_DESC_UPDATABLE, SQL_DESC_SEARCHABLE, SQL_DESC_AUTO_UNIQUE_VALUE, SQL_DESC_CASE_SENSITIVE, SQL_DESC_FIXED_PREC_SCALE, 3, 4, 5};
    unsigned char buffer[GUARD];
    SQLWCHAR name[100], query[] = {'s', 'e', 'l', 'e', 'c', 't', ' ', '\'', 'x', '\'', ' ', 'a', 's', ' ', 'a', 0};
    char label[60];
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
    for (size_t i = 0; i < sizeof of_statements / sizeof *of_statements; i++) {
        memset(buffer, FILLER, sizeof buffer);
        rc = SQLGetStmtAttr(stmt, of_statements[i], buffer, 0, NULL);
        sprintf(label, "attribute %d of the statement", (int)of_statements[i]);
        told(label, rc, buffer);
    }
    ON(stmt, SQLExecDirectW(stmt, query, SQL_NTS));
    SQLGetStmtAttr(stmt, SQL_ATTR_IMP_ROW_DESC, &descriptor, 0, NULL);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        memset(buffer, FILLER, sizeof buffer);
        rc = SQLGetDescField(descriptor, 1, fields[i], buffer, 0, NULL);
        sprintf(label, "field %d", fields[i]);
        told(label, rc, buffer);
    }
    memset(name, 0, sizeof name);
    rc = SQLGetDescFieldW(descriptor, 1, SQL_DESC_TYPE_NAME, name, sizeof name, &length);
    printf("type name %s, length %d, ", rc_name(rc), (int)length);
    for (int i = 0; name[i]; i++)
        putchar(name[i]);
    printf("\n");
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
