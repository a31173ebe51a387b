/* The program makes an id and a time of its own, writes them by parameters of several C types, and reads them back into bound
   buffers and by SQLGetData: what it reads is what it wrote. `second` asks for another id than it wrote. */
#include "report.h"
#include <time.h>
#include <unistd.h>

static SQLGUID id;
static SQL_TIMESTAMP_STRUCT moment;
static char id_text[37], moment_text[64];

static void make(void)
{
    FILE *random = fopen("/dev/urandom", "rb");
    if (!random || fread(&id, sizeof id, 1, random) != 1)
        exit(2);
    fclose(random);
    snprintf(id_text, sizeof id_text, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", (unsigned)id.Data1, id.Data2,
        id.Data3, id.Data4[0], id.Data4[1], id.Data4[2], id.Data4[3], id.Data4[4], id.Data4[5], id.Data4[6], id.Data4[7]);
    time_t now = time(NULL);
    struct tm *utc = gmtime(&now);
    moment = (SQL_TIMESTAMP_STRUCT){utc->tm_year + 1900, utc->tm_mon + 1, utc->tm_mday, utc->tm_hour, utc->tm_min, utc->tm_sec, 0};
    snprintf(moment_text, sizeof moment_text, "%04d-%02d-%02d %02d:%02d:%02d", moment.year, moment.month, moment.day,
        moment.hour, moment.minute, moment.second);
}

static void same(const char *what, SQLRETURN rc, const void *found, const void *wrote, size_t size)
{
    printf("  %s -> %s: %s\n", what, rc_name(rc), memcmp(found, wrote, size) ? "NOT WHAT IT WROTE" : "what it wrote");
}

int main(int argc, char **argv)
{
    char text[64] = "", sql[200];
    SQL_TIMESTAMP_STRUCT at;
    SQLLEN length = 0, at_length = 0;
    arguments(argc, argv);
    make();
    connect_or_exit();
    execute(by_dialect("create table v (id char(36), at timestamp)", "create table v (id char(36), at timestamp)",
        "create table v (id char(36), at datetime)"));

    SQLHSTMT stmt = statement();
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_CHAR, 36, 0, id_text, sizeof id_text, NULL));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_TYPE_TIMESTAMP, SQL_TYPE_TIMESTAMP, 19, 0, &moment, sizeof moment, NULL));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"insert into v values (?, ?)", SQL_NTS));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);

    stmt = statement();
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_CHAR, text, sizeof text, &length));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_TYPE_TIMESTAMP, &at, sizeof at, &at_length));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select id, at from v", SQL_NTS));
    memset(&at, 0, sizeof at);
    SQLRETURN rc = SQLFetch(stmt);
    same("bound text", rc, text, id_text, 37);
    same("bound structure", rc, &at, &moment, sizeof at);
    printf("  lengths %ld %ld\n", (long)length, (long)at_length);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);

    /* what the driver makes of a text has the id, too */
    SQLCHAR native[200] = "";
    snprintf(sql, sizeof sql, "select at from v where id = '%s'", id_text);
    rc = SQLNativeSql(dbc, (SQLCHAR *)sql, SQL_NTS, native, sizeof native, NULL);
    same("native text", rc, native, sql, strlen(sql) + 1);

    if (!strcmp(extra, "second"))
        make();
    snprintf(sql, sizeof sql, "select at, id from v where id = '%s'", id_text);
    stmt = statement();
    tell("select by a literal", SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS), SQL_HANDLE_STMT, stmt);
    rc = SQLFetch(stmt);
    memset(text, 0, sizeof text);
    rc = SQL_SUCCEEDED(rc) ? SQLGetData(stmt, 1, SQL_C_CHAR, text, sizeof text, &length) : rc;
    same("time as text", rc, text, moment_text, 19);
    /* in two pieces */
    memset(text, 0, sizeof text);
    rc = SQLGetData(stmt, 2, SQL_C_CHAR, text, 20, &length);
    same("first piece", rc, text, id_text, 19);
    printf("  length %ld\n", (long)length);
    rc = SQLGetData(stmt, 2, SQL_C_CHAR, text, sizeof text, &length);
    same("second piece", rc, text, id_text + 19, 17);
    printf("  length %ld\n", (long)length);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
