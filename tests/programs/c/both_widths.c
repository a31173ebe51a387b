/* SQLGetInfo and SQLGetInfoW asked the same, one after the other, with room for all of the text, for some of it, and for none. The last
 * argument says which is first. */
#include "report.h"

static void ask(SQLUSMALLINT what, int wide, SQLSMALLINT room)
{
    unsigned char text[400] = {0};
    SQLSMALLINT length = -77;
    SQLRETURN rc = wide ? SQLGetInfoW(dbc, what, room ? text : NULL, room, &length) : SQLGetInfo(dbc, what, room ? text : NULL, room, &length);
    printf("%s %d in %d: %s, %d bytes: ", wide ? "SQLGetInfoW" : "SQLGetInfo", what, room, rc_name(rc), length);
    for (int at = 0; at + wide < room && text[at]; at += 1 + wide)
        putchar(text[at]);
    putchar('\n');
}

int main(int argc, char **argv)
{
    static const SQLUSMALLINT all[] = {SQL_USER_NAME, SQL_DBMS_NAME, SQL_IDENTIFIER_QUOTE_CHAR, SQL_DATA_SOURCE_NAME};
    static const SQLSMALLINT rooms[] = {400, 6, 0};
    arguments(argc, argv);
    connect_or_exit();
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            for (size_t room = 0; room < sizeof rooms / sizeof *rooms; room++)
                for (int second = 0; second < 2; second++)
                    ask(all[i], second != !strcmp(extra, "wide"), rooms[room]);
    return done();
}
