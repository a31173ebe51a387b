/* SQLGetData: every C type, whole and in pieces, buffers of every awkward size, guards behind each of them. */
#include "report.h"

typedef struct {
    const char *name;
    SQLSMALLINT type;
    int size; /* of a fixed type, 0 otherwise */
} CType;

static const CType types[] = {
    {"CHAR", SQL_C_CHAR, 0}, {"WCHAR", SQL_C_WCHAR, 0}, {"BINARY", SQL_C_BINARY, 0}, {"BIT", SQL_C_BIT, 1},
    {"STINYINT", SQL_C_STINYINT, 1}, {"UTINYINT", SQL_C_UTINYINT, 1}, {"TINYINT", SQL_C_TINYINT, 1},
    {"SSHORT", SQL_C_SSHORT, 2}, {"USHORT", SQL_C_USHORT, 2}, {"SHORT", SQL_C_SHORT, 2}, {"SLONG", SQL_C_SLONG, 4},
    {"ULONG", SQL_C_ULONG, 4}, {"LONG", SQL_C_LONG, 4}, {"SBIGINT", SQL_C_SBIGINT, 8}, {"UBIGINT", SQL_C_UBIGINT, 8},
    {"FLOAT", SQL_C_FLOAT, 4}, {"DOUBLE", SQL_C_DOUBLE, 8}, {"NUMERIC", SQL_C_NUMERIC, sizeof(SQL_NUMERIC_STRUCT)},
    {"DATE", SQL_C_DATE, 6}, {"TIME", SQL_C_TIME, 6}, {"TIMESTAMP", SQL_C_TIMESTAMP, 16}, {"TYPE_DATE", SQL_C_TYPE_DATE, 6},
    {"TYPE_TIME", SQL_C_TYPE_TIME, 6}, {"TYPE_TIMESTAMP", SQL_C_TYPE_TIMESTAMP, 16}, {"GUID", SQL_C_GUID, 16},
    {"DEFAULT", SQL_C_DEFAULT, 0}, {"INTERVAL_DAY", SQL_C_INTERVAL_DAY, sizeof(SQL_INTERVAL_STRUCT)}, {"4711", 4711, 0},
};

static int on_mariadb(void)
{
    return !strcmp(dialect, "mariadb");
}

/* MariaDB's driver reports the size of the buffer instead of a length for these: what it wrote cannot be told from what
 * was there before, so nobody asks it. */
static int length_is_capacity(const char *expression, const CType *type)
{
    int interval = type->type == SQL_C_INTERVAL_DAY;
    return on_mariadb() && (interval || (type->type == SQL_C_DEFAULT && strstr(expression, "decimal")));
}

/* SQLite's driver writes past buffers for SQL_C_WCHAR of an odd size or of 2 bytes; MariaDB's writes half a character
 * into odd ones, and not the same half each time. */
static int wide_pieces_work(int capacity)
{
    if (!strcmp(dialect, "sqlite"))
        return capacity % 2 == 0 && capacity != 2;
    return !on_mariadb() || capacity % 2 == 0 || capacity == 1;
}

/* How much of a buffer a call is known to have filled. */
static size_t filled_part(const CType *type, SQLLEN length, size_t capacity)
{
    size_t terminator = type->type == SQL_C_CHAR ? 1 : type->type == SQL_C_WCHAR ? 2 : 0;
    if (type->size)
        return type->size;
    if (length == SQL_NULL_DATA)
        return 0;
    if (length == SQL_NO_TOTAL || (size_t)length + terminator > capacity)
        return terminator == 2 ? capacity / 2 * 2 : capacity;
    return length + terminator;
}

static void whole(const char *expression)
{
    char sql[400];
    snprintf(sql, sizeof sql, "select %s", expression);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        unsigned char buffer[200 + GUARD];
        if (length_is_capacity(expression, &types[i]))
            continue;
        SQLHSTMT stmt = statement();
        SQLLEN length = -77;
        SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS);
        SQLFetch(stmt);
        SQLRETURN rc = SQLGetData(stmt, 1, types[i].type, filled(buffer, 200), 200, &length);
        printf("%s as %s -> %s (%ld)\n", expression, types[i].name, rc_name(rc), (long)length);
        if (SQL_SUCCEEDED(rc)) {
            written("value", buffer, 200, types[i].size && length < 0 ? 0 : filled_part(&types[i], length, 200));
            rc = SQLGetData(stmt, 1, types[i].type, filled(buffer, 200), 200, &length);
            printf("    once more -> %s (%ld)\n", rc_name(rc), (long)length);
        } else {
            diagnostics(SQL_HANDLE_STMT, stmt);
        }
        SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    }
}

