"""What the pyodbc programs share: the connection, the dialect, and telling what came of a call."""

import sys

import pyodbc

CONNECTION_STRING, DIALECT, DRIVER_STRING = sys.argv[1:4]
EXTRA = sys.argv[4:]


def by_dialect(sqlite, postgres, mariadb):
    """The text for the database of this run."""
    return {"sqlite": sqlite, "postgres": postgres, "mariadb": mariadb}[DIALECT]


def connect(keywords="", **options):
    """A connection whose text is UTF-8 where the driver has no Unicode functions of its own."""
    connection = pyodbc.connect(CONNECTION_STRING + keywords, **options)
    if DIALECT != "postgres":
        connection.setdecoding(pyodbc.SQL_CHAR, encoding="utf-8")
        connection.setdecoding(pyodbc.SQL_WMETADATA, encoding="utf-16le")
        connection.setencoding(encoding="utf-8")
    return connection


def tell(label, value):
    """One line, Python's own notation: types show."""
    print(label, repr(value))


def attempt(label, deed):
    """Does it; prints the result or the whole error."""
    try:
        result = deed()
    except pyodbc.Error as error:
        print(label, "raised", type(error).__name__, error.args)
    else:
        tell(label, result)


def done():
    """The word the tests wait for."""
    print("done: everything was asked")
