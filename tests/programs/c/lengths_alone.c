/* A driver that writes the lengths of columns without buffers, as ODBC says: the program reads with SQLGetData what is not NULL. */
#include "report.h"

static void read_lengths(const char *text)
{
    SQLHSTMT stmt = statement();
    SQLLEN lengths[2];
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, NULL, 0, &lengths[0]));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, NULL, 0, &lengths[1]));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)text, SQL_NTS));
    for (int i = 0; i < 5; i++) {
        char name[20] = "";
        SQLLEN length = 77;
        lengths[0] = lengths[1] = 77;
        SQLRETURN rc = ON(stmt, SQLFetch(stmt));
        printf("    lengths %ld %ld\n", (long)lengths[0], (long)lengths[1]);
        if (!SQL_SUCCEEDED(rc) || i % 2)
            continue;
        ON(stmt, SQLGetData(stmt, 2, SQL_C_CHAR, name, sizeof name, &length));
        printf("    %s (%ld), lengths %ld %ld\n", name, (long)length, (long)lengths[0], (long)lengths[1]);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    read_lengths("rows 4; lengths");
    read_lengths("rows 4");
    return done();
}
