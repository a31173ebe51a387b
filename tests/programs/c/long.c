/* Values of ten megabytes as parameters bound whole, read into a column bound whole and in pieces by SQLGetData. */
#include "report.h"

enum { SIZE = 10 * 1000 * 1000 };
static char sent[SIZE + 1], got[SIZE + GUARD + 1];

/* A number that differs when one byte of the value does. */
static unsigned long digest(const char *data, size_t count)
{
    unsigned long sum = 14695981039346656037UL;
    for (size_t i = 0; i < count; i++)
        sum = (sum ^ (unsigned char)data[i]) * 1099511628211UL;
    return sum;
}

static void send(SQLINTEGER id, SQLSMALLINT c_type, SQLSMALLINT sql_type, const char *column, SQLLEN length)
{
    char sql[100];
    SQLHSTMT stmt = statement();
    SQLLEN indicator = length;
    snprintf(sql, sizeof sql, "insert into large (id, %s) values (?, ?)", column);
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0, NULL));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, c_type, sql_type, SIZE, 0, sent, sizeof sent, &indicator));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void read_back(const char *sql, SQLSMALLINT c_type, SQLLEN piece)
{
    SQLHSTMT stmt = statement();
    SQLLEN length = -77, total = 0;
    int terminator = c_type == SQL_C_CHAR;
    if (!piece)
        SQLBindCol(stmt, 1, c_type, got, SIZE + 1, &length);
    tell(sql, SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS), SQL_HANDLE_STMT, stmt);
    memset(got, FILLER, sizeof got);
    SQLRETURN rc = SQLFetch(stmt);
    while (piece && SQL_SUCCEEDED(rc)) {
        length = -77;
        rc = SQLGetData(stmt, 1, c_type, got + total, total + piece > (SQLLEN)sizeof got ? (SQLLEN)sizeof got - total : piece, &length);
        printf("    %s (%ld)\n", rc_name(rc), (long)length);
        if (rc == SQL_SUCCESS_WITH_INFO)
            total += piece - terminator;
        else if (rc == SQL_SUCCESS)
            total += length;
    }
    if (!piece)
        printf("    fetch %s (%ld)\n", rc_name(rc), (long)(total = length));
    printf("    %ld bytes, digest %lx\n", (long)total, digest(got, total < SIZE ? total : SIZE));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute(by_dialect("create table large (id integer, t text, b blob)", "create table large (id integer, t text, b bytea)",
                       "create table large (id integer, t longtext, b longblob)"));
    for (int i = 0; i < SIZE; i++)
        sent[i] = 'a' + i % 23;
    send(1, SQL_C_CHAR, SQL_LONGVARCHAR, "t", SQL_NTS);
    send(2, SQL_C_CHAR, SQL_LONGVARCHAR, "t", 5000);
    for (int i = 0; i < SIZE; i++)
        sent[i] = i * 7 % 251;
    send(3, SQL_C_BINARY, SQL_LONGVARBINARY, "b", SIZE);
    read_back("select t from large where id = 1", SQL_C_CHAR, 0);
    read_back("select t from large where id = 1", SQL_C_CHAR, 3000000);
    read_back("select t from large where id = 2", SQL_C_CHAR, 2000);
    read_back("select b from large where id = 3", SQL_C_BINARY, 0);
    read_back("select b from large where id = 3", SQL_C_BINARY, 4000000);
    return done();
}
