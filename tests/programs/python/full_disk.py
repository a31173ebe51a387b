"""Inserts rows until the cassette cannot be written, and tells how many it believes to be in the database.

With `auto` each insert is a transaction, with `commit` ten are one. The third argument is a directory to remove after 20 rows.
"""

import shutil
import sys

import pyodbc

how, vanishes = sys.argv[4], sys.argv[5] if len(sys.argv) > 5 else ""
connection = pyodbc.connect(sys.argv[1], autocommit=how == "auto")
cursor = connection.cursor()
cursor.execute("create table filled (id integer, note text)")
if how != "auto":
    connection.commit()
inserted = committed = failed = 0
for number in range(3000):
    try:
        cursor.execute("insert into filled values (?, ?)", number, "n" * 300)
        inserted += 1
        if how != "auto" and number % 10 == 9:
            connection.commit()
            committed = inserted
    except pyodbc.Error as error:
        failed += 1
        print("failed:", error, flush=True)
        if failed > 3:
            break
    if vanishes and number == 20:
        shutil.rmtree(vanishes)
try:
    if how != "auto":
        connection.rollback()
    connection.close()
except pyodbc.Error as error:
    print("at the end:", error)
print("in the database:", inserted if how == "auto" else committed)
print("done: everything was asked")
