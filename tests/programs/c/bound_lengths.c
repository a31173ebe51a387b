/* What a fetch leaves in every byte of the bound buffers and their lengths: columns that share a length variable, columns with a
 * length and no buffer, buffers that lie over one another, NULLs, and texts that fill their buffer. */
#include "report.h"

enum { ROWS = 3, WIDTH = 12 };

typedef struct {
    SQLINTEGER id;
    char name[WIDTH], note[WIDTH];
    SQLLEN length, other[2];
} Row;

/* A text up to its terminator, or all of its buffer: some drivers fill what is left of it. */
static void show(const char *what, const char *text, size_t room)
{
    printf("    %s ", what);
    bytes(text, strnlen(text, room));
    printf("\n");
}

static void show_lengths(const char *what, const SQLLEN *lengths, int count)
{
    printf("    %s", what);
    for (int i = 0; i < count; i++)
        printf(" %ld", (long)lengths[i]);
    printf("\n");
}

static SQLHSTMT result(void)
{
    SQLHSTMT stmt = statement();
    SQLSetStmtAttr(stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_STATIC, 0);
    return stmt;
}

static void run(SQLHSTMT stmt)
{
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select id, name, note from item order by id", SQL_NTS));
}

static SQLRETURN fetch(SQLHSTMT stmt)
{
    return tell("fetch", SQLFetch(stmt), SQL_HANDLE_STMT, stmt);
}

/* One row at a time; `text` is how long the buffers for texts are said to be. */
static void one_length_for_all(SQLLEN text)
{
    SQLHSTMT stmt = result();
    SQLINTEGER id = -7;
    char name[WIDTH], note[WIDTH];
    SQLLEN length = 77, of_note = 77;
    printf("one length for all, texts of %ld bytes\n", (long)text);
    memset(name, FILLER, sizeof name), memset(note, FILLER, sizeof note);
    run(stmt);
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, &id, 0, &length));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, name, text, &length));
    ON(stmt, SQLBindCol(stmt, 3, SQL_C_CHAR, note, text, &length));
    printf("    bound: length %ld\n", (long)length);
    for (int i = 0; i < 5; i++) {
        fetch(stmt);
        printf("    id %d, lengths %ld %ld\n", (int)id, (long)length, (long)of_note);
        show("name", name, sizeof name), show("note", note, sizeof note);
        if (i == 1) /* the last column has a length of its own from here on */
            ON(stmt, SQLBindCol(stmt, 3, SQL_C_CHAR, note, text, &of_note));
    }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

static void one_array_for_all(void)
{
    SQLHSTMT stmt = result();
    SQLINTEGER id[ROWS] = {-7, -7, -7};
    char name[ROWS][WIDTH], note[ROWS][WIDTH];
    SQLLEN lengths[ROWS] = {77, 77, 77};
    SQLULEN fetched = 77;
    memset(name, FILLER, sizeof name), memset(note, FILLER, sizeof note);
    printf("one array of lengths for all\n");
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)ROWS, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0));
    run(stmt);
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, id, 0, lengths));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, name, WIDTH, lengths));
    ON(stmt, SQLBindCol(stmt, 3, SQL_C_CHAR, note, WIDTH, lengths));
    for (int i = 0; i < 3; i++) {
        fetch(stmt);
        printf("    fetched %lu, ids %d %d %d\n", (unsigned long)fetched, (int)id[0], (int)id[1], (int)id[2]);
        show_lengths("lengths", lengths, ROWS);
        for (int row = 0; row < ROWS; row++)
            show("name", name[row], WIDTH), show("note", note[row], WIDTH);
    }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

