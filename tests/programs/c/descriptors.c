/* Binding by descriptor: fields and records of a statement's own four, descriptors that are allocated, attached to several
 * statements, copied, and freed while they are attached. */
#include "report.h"

#define ON_DESC(desc, call) tell(#call, (call), SQL_HANDLE_DESC, desc)

static SQLHDESC of(SQLHSTMT stmt, SQLINTEGER which)
{
    SQLHDESC desc = NULL;
    SQLRETURN rc = SQLGetStmtAttr(stmt, which, &desc, SQL_IS_POINTER, NULL);
    if (rc != SQL_SUCCESS)
        printf("descriptor %d -> %s\n", (int)which, rc_name(rc));
    return desc;
}

/* Column 1 and 2 of a query, bound field by field, the buffer last. */
static void columns_by_field(void)
{
    SQLHSTMT stmt = statement();
    SQLHDESC ard = of(stmt, SQL_ATTR_APP_ROW_DESC);
    SQLINTEGER n = -7;
    char t[20] = "untouched";
    SQLLEN length = -77, null = -77;
    ON_DESC(ard, SQLSetDescField(ard, 1, SQL_DESC_CONCISE_TYPE, (SQLPOINTER)SQL_C_SLONG, SQL_IS_SMALLINT));
    ON_DESC(ard, SQLSetDescField(ard, 1, SQL_DESC_DATA_PTR, &n, SQL_IS_POINTER));
    ON_DESC(ard, SQLSetDescField(ard, 2, SQL_DESC_TYPE, (SQLPOINTER)SQL_C_CHAR, SQL_IS_SMALLINT));
    ON_DESC(ard, SQLSetDescField(ard, 2, SQL_DESC_OCTET_LENGTH, (SQLPOINTER)sizeof t, SQL_IS_INTEGER));
    ON_DESC(ard, SQLSetDescField(ard, 2, SQL_DESC_OCTET_LENGTH_PTR, &length, SQL_IS_POINTER));
    ON_DESC(ard, SQLSetDescField(ard, 2, SQL_DESC_INDICATOR_PTR, &null, SQL_IS_POINTER));
    ON_DESC(ard, SQLSetDescField(ard, 2, SQL_DESC_DATA_PTR, t, SQL_IS_POINTER));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select n, t from described order by n", SQL_NTS));
    SQLRETURN rc;
    while (SQL_SUCCEEDED(rc = SQLFetch(stmt))) {
        printf("    %s %d | %s length %ld null %s\n", rc_name(rc), (int)n, null == SQL_NULL_DATA ? "" : t, (long)length,
               null == SQL_NULL_DATA ? "yes" : "no");
        length = null = -77;
    }
    printf("    end %s\n", rc_name(rc));
    ON(stmt, SQLCloseCursor(stmt));
    /* Another field after the buffer unbinds it, or not: the driver decides. */
    strcpy(t, "untouched");
    ON_DESC(ard, SQLSetDescField(ard, 2, SQL_DESC_OCTET_LENGTH, (SQLPOINTER)(sizeof t - 1), SQL_IS_INTEGER));
    SQLPOINTER bound = NULL;
    ON_DESC(ard, SQLGetDescField(ard, 2, SQL_DESC_DATA_PTR, &bound, SQL_IS_POINTER, NULL));
    printf("    buffer %s\n", bound == t ? "bound" : bound ? "elsewhere" : "unbound");
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select n, t from described order by n", SQL_NTS));
    rc = SQLFetch(stmt);
    printf("    %s %d | %s\n", rc_name(rc), (int)n, t);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* Three sets of two parameters, all through the application and implementation parameter descriptors. */
static void parameters_by_field(void)
{
    SQLHSTMT stmt = statement();
    SQLHDESC apd = of(stmt, SQL_ATTR_APP_PARAM_DESC), ipd = of(stmt, SQL_ATTR_IMP_PARAM_DESC);
    struct {
        SQLINTEGER n;
        SQLLEN n_length;
        char t[12];
        SQLLEN t_length;
    } sets[5] = {{0, 0, "", 0}, {4, 0, "four", SQL_NTS}, {5, 0, "", SQL_NULL_DATA}, {6, 0, "sixth", 3}, {7, 0, "", 0}};
    SQLLEN offset = sizeof *sets;
    SQLUSMALLINT operation[3] = {SQL_PARAM_PROCEED, SQL_PARAM_IGNORE, SQL_PARAM_PROCEED}, status[3] = {77, 77, 77};
    SQLULEN processed = 777;
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"insert into described values (?, ?, 1.5)", SQL_NTS));
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &sets[0].n, 0, &sets[0].n_length));
    ON(stmt, SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 20, 0, sets[0].t, sizeof sets[0].t, &sets[0].t_length));
    ON_DESC(apd, SQLSetDescField(apd, 0, SQL_DESC_ARRAY_SIZE, (SQLPOINTER)3, SQL_IS_UINTEGER));
    ON_DESC(apd, SQLSetDescField(apd, 0, SQL_DESC_BIND_TYPE, (SQLPOINTER)sizeof *sets, SQL_IS_INTEGER));
    ON_DESC(apd, SQLSetDescField(apd, 0, SQL_DESC_BIND_OFFSET_PTR, &offset, SQL_IS_POINTER));
    ON_DESC(apd, SQLSetDescField(apd, 0, SQL_DESC_ARRAY_STATUS_PTR, operation, SQL_IS_POINTER));
    ON_DESC(ipd, SQLSetDescField(ipd, 0, SQL_DESC_ARRAY_STATUS_PTR, status, SQL_IS_POINTER));
    ON_DESC(ipd, SQLSetDescField(ipd, 0, SQL_DESC_ROWS_PROCESSED_PTR, &processed, SQL_IS_POINTER));
    SQLULEN size = 77;
    ON(stmt, SQLGetStmtAttr(stmt, SQL_ATTR_PARAMSET_SIZE, &size, 0, NULL));
    printf("    sets %lu\n", (unsigned long)size);
    ON(stmt, SQLExecute(stmt));
    printf("    processed %lu status %d %d %d\n", (unsigned long)processed, status[0], status[1], status[2]);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    query("select n, t from described order by n");
}

