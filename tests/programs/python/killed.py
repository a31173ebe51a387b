"""Reads a result of 50,000 rows and is killed at row 30,000, as by kill -9. A replay of what was recovered ends before that."""

import os
import signal
import sys

import pyodbc

connection = pyodbc.connect(sys.argv[1], autocommit=True)
cursor = connection.cursor()
cursor.execute(
    "with recursive n (i) as (select 1 union all select i + 1 from n where i < 50000) select i, 'row ' || i from n"
)
read = 0
try:
    for number, text in cursor:
        read += 1
        if (number, text) != (read, f"row {read}"):
            print("row", read, "is", (number, text))
        if read == 30000:
            os.kill(os.getpid(), signal.SIGKILL)
except pyodbc.Error as error:
    print("failed:", error)
print("rows:", read)
