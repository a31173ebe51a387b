"""What the second connection's password is, the first one says in SQL, in a parameter and in a result. An argument says what the
first one does before the second one connects: `sql` says it, `rows` reads it, `reading` reads it among rows that are not read to
the end, `part` says a longer word. If the second one cannot connect, the program ends, by a signal if a further argument says so."""

import os
import signal
import sys

import pyodbc

PASSWORD = "Geheim-4711-xyz"

connection_string = sys.argv[1]
first = pyodbc.connect(connection_string, autocommit=True)
first.execute("select 1").fetchall()  # the first session has begun before
early = sys.argv[4] if len(sys.argv) > 4 else ""
if early == "sql":
    first.execute(f"select '{PASSWORD}'").fetchall()
elif early == "rows":
    begin, end = PASSWORD.split("-", 1)
    first.execute(f"select '{begin}' || '-{end}' union all select 'x'").fetchall()
elif early == "reading":
    begin, end = PASSWORD.split("-", 1)
    many = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 2000) select"
    cursor = first.cursor()
    cursor.execute(f"{many} case i when 3 then '{begin}' || '-{end}' else printf('%0100d', i) end from n")
    for _ in range(1500):
        cursor.fetchone()
elif early == "part":
    first.execute(f"select 'an{PASSWORD}'").fetchall()
try:
    second = pyodbc.connect(f"{connection_string};NEWPWD={PASSWORD}", autocommit=True)
except pyodbc.Error as error:
    if sys.argv[5] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.exit(0)
for connection in (first, second):
    rows = connection.execute(f"select '{PASSWORD} as text'").fetchall()
    rows += connection.execute("select ? || '.'", PASSWORD).fetchall()
    print([len(row[0]) for row in rows])
second.close()
rows = first.execute(f"select '{PASSWORD} at last'").fetchall()
print(len(rows[0][0]))
first.close()
print("done: everything was asked")
