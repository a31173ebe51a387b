"""Writes in a transaction on one connection, and a line in a log on another. An error rolls the first transaction back, in mode
`careless` it is ignored; the log is committed in any case."""

import sys

import pyodbc

connection_string, mode = sys.argv[1], sys.argv[-1]

log = pyodbc.connect(connection_string)
work = pyodbc.connect(connection_string)
log.execute("insert into shelf values ('log', 1)")
failed = False
for name in ("one", "two"):
    try:
        work.execute(f"insert into shelf values ('{name}', 1)")
    except pyodbc.Error:
        if mode != "careless":
            work.rollback()
            failed = True
            break
if not failed:
    work.commit()
log.commit()
log.close()
work.close()
print("done: everything was asked")
sys.exit(failed)
