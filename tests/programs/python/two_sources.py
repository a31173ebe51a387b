"""Two data sources, behind drivers of two kinds, interleaved in one process. Arguments: a data source, a word, another data source,
nothing, user and password.
"""

import sys

import pyodbc

first, _, second, _, user, password = sys.argv[1:7]
password = password.replace("}", "}}")
pyodbc.pooling = False


def connect(source):
    return pyodbc.connect(f"DSN={source};UID={user};PWD={{{password}}}", autocommit=True)


one, other = connect(first), connect(second)
print(one.getinfo(pyodbc.SQL_DBMS_NAME), other.getinfo(pyodbc.SQL_DBMS_NAME))
left = one.cursor().execute("select 1 union all select 2 order by 1")
right = other.cursor().execute("select 'é' union all select 'x' order by 1")
for _ in range(3):
    print(left.fetchone(), right.fetchone())
left.close(), right.close()
for connection in (one, other):
    try:
        connection.execute("select nothing from nowhere")
    except pyodbc.Error as error:
        print(error.args[0])
    print(connection.execute("select ?", "abc").fetchall())
one.close()
print(other.execute("select 5").fetchall())
other.close()
print("done: everything was asked")