static void pieces(const char *expression, const CType *type, int capacity)
{
    char sql[400];
    unsigned char buffer[300 + GUARD];
    SQLHSTMT stmt = statement();
    snprintf(sql, sizeof sql, "select %s", expression);
    SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS);
    SQLFetch(stmt);
    printf("%s as %s in pieces of %d\n", expression, type->name, capacity);
    for (int piece = 0; piece < 40; piece++) {
        SQLLEN length = -77;
        SQLRETURN rc = SQLGetData(stmt, 1, type->type, filled(buffer, capacity), capacity, &length);
        printf("    piece %d -> %s (%ld)", piece, rc_name(rc), (long)length);
        if (rc == SQL_SUCCESS_WITH_INFO || rc == SQL_ERROR)
            diagnostics(SQL_HANDLE_STMT, stmt);
        if (!SQL_SUCCEEDED(rc)) {
            printf("\n");
            break;
        }
        written("", buffer, capacity, capacity ? filled_part(type, length, capacity) : 0);
        if (capacity < 2 && piece == 3)
            break; /* a buffer that takes nothing never comes to an end */
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void interleaved(const char *first, const char *second)
{
    char sql[800], left[8], right[8];
    SQLHSTMT stmt = statement();
    SQLLEN length = -77;
    snprintf(sql, sizeof sql, "select %s, %s", first, second);
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS));
    ON(stmt, SQLFetch(stmt));
    SQLRETURN rc = SQLGetData(stmt, 1, SQL_C_CHAR, left, sizeof left, &length);
    printf("first %s (%ld) %.8s\n", rc_name(rc), (long)length, left);
    rc = SQLGetData(stmt, 2, SQL_C_CHAR, right, sizeof right, &length);
    printf("second %s (%ld) %.8s\n", rc_name(rc), (long)length, SQL_SUCCEEDED(rc) ? right : "");
    rc = SQLGetData(stmt, 1, SQL_C_CHAR, left, sizeof left, &length);
    printf("first again %s (%ld) %.8s\n", rc_name(rc), (long)length, SQL_SUCCEEDED(rc) ? left : "");
    if (!on_mariadb()) { /* whose driver reads memory that is not its own */
        rc = SQLGetData(stmt, 3, SQL_C_CHAR, left, sizeof left, &length);
        printf("no such column %s\n", rc_name(rc));
        diagnostics(SQL_HANDLE_STMT, stmt);
    }
    ON(stmt, SQLFetch(stmt));
    rc = SQLGetData(stmt, 1, SQL_C_CHAR, left, sizeof left, &length);
    printf("after the end %s\n", rc_name(rc));
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    whole("42");
    whole("'a text'");
    whole("''");
    whole("NULL");
    whole(by_dialect("'17'", "cast(17.25 as numeric(9,2))", "cast(17.25 as decimal(9,2))"));
    whole(by_dialect("1.5e10", "cast(1.5e10 as double precision)", "1.5e10"));
    whole(by_dialect("date('2024-02-29')", "date '2024-02-29'", "date '2024-02-29'"));
    whole(by_dialect("datetime('2024-02-29 23:59:58')", "timestamp '2024-02-29 23:59:58.123456'", "timestamp '2024-02-29 23:59:58.123456'"));
    whole(by_dialect("time('23:59:58')", "time '23:59:58'", "time '23:59:58'"));
    whole(by_dialect("x'00ff10'", "'\\x00ff10'::bytea", "x'00ff10'"));
    whole(by_dialect("'z\xc3\xbcrich \xf0\x9f\x98\x80'", "'z\xc3\xbcrich \xf0\x9f\x98\x80'::varchar(40)", "'z\xc3\xbcrich \xf0\x9f\x98\x80'"));
    static const int capacities[] = {0, 1, 2, 3, 6, 7, 200};
    const char *text = by_dialect("'fifteen letters'", "'fifteen letters'::text", "'fifteen letters'");
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
        pieces(text, &types[0], capacities[i]);
        if (wide_pieces_work(capacities[i]))
            pieces(text, &types[1], capacities[i]);
        pieces(by_dialect("x'000102030405060708'", "'\\x000102030405060708'::bytea", "x'000102030405060708'"), &types[2], capacities[i]);
        pieces("NULL", &types[0], capacities[i]);
    }
    interleaved(text, "'another one of them'");
    return done();
}
