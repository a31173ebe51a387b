/* Connects and says which driver answered, or every diagnostic of why none did. */
#include "report.h"

int main(int argc, char **argv)
{
    arguments(argc, argv);
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
    const char *string = *extra ? extra : connection_string;
    SQLRETURN rc = SQLDriverConnect(dbc, NULL, (SQLCHAR *)string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
    tell("connect", rc, SQL_HANDLE_DBC, dbc);
    if (!SQL_SUCCEEDED(rc))
        return 1;
    char name[200] = "";
    ON_DBC(SQLGetInfo(dbc, SQL_DRIVER_NAME, name, sizeof name, NULL));
    printf("driver %s\n", name);
    ON_DBC(SQLGetInfo(dbc, SQL_DBMS_NAME, name, sizeof name, NULL));
    printf("database %s\n", name);
    return done();
}