/* Row by row in memory, further on with each fetch: the number has a length of its own, the texts share one. */
static void shared_in_structures(void)
{
    SQLHSTMT stmt = result();
    static Row table[2 * ROWS];
    SQLULEN offset = 0;
    memset(table, FILLER, sizeof table);
    printf("lengths shared in structures\n");
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_BIND_TYPE, (SQLPOINTER)sizeof(Row), 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)ROWS, 0));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_BIND_OFFSET_PTR, &offset, 0));
    run(stmt);
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, &table[0].id, 0, &table[0].other[0]));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, table[0].name, WIDTH, &table[0].length));
    ON(stmt, SQLBindCol(stmt, 3, SQL_C_CHAR, table[0].note, WIDTH, &table[0].length));
    for (int i = 0; i < 2; i++) {
        offset = i * ROWS * sizeof(Row);
        fetch(stmt);
    }
    for (int i = 0; i < 2 * ROWS; i++) {
        printf("  row %d: id %x\n", i, (unsigned)table[i].id);
        show("name", table[i].name, WIDTH), show("note", table[i].note, WIDTH);
        show_lengths("length", &table[i].length, 1), show_lengths("others", table[i].other, 2);
    }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

/* `got`: the columns are read with SQLGetData as well. */
static void lengths_without_buffers(int got)
{
    SQLHSTMT stmt = result();
    SQLLEN of_name = 77, of_id = 77;
    printf("lengths without buffers%s\n", got ? ", and SQLGetData" : "");
    run(stmt);
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, NULL, 0, &of_id));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, NULL, 0, &of_name));
    for (int i = 0; i < 5; i++) {
        of_name = of_id = 77;
        SQLRETURN rc = fetch(stmt);
        printf("    lengths %ld %ld\n", (long)of_id, (long)of_name);
        if (!got || !SQL_SUCCEEDED(rc))
            continue;
        char name[WIDTH];
        SQLINTEGER id = -7;
        SQLLEN length[2] = {77, 77};
        memset(name, FILLER, sizeof name);
        ON(stmt, SQLGetData(stmt, 1, SQL_C_SLONG, &id, 0, &length[0]));
        ON(stmt, SQLGetData(stmt, 2, SQL_C_CHAR, name, sizeof name, &length[1]));
        printf("    got %d %ld %ld, lengths %ld %ld\n", (int)id, (long)length[0], (long)length[1], (long)of_id, (long)of_name);
        show("name", name, sizeof name);
    }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

static void over_one_another(void)
{
    SQLHSTMT stmt = result();
    SQLLEN id = 77, of_name = 77, of_note = 77; /* the number's length is written over the number */
    char text[WIDTH];
    memset(text, FILLER, sizeof text);
    printf("buffers over one another\n");
    run(stmt);
    ON(stmt, SQLBindCol(stmt, 1, SQL_C_SBIGINT, &id, 0, &id));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, text, sizeof text, &of_name));
    ON(stmt, SQLBindCol(stmt, 3, SQL_C_CHAR, text, sizeof text, &of_note));
    for (int i = 0; i < 5; i++) {
        fetch(stmt);
        printf("    %ld %ld %ld\n", (long)id, (long)of_name, (long)of_note);
        show("text", text, sizeof text);
    }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

/* Forth and back, where the driver can. */
static void scrolled(void)
{
    static const SQLSMALLINT orientations[] = {SQL_FETCH_LAST, SQL_FETCH_FIRST, SQL_FETCH_NEXT, SQL_FETCH_ABSOLUTE, SQL_FETCH_NEXT};
    SQLHSTMT stmt = result();
    char name[WIDTH], note[WIDTH];
    SQLLEN length = 77;
    memset(name, FILLER, sizeof name), memset(note, FILLER, sizeof note);
    printf("scrolled\n");
    run(stmt);
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, name, sizeof name, &length));
    ON(stmt, SQLBindCol(stmt, 3, SQL_C_CHAR, note, sizeof note, &length));
    for (size_t i = 0; i < sizeof orientations / sizeof *orientations; i++) {
        ON(stmt, SQLFetchScroll(stmt, orientations[i], 2));
        printf("    length %ld\n", (long)length);
        show("name", name, sizeof name), show("note", note, sizeof note);
    }
    ON(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute("create table item (id integer, name varchar(40), note varchar(40))");
    execute("insert into item values (1, 'one', 'first')");
    execute("insert into item values (2, 'two two two', NULL)");
    execute("insert into item values (NULL, NULL, 'third third')");
    execute("insert into item values (4, 'x', 'y')");
    one_length_for_all(WIDTH);
    one_length_for_all(5);
    one_array_for_all();
    shared_in_structures();
    lengths_without_buffers(0), lengths_without_buffers(1);
    over_one_another();
    scrolled();
    return done();
}
