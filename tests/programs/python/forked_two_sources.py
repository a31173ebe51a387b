"""Children of a process that is connected to two data sources, behind drivers of two kinds: each child goes on with both connections,
and opens two of its own. Arguments as those of two_sources.py.
"""

import os
import sys

import pyodbc

first, _, second, _, user, password = sys.argv[1:7]
password = password.replace("}", "}}")
pyodbc.pooling = False


def connect(source):
    return pyodbc.connect(f"DSN={source};UID={user};PWD={{{password}}}", autocommit=True)


def ask(who, connections):
    for number, connection in enumerate(connections):
        print(who, number, connection.execute(f"select {len(who)} + {number}").fetchall(), flush=True)


inherited = [connect(first), connect(second)]
ask("parent", inherited)
for name in ("one", "two"):
    child = os.fork()
    if child == 0:
        ask(f"child {name}", inherited)
        own = [connect(second), connect(first)]
        ask(f"{name} alone", own)
        for connection in own:
            connection.close()
        os._exit(0)
    os.waitpid(child, 0)
ask("parent again", inherited)
for connection in inherited:
    connection.close()
print("done: everything was asked")
