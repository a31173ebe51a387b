"""Sends statements that are too large for a cassette, each on a connection of its own process: `text` says how the statement is made
so large. Tells how many rows came into the database."""

import sys

import pyodbc

MEBIBYTE = 1 << 20
connection = pyodbc.connect(sys.argv[1], autocommit=True)
cursor = connection.cursor()
cursor.execute("create table filled (id integer)")
comment = {"long": "x" * (64 * MEBIBYTE), "escaped": "\x01" * (17 * MEBIBYTE)}[sys.argv[4]]
text = f"insert into filled values (1) /* {comment} */"
try:
    cursor.execute("insert into filled values (?)", 1)
    if sys.argv[5] == "prepared":
        cursor.execute(f"insert into filled values (?) /* {comment} */", 2)
    else:
        cursor.execute(text)
    print("executed")
except pyodbc.Error as error:
    print("failed:", error)
try:
    cursor.execute("insert into filled values (3)")
except pyodbc.Error as error:
    print("failed again:", error)
