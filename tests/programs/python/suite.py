"""A suite of tests in one process, each with a connection and a cassette of its own: the last argument names them in the
order in which they run. pyodbc asks the driver about its types and itself on the first connection, and then never again."""

import os
import sys

import pyodbc

pyodbc.pooling = False
base = os.environ.get("SUPER8_CASSETTE")


def counting(cursor):
    cursor.execute("select 1 union all select 2 union all select 3")
    return [int(row[0]) for row in cursor.fetchall()]


def parameters(cursor):
    cursor.execute("select 40 + ? union all select 2 * ?", 2, 21)
    return [int(row[0]) for row in cursor.fetchall()]


def types(cursor):
    # The program asks as well, and reads more than pyodbc does for itself.
    names = [row[0] for row in cursor.getTypeInfo(pyodbc.SQL_INTEGER).fetchall()]
    cursor.execute("select 7")
    return len(names) > 0, int(cursor.fetchone()[0])


def information(cursor):
    name = cursor.connection.getinfo(pyodbc.SQL_DBMS_NAME)
    cursor.execute("select 8")
    return name, int(cursor.fetchone()[0])


for name in sys.argv[4].split(","):
    if base:
        os.environ["SUPER8_CASSETTE"] = os.path.join(base, name)
    connection = pyodbc.connect(sys.argv[1], autocommit=True)
    print(name, globals()[name](connection.cursor()))
    connection.close()
print("done: everything was asked")
