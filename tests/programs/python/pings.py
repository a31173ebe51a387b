"""A pool's ping before each piece of work, as often as the last argument says; the work itself is the same each time."""

import sys

import pyodbc

pyodbc.pooling = False
connection = pyodbc.connect(sys.argv[1], autocommit=True)
for _ in range(int(sys.argv[4])):
    assert connection.execute("select 1").fetchone()[0] == 1
    # the same with a parameter: prepared, and executed again on the same cursor
    cursor = connection.cursor()
    for _ in range(2):
        assert cursor.execute("select 1 where 1 = ?", 1).fetchone()[0] == 1
    cursor.close()
print([int(row[0]) for row in connection.execute("select 1 union all select 2").fetchall()])
connection.close()
print("done: everything was asked")
