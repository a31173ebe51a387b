"""A cassette is inserted through one copy of super8, and connections go through another. Argument: a library of the former."""

import sys

import pyodbc

from super8_cassettes import Cassettes

cassettes = Cassettes(sys.argv[1])
assert cassettes.super8.super8_insert(b"cassettes/one", b"record", None) == 0
pyodbc.connect("DSN=shop").close()
print(cassettes.super8.super8_eject(None), cassettes.last_error())
