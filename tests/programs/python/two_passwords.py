"""What the second connection's password is, the first one says in SQL, in a parameter and in a result."""

import sys

import pyodbc

PASSWORD = "Geheim-4711-xyz"

connection_string = sys.argv[1]
first = pyodbc.connect(connection_string, autocommit=True)
first.execute("select 1").fetchall()  # the first session has begun before
second = pyodbc.connect(f"{connection_string};NEWPWD={PASSWORD}", autocommit=True)
for connection in (first, second):
    rows = connection.execute(f"select '{PASSWORD} as text'").fetchall()
    rows += connection.execute("select ? || '.'", PASSWORD).fetchall()
    print([len(row[0]) for row in rows])
second.close()
rows = first.execute(f"select '{PASSWORD} at last'").fetchall()
print(len(rows[0][0]))
first.close()
print("done: everything was asked")
