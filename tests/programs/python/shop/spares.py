"""A pool: opens connections, and asks some of them. Its arguments are how many it opens, and the numbers of those that it uses."""

import os
import sys

import odbc

opened, *used = map(int, sys.argv[1:])
pool = [odbc.Connection() for _ in range(opened)]
for number in used:
    print(pool[number].rows("select count(*) from fruit"), pool[number].rows(os.environ.get("SQL", "select max(price) from fruit")))
for connection in pool:
    connection.close()
print("done: everything was asked")
