"""Asks a driver everything that pyodbc can ask beside statements. The argument is the connection string."""
import sys

import pyodbc

connection = pyodbc.connect(sys.argv[1], autocommit=True)
information = sorted(name for name in dir(pyodbc) if name.startswith("SQL_") and isinstance(getattr(pyodbc, name), int))
for name in information:
    # the names of other constants are no information types: their numbers are asked for as well
    try:
        answer = connection.getinfo(getattr(pyodbc, name))
    except (pyodbc.Error, ValueError) as error:
        answer = error.args
    # the names of the session: of data source, server, database and user
    if getattr(pyodbc, name) not in (2, 13, 16, 47):
        print(name, repr(answer))
cursor = connection.cursor()
for kind in [None, *sorted({getattr(pyodbc, name) for name in information if -20 < getattr(pyodbc, name) < 115})]:
    try:
        rows = (cursor.getTypeInfo() if kind is None else cursor.getTypeInfo(kind)).fetchall()
        # MariaDB's driver describes the columns by the rows of the result
        described = [column[:7] if kind is None else column[0] for column in cursor.description]
        print(kind, described, *rows, sep="\n  ")
    except pyodbc.Error as error:
        print(kind, error.args)
print(connection.searchescape, connection.timeout)
connection.close()
print("done: everything was asked")
