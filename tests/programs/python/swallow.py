"""Runs the statements it is given on the data source `shop`, ignores every error of the driver, and ends with exit code 0."""
import sys

import pyodbc

pyodbc.pooling = False
try:
    connection = pyodbc.connect(sys.argv[1], autocommit=True)
    for sql in sys.argv[2:]:
        cursor = connection.cursor()
        try:
            cursor.execute(sql)
            print(cursor.fetchall())
        except pyodbc.Error:
            print("never mind")
        cursor.close()
    connection.close()
except pyodbc.Error:
    print("never mind")
