"""A shop that is about to be empty, on a cassette that a person wrote: docs/how-to/mock.md. The argument is the connection string."""
import sys

import pyodbc

connection = pyodbc.connect(sys.argv[1])
cursor = connection.cursor()
query = "select name, price from fruit where price < ?"
print(cursor.execute(query, 5).fetchall())
print([(column[0], column[1].__name__, column[3], column[6]) for column in cursor.description])
print(cursor.execute("delete from fruit").rowcount)
connection.commit()
try:
    cursor.execute("select nothing")
except pyodbc.Error as error:
    print(error.args[0], error.args[1])
print(connection.getinfo(pyodbc.SQL_DBMS_NAME), connection.getinfo(pyodbc.SQL_DRIVER_ODBC_VER))
print([row.type_name for row in cursor.getTypeInfo(pyodbc.SQL_DOUBLE)])
connection.close()
print("done: everything was asked")
