# Connects that fail, as pyodbc tells of them: its own words, and an access token that is set before the connect.
import struct
import sys

import pyodbc

by_source, dialect, by_driver = sys.argv[1:4]
token = "token of a user".encode("utf-16-le")
attempts = [(by_source, {}), (by_driver, {})]
if dialect == "sqlserver":
    source = by_source.split("UID=")[0]
    attempts.append((source, {"attrs_before": {1256: struct.pack("<i", len(token)) + token}}))
for string, options in attempts:
    try:
        pyodbc.connect(string, timeout=1, **options)
    except pyodbc.Error as error:
        print(type(error).__name__, error.args)
    else:
        print("it connected")
print("done: everything was asked")
