/* Every catalog function and SQLGetTypeInfo, with NULL, empty and pattern arguments. */
#include "report.h"

static SQLHSTMT stmt;

#define ASK(call)                                        \
    do {                                                 \
        if (SQL_SUCCEEDED(ON(stmt, call)))               \
            names(), rows_of(stmt, STANDARD_COLUMNS);                         \
        SQLFreeStmt(stmt, SQL_CLOSE);                    \
    } while (0)

/* The result's own column names: drivers of ODBC 2 and 3 differ in them. */
static void names(void)
{
    SQLSMALLINT columns = 0;
    SQLNumResultCols(stmt, &columns);
    for (SQLSMALLINT column = 1; column <= columns; column++) {
        SQLCHAR name[100] = "";
        SQLSMALLINT type = 0;
        SQLDescribeCol(stmt, column, name, sizeof name, NULL, &type, NULL, NULL, NULL);
        printf("%s:%d ", name, type);
    }
    printf("\n");
}

#define T(text) (SQLCHAR *)text, SQL_NTS

int main(int argc, char **argv)
{
    arguments(argc, argv);
    connect_or_exit();
    execute("create table parent (id integer not null primary key, name varchar(30))");
    execute("create table child (id integer not null primary key, parent_id integer not null, note varchar(10) default 'x', foreign key (parent_id) references parent (id))");
    execute("create unique index child_note on child (note)");
    execute("create view grown as select id, name from parent where id > 18");
    stmt = statement();
    char current_catalog[100] = "";
    SQLGetConnectAttr(dbc, SQL_ATTR_CURRENT_CATALOG, current_catalog, sizeof current_catalog, NULL);
    /* Without a catalog MariaDB lists the tables of all databases, other tests' among them. */
    SQLCHAR *catalog = (SQLCHAR *)by_dialect(NULL, NULL, current_catalog);
    ASK(SQLTables(stmt, catalog, SQL_NTS, NULL, 0, T("%"), T("TABLE,VIEW")));
    ASK(SQLTables(stmt, catalog, SQL_NTS, NULL, 0, T("par%"), NULL, 0));
    ASK(SQLTables(stmt, catalog, SQL_NTS, NULL, 0, (SQLCHAR *)"children", 5, T("'TABLE'")));
    ASK(SQLTables(stmt, T(""), T(""), T(""), T("%")));
    ASK(SQLColumns(stmt, NULL, 0, NULL, 0, T("parent"), NULL, 0));
    ASK(SQLColumns(stmt, NULL, 0, NULL, 0, T("child"), T("%id")));
    ASK(SQLPrimaryKeys(stmt, NULL, 0, NULL, 0, T("child")));
    ASK(SQLForeignKeys(stmt, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, T("child")));
    ASK(SQLForeignKeys(stmt, NULL, 0, NULL, 0, T("parent"), NULL, 0, NULL, 0, NULL, 0));
    ASK(SQLStatistics(stmt, NULL, 0, NULL, 0, T("child"), SQL_INDEX_ALL, SQL_QUICK));
    ASK(SQLSpecialColumns(stmt, SQL_BEST_ROWID, NULL, 0, NULL, 0, T("child"), SQL_SCOPE_SESSION, SQL_NULLABLE));
    ASK(SQLSpecialColumns(stmt, SQL_ROWVER, NULL, 0, NULL, 0, T("child"), SQL_SCOPE_CURROW, SQL_NO_NULLS));
    ASK(SQLTablePrivileges(stmt, NULL, 0, NULL, 0, T("child")));
    ASK(SQLColumnPrivileges(stmt, NULL, 0, NULL, 0, T("child"), T("note")));
    ASK(SQLProcedures(stmt, NULL, 0, NULL, 0, T("no_such_procedure")));
    ASK(SQLProcedureColumns(stmt, NULL, 0, NULL, 0, T("no_such_procedure"), NULL, 0));
    ASK(SQLGetTypeInfo(stmt, SQL_ALL_TYPES));
    ASK(SQLGetTypeInfo(stmt, SQL_VARCHAR));
    ASK(SQLGetTypeInfo(stmt, 4711));
    ASK(SQLTables(stmt, catalog, SQL_NTS, NULL, 0, T("nothing like it"), NULL, 0));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    return done();
}
