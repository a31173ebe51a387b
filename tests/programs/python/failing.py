"""Moves fruit from one shelf to another in a transaction. What it does with an error is the mode: `passes`, `retries`, `swallows`,
`commits` or `crashes`."""

import os
import sys

import pyodbc

connection_string, mode = sys.argv[1], sys.argv[-1]


def move():
    connection = pyodbc.connect(connection_string)
    try:
        cursor = connection.cursor()
        cursor.execute("update shelf set amount = amount - 3 where name = 'upper'")
        try:
            cursor.execute("update shelf set amount = amount + ? where name = 'lower'", 3)
        except pyodbc.Error:
            if mode == "crashes":
                os.abort()
            if mode == "swallows":
                return
            if mode != "commits":
                raise
        connection.commit()
        for row in cursor.execute("select name, amount from shelf order by name").fetchall():
            print(*row)
    finally:
        connection.close()


for left in reversed(range(3 if mode == "retries" else 1)):
    try:
        move()
        break
    except pyodbc.Error as error:
        print(error, file=sys.stderr)
        if not left:
            sys.exit(1)
print("done: everything was asked")
