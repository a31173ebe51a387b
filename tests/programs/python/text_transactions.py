"""Moves fruit from one shelf to another in a transaction that it begins and ends by the text of statements. What it does with an error
is the mode: `passes`, `retries` after a rollback, or `commits`. With `autocommit` before the connection string a transaction begins by
switching autocommit off."""

import sys

import pyodbc

begin = "SET autocommit = 0" if sys.argv[1] == "autocommit" else "BEGIN"
connection_string, mode = sys.argv[2 if sys.argv[1] == "autocommit" else 1], sys.argv[-1]
connection = pyodbc.connect(connection_string, autocommit=True)
cursor = connection.cursor()


def move():
    cursor.execute(begin)
    cursor.execute("update shelf set amount = amount - 3 where name = 'upper'")
    try:
        cursor.execute("update shelf set amount = amount + 3 where name = 'lower'")
    except pyodbc.Error:
        if mode != "commits":
            cursor.execute("ROLLBACK")
            raise
    cursor.execute("COMMIT")


try:
    move()
except pyodbc.Error as error:
    print(error, file=sys.stderr)
    if mode != "retries":
        sys.exit(1)
    move()
cursor.close()
connection.close()
print("done: everything was asked")
