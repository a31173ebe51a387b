"""A test framework's process: a cassette of its own is inserted, used and ejected, and the process ends without another word."""

import os
import signal
import sys

import pyodbc
from super8_cassettes import Cassettes

library, how = sys.argv[2:4]
pyodbc.pooling = False


def ask(text):
    connection = pyodbc.connect(sys.argv[1], autocommit=True)
    print(connection.execute(text).fetchval(), flush=True)
    return connection


cassettes = Cassettes(library)
# The cassette that super8 was told of.
ask("select 1").close()
with cassettes.use("inserted", ""):
    connection = ask("select 2")
    if how != "left open":
        connection.close()
if how == "exec":
    os.execlp("true", "true")
if how == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
if how != "end":
    os._exit(0)
