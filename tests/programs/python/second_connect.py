"""Connects twice, to two databases; before the second time it removes what the argument names, if it names something."""

import os
import shutil
import sys

import pyodbc

vanishes = sys.argv[1]
pyodbc.pooling = False
for source in ("DSN=shop", "DRIVER={SQLite3};Database=second.db"):
    try:
        connection = pyodbc.connect(source, autocommit=True)
        print("connected to", source)
    except pyodbc.Error as error:
        print("failed:", error)
    if os.path.isdir(vanishes):
        shutil.rmtree(vanishes)
    elif vanishes:
        os.remove(vanishes)
    vanishes = ""
print("second.db", "is there" if os.path.exists("second.db") else "is not there")
