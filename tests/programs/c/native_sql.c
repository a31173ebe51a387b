/* What the database would get for a text, asked with room for less and for more of it. Drivers write to the text that they are asked about:
 * it has as much room as the answer. */
#include "report.h"

int main(int argc, char **argv)
{
    static const SQLINTEGER rooms[] = {3, 12, 16, 17, 48, 300, 5000};
    static char sql[5000], out[5000];
    arguments(argc, argv);
    connect_or_exit();
    for (int times = 0; times < 20; times++)
        for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
            SQLINTEGER length = -7;
            snprintf(sql, sizeof sql, "select 'abcdef%d'", times);
            memset(out, 0, sizeof out);
            ON_DBC(SQLNativeSql(dbc, (SQLCHAR *)sql, SQL_NTS, (SQLCHAR *)out, rooms[i], &length));
            printf("    %d: '%s' (%d)\n", (int)rooms[i], out, (int)length);
        }
    return done();
}