static void record_of(const char *name, SQLHDESC desc, SQLSMALLINT record)
{
    char text[50] = "";
    SQLSMALLINT length = -77, type = -77, subtype = -77, precision = -77, scale = -77, nullable = -77;
    SQLLEN size = -777;
    SQLRETURN rc = SQLGetDescRec(desc, record, (SQLCHAR *)text, sizeof text, &length, &type, &subtype, &size, &precision, &scale, &nullable);
    printf("  %s record %d -> %s", name, record, rc_name(rc));
    if (SQL_SUCCEEDED(rc))
        printf(" %s type %d size %ld precision %d scale %d nullable %d", text, type, (long)size, precision, scale, nullable);
    printf("\n");
}

static void number_of(const char *name, SQLHDESC desc, SQLSMALLINT record, SQLSMALLINT field, int wide)
{
    SQLLEN number = -777;
    SQLSMALLINT small = -77;
    SQLRETURN rc = SQLGetDescField(desc, record, field, wide ? (SQLPOINTER)&number : (SQLPOINTER)&small, 0, NULL);
    printf("  %s field %d of %d -> %s %ld\n", name, field, record, rc_name(rc), wide ? (long)number : (long)small);
}

/* What all four say of themselves. */
static void questions(void)
{
    SQLHSTMT stmt = statement();
    SQLINTEGER low = 1;
    char t[20];
    SQLLEN length;
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 10, 0, &low, 0, NULL));
    ON(stmt, SQLBindCol(stmt, 2, SQL_C_CHAR, t, sizeof t, &length));
    ON(stmt, SQLPrepare(stmt, (SQLCHAR *)"select n, t from described where n >= ? order by n", SQL_NTS));
    ON(stmt, SQLExecute(stmt));
    static const char *names[] = {"ARD", "APD", "IRD", "IPD"};
    for (int i = 0; i < 4; i++) {
        SQLHDESC desc = of(stmt, SQL_ATTR_APP_ROW_DESC + i);
        number_of(names[i], desc, 0, SQL_DESC_COUNT, 0);
        number_of(names[i], desc, 0, SQL_DESC_ALLOC_TYPE, 0);
        if (i < 2)
            number_of(names[i], desc, 0, SQL_DESC_ARRAY_SIZE, 1);
        SQLSMALLINT record = i == 0 ? 2 : 1;
        number_of(names[i], desc, record, SQL_DESC_CONCISE_TYPE, 0);
        number_of(names[i], desc, record, SQL_DESC_TYPE, 0);
        if (i == 3)
            number_of(names[i], desc, record, SQL_DESC_PARAMETER_TYPE, 0);
        if (i == 2) {
            char label[40] = "";
            SQLINTEGER written = -77;
            SQLRETURN rc = SQLGetDescField(desc, 2, SQL_DESC_NAME, label, sizeof label, &written);
            printf("  name -> %s %s (%d)\n", rc_name(rc), label, (int)written);
        }
        record_of(names[i], desc, record);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* One descriptor for the rows of two statements; freed while both use it. */
static void shared(void)
{
    SQLHDESC both = NULL;
    if (!SQL_SUCCEEDED(ON_DBC(SQLAllocHandle(SQL_HANDLE_DESC, dbc, &both))))
        return;
    SQLHSTMT one = statement(), other = statement();
    SQLINTEGER own = -1, common = -1;
    SQLLEN length = -77;
    ON(one, SQLBindCol(one, 1, SQL_C_SLONG, &own, 0, NULL));
    ON(one, SQLSetStmtAttr(one, SQL_ATTR_APP_ROW_DESC, both, SQL_IS_POINTER));
    ON(other, SQLSetStmtAttr(other, SQL_ATTR_APP_ROW_DESC, both, SQL_IS_POINTER));
    printf("    attached %s %s\n", of(one, SQL_ATTR_APP_ROW_DESC) == both ? "yes" : "no", of(other, SQL_ATTR_APP_ROW_DESC) == both ? "yes" : "no");
    ON(other, SQLBindCol(other, 1, SQL_C_SLONG, &common, 0, &length));
    number_of("shared", both, 0, SQL_DESC_COUNT, 0);
    number_of("shared", both, 0, SQL_DESC_ALLOC_TYPE, 0);
    for (int i = 0; i < 2; i++) {
        SQLHSTMT stmt = i ? other : one;
        ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select n from described order by n", SQL_NTS));
        common = own = -1;
        SQLRETURN rc = SQLFetch(stmt);
        printf("    %s common %d own %d length %ld\n", rc_name(rc), (int)common, (int)own, (long)length);
    }
    if (!strcmp(dialect, "postgres")) /* its driver goes on with the freed one */
        ON(one, SQLSetStmtAttr(one, SQL_ATTR_APP_ROW_DESC, (SQLPOINTER)SQL_NULL_HDESC, SQL_IS_POINTER));
    ON_DESC(both, SQLFreeHandle(SQL_HANDLE_DESC, both));
    common = own = -1;
    SQLRETURN rc = SQLFetch(one);
    printf("    freed: %s common %d own %d\n", rc_name(rc), (int)common, (int)own);
    printf("    its own again %s\n", of(one, SQL_ATTR_APP_ROW_DESC) != both ? "yes" : "no");
    SQLFreeHandle(SQL_HANDLE_STMT, other);
    SQLFreeHandle(SQL_HANDLE_STMT, one);
}

/* Parameters of an allocated descriptor: attached, and taken off again with a null handle. */
static void shared_parameters(void)
{
    SQLHDESC desc = NULL;
    if (!SQL_SUCCEEDED(ON_DBC(SQLAllocHandle(SQL_HANDLE_DESC, dbc, &desc))))
        return;
    SQLHSTMT stmt = statement();
    SQLINTEGER low = 4, other = 6;
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 10, 0, &low, 0, NULL));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_APP_PARAM_DESC, desc, SQL_IS_POINTER));
    ON_DESC(desc, SQLSetDescField(desc, 1, SQL_DESC_CONCISE_TYPE, (SQLPOINTER)SQL_C_SLONG, SQL_IS_SMALLINT));
    ON_DESC(desc, SQLSetDescField(desc, 1, SQL_DESC_DATA_PTR, !strcmp(extra, "changed") ? &low : &other, SQL_IS_POINTER));
    if (SQL_SUCCEEDED(ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select n from described where n >= ? order by n", SQL_NTS))))
        rows(stmt);
    ON(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    ON(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_APP_PARAM_DESC, (SQLPOINTER)SQL_NULL_HDESC, SQL_IS_POINTER));
    if (SQL_SUCCEEDED(ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select n from described where n >= ? order by n", SQL_NTS))))
        rows(stmt);
    ON_DESC(desc, SQLFreeHandle(SQL_HANDLE_DESC, desc));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

/* Bindings that come from another statement's descriptors. */
static void copied(void)
{
    SQLHSTMT from = statement(), to = statement();
    SQLINTEGER n = -1, low = 5;
    char t[20] = "";
    SQLLEN length = -77;
    ON(from, SQLBindCol(from, 1, SQL_C_SLONG, &n, 0, NULL));
    ON(from, SQLBindCol(from, 2, SQL_C_CHAR, t, sizeof t, &length));
    ON(from, SQLBindParameter(from, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 10, 0, &low, 0, NULL));
    SQLHDESC ard = of(to, SQL_ATTR_APP_ROW_DESC), apd = of(to, SQL_ATTR_APP_PARAM_DESC), ipd = of(to, SQL_ATTR_IMP_PARAM_DESC);
    ON_DESC(ard, SQLCopyDesc(of(from, SQL_ATTR_APP_ROW_DESC), ard));
    ON_DESC(apd, SQLCopyDesc(of(from, SQL_ATTR_APP_PARAM_DESC), apd));
    if (strcmp(dialect, "mariadb")) /* its driver frees such a copy twice */
        ON_DESC(ipd, SQLCopyDesc(of(from, SQL_ATTR_IMP_PARAM_DESC), ipd));
    ON(to, SQLExecDirect(to, (SQLCHAR *)"select n, t from described where n >= ? order by n", SQL_NTS));
    SQLRETURN rc;
    while (SQL_SUCCEEDED(rc = SQLFetch(to)))
        printf("    %s %d | %s (%ld)\n", rc_name(rc), (int)n, length < 0 ? "" : t, (long)length);
    printf("    end %s\n", rc_name(rc));
    SQLHDESC ird = of(to, SQL_ATTR_IMP_ROW_DESC);
    ON_DESC(ird, SQLCopyDesc(ard, ird));
    SQLFreeHandle(SQL_HANDLE_STMT, to);
    SQLFreeHandle(SQL_HANDLE_STMT, from);
}

static void numeric(void)
{
    SQLHSTMT stmt = statement();
    SQLHDESC ard = of(stmt, SQL_ATTR_APP_ROW_DESC), apd = of(stmt, SQL_ATTR_APP_PARAM_DESC);
    SQL_NUMERIC_STRUCT sent = {10, 2, 1, {0x39, 0x30}}, got;
    SQLLEN length = sizeof sent, read = -77;
    ON(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_NUMERIC, SQL_NUMERIC, 10, 2, &sent, sizeof sent, &length));
    ON_DESC(apd, SQLSetDescField(apd, 1, SQL_DESC_TYPE, (SQLPOINTER)SQL_C_NUMERIC, SQL_IS_SMALLINT));
    ON_DESC(apd, SQLSetDescField(apd, 1, SQL_DESC_PRECISION, (SQLPOINTER)10, SQL_IS_SMALLINT));
    ON_DESC(apd, SQLSetDescField(apd, 1, SQL_DESC_SCALE, (SQLPOINTER)2, SQL_IS_SMALLINT));
    ON_DESC(apd, SQLSetDescField(apd, 1, SQL_DESC_DATA_PTR, &sent, SQL_IS_POINTER));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"insert into described values (99, 'numeric', ?)", SQL_NTS));
    /* Another scale than the structure's: which of them counts is the driver's to say. */
    ON_DESC(apd, SQLSetDescField(apd, 1, SQL_DESC_SCALE, (SQLPOINTER)(SQLLEN)(!strcmp(extra, "scale") ? 3 : 1), SQL_IS_SMALLINT));
    ON_DESC(apd, SQLSetDescField(apd, 1, SQL_DESC_DATA_PTR, &sent, SQL_IS_POINTER));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"insert into described values (98, 'numeric', ?)", SQL_NTS));
    query("select d from described where n = 98");
    ON(stmt, SQLFreeStmt(stmt, SQL_RESET_PARAMS));
    ON_DESC(ard, SQLSetDescField(ard, 1, SQL_DESC_TYPE, (SQLPOINTER)SQL_C_NUMERIC, SQL_IS_SMALLINT));
    ON_DESC(ard, SQLSetDescField(ard, 1, SQL_DESC_PRECISION, (SQLPOINTER)9, SQL_IS_SMALLINT));
    ON_DESC(ard, SQLSetDescField(ard, 1, SQL_DESC_SCALE, (SQLPOINTER)1, SQL_IS_SMALLINT));
    ON_DESC(ard, SQLSetDescField(ard, 1, SQL_DESC_OCTET_LENGTH_PTR, &read, SQL_IS_POINTER));
    ON_DESC(ard, SQLSetDescField(ard, 1, SQL_DESC_DATA_PTR, &got, SQL_IS_POINTER));
    ON(stmt, SQLExecDirect(stmt, (SQLCHAR *)"select d from described where n = 99", SQL_NTS));
    memset(&got, 0, sizeof got);
    SQLRETURN rc = SQLFetch(stmt);
    tell("fetch", rc, SQL_HANDLE_STMT, stmt);
    printf("    bound precision %d scale %d sign %d length %ld value ", got.precision, got.scale, got.sign, (long)read);
    bytes(got.val, 16);
    printf("\n");
    memset(&got, 0, sizeof got);
    rc = SQLGetData(stmt, 1, SQL_ARD_TYPE, &got, sizeof got, &read);
    tell("get data", rc, SQL_HANDLE_STMT, stmt);
    printf("    read precision %d scale %d sign %d length %ld value ", got.precision, got.scale, got.sign, (long)read);
    bytes(got.val, 16);
    printf("\n");
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute("create table described (n integer, t varchar(20), d decimal(10,2))");
    execute("insert into described values (1, 'one', 1.25)");
    execute("insert into described values (2, null, null)");
    columns_by_field();
    parameters_by_field();
    questions();
    shared();
    shared_parameters();
    copied();
    numeric();
    return done();
}
