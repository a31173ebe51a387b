/* Messages and completed connection strings in buffers that are too small for them, that have no room at all, or that are not there:
 * return codes, lengths, what is written and whether it is terminated. */
#include "report.h"

static void show(const char *what, int size, SQLRETURN rc, long length, const unsigned char *buffer, int room)
{
    int last = -1;
    printf("%s, %d: %s, length %ld, ", what, size, rc_name(rc), length);
    for (int i = 0; i < room; i++)
        if (buffer[i] != FILLER)
            last = i;
    for (int i = 0; i <= last; i++)
        printf(buffer[i] > ' ' && buffer[i] < 127 ? "%c" : "\\%x", buffer[i]);
    printf("\n");
}

static void completed(void)
{
    static const int sizes[] = {1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 15, 16, 17, 18, 20, 22, 24, 30, 40, 50};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char out[64 + GUARD];
        SQLSMALLINT length = -7;
        SQLHDBC other;
        SQLAllocHandle(SQL_HANDLE_DBC, env, &other);
        memset(out, FILLER, sizeof out);
        SQLRETURN rc = SQLDriverConnect(other, NULL, (SQLCHAR *)connection_string, SQL_NTS, out, sizes[i], &length, 0);
        /* how long the whole string is depends on the port and the directory */
        unsigned char *end = memchr(out, 0, 14); /* psqlodbc fills what is left */
        show("completed", sizes[i], rc, length < sizes[i] ? length : sizes[i], out, end ? end + 1 - out : 14);
        SQLDisconnect(other);
        SQLFreeHandle(SQL_HANDLE_DBC, other);
    }
}

static void records(void)
{
    static const int sizes[] = {255, 0, 10, 255, 0, 1, 2};
    SQLCHAR state[6], text[255];
    SQLINTEGER native;
    SQLSMALLINT length = -7;
    SQLHSTMT stmt = statement();
    SQLExecDirect(stmt, (SQLCHAR *)"drop table there_is_no_such_table", SQL_NTS);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(text, FILLER, sizeof text), length = -7;
        SQLRETURN rc = SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 1, state, &native, text, sizes[i], &length);
        show("record", sizes[i], rc, length, text, 40);
    }
    length = -7;
    SQLRETURN rc = SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 1, state, &native, NULL, 0, &length);
    printf("record, no buffer: %s, length %d\n", rc_name(rc), length);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* The message as a field of its record; `first` reads the record before it, into a larger buffer. */
static void fields(int wide, int first)
{
    SQLWCHAR select[] = {'s', 'e', 'l', 'e', 'c', 0}, state[6];
    for (int size = 1; size <= 4; size++) {
        unsigned char buffer[64];
        SQLINTEGER native;
        SQLSMALLINT length = -7;
        SQLHSTMT stmt = statement();
        SQLExecDirectW(stmt, select, SQL_NTS);
        if (first)
            SQLGetDiagRecW(SQL_HANDLE_STMT, stmt, 1, state, &native, (SQLWCHAR *)buffer, sizeof buffer / 2, &length);
        memset(buffer, FILLER, sizeof buffer), length = -7;
        int room = wide ? 2 * size : size;
        SQLRETURN rc = wide ? SQLGetDiagFieldW(SQL_HANDLE_STMT, stmt, 1, SQL_DIAG_MESSAGE_TEXT, buffer, room, &length)
                            : SQLGetDiagField(SQL_HANDLE_STMT, stmt, 1, SQL_DIAG_MESSAGE_TEXT, buffer, room, &length);
        show(wide ? "wide field" : "field", room, rc, length, buffer, sizeof buffer);
        SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    }
}

/* The name of a column's type in buffers for wide characters. Shown is what is in the buffer up to its terminator: there are drivers
 * that take the number of bytes for one of characters, and write behind the buffer. */
static void type_names(void)
{
    static const int sizes[] = {0, 2, 4, 6, 8, 10, 16, 400};
    SQLHSTMT stmt = statement();
    SQLHDESC columns;
    SQLExecDirect(stmt, (SQLCHAR *)"select 'xyzzy' as word", SQL_NTS);
    SQLGetStmtAttr(stmt, SQL_ATTR_IMP_ROW_DESC, &columns, SQL_IS_POINTER, NULL);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char buffer[1024];
        SQLINTEGER length = -7;
        SQLSMALLINT short_length = -7;
        SQLLEN number = -7;
        int end;
        for (int field = 0; field < 2; field++) {
            memset(buffer, FILLER, sizeof buffer);
            SQLRETURN rc = field ? SQLGetDescFieldW(columns, 1, SQL_DESC_TYPE_NAME, buffer, sizes[i], &length)
                                 : SQLColAttributeW(stmt, 1, SQL_DESC_TYPE_NAME, buffer, sizes[i], &short_length, &number);
            for (end = 0; end < sizes[i] && (buffer[end] || buffer[end + 1]); end += 2)
                ;
            show(field ? "type, descriptor" : "type, column", sizes[i], rc, field ? length : short_length, buffer, end);
        }
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* One text asked for in both widths, in rooms of as many bytes that are too small for one of them or both. Shown is the text up to its
 * terminator. */
static void both_widths(void)
{
    for (int size = 4; size <= 24; size += 2)
        for (int turn = 0; turn < 2; turn++) {
            unsigned char buffer[64];
            SQLSMALLINT length = -7;
            int wide = turn ^ (size / 2 & 1), end = 0;
            memset(buffer, FILLER, sizeof buffer);
            SQLRETURN rc = wide ? SQLGetInfoW(dbc, SQL_DBMS_NAME, buffer, size, &length)
                                : SQLGetInfo(dbc, SQL_DBMS_NAME, buffer, size, &length);
            while (end < size && (buffer[end] || (wide && buffer[end + 1])))
                end += wide ? 2 : 1;
            show(wide ? "wide product" : "product", size, rc, length, buffer, end);
        }
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    completed();
    records();
    fields(0, 0), fields(0, 1), fields(1, 0), fields(1, 1);
    type_names();
    /* Once asked for wide characters, psqlodbc writes them to narrow buffers as well; SQLite's driver leaves the end of one unwritten. */
    if (!strcmp(dialect, "mariadb"))
        both_widths();
    return done();
}
