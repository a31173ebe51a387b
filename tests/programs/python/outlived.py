"""Connections that live longer than the cassettes that are inserted."""

import os
import sys

import pyodbc
from report import DIALECT, connect, done, tell
from super8_cassettes import Cassettes

mode, library = sys.argv[4], sys.argv[5]
cassettes = Cassettes(library)


def ask(cursor, *question):
    """The answer, with the result read to its end."""
    return cursor.execute(*question).fetchall()[0][0]


with cassettes.use("cassettes/first", mode):
    shared = connect(autocommit=True)
    cursor = shared.cursor()
    tell("first", ask(cursor, "select 1"))
    parameters = shared.cursor()
    tell("prepared", ask(parameters, "select 10 + ?", 1))
    parameters.close()
    again = shared.cursor()
    tell("prepared", ask(again, "select 20 + ?", 1))
with cassettes.use("cassettes/second", mode):
    tell("second", ask(cursor, "select 2"))
    # the statement was prepared for the cassette before
    tell("carried", ask(again, "select 20 + ?", 2))
    with cassettes.use("cassettes/inner", mode):
        tell("inner", ask(shared, "select 3"))
    tell("second again", ask(cursor, "select 4"))

# a result that is not read to its end, and a transaction: it stays, and says so once
with cassettes.use("cassettes/third", mode):
    open_result = shared.cursor().execute("select 6 union all select 7 order by 1")
    tell("third", open_result.fetchone()[0])
    cassettes.super8.super8_insert(b"cassettes/not_reached", mode.encode(), None) if mode == "record" else None
    tell("still third", ask(shared, "select 8"))
    tell("rest", [row[0] for row in open_result.fetchall()])
    cassettes.super8.super8_eject(b"cassettes/not_reached") if mode == "record" else None
with cassettes.use("cassettes/fourth", mode):
    tell("fourth", ask(shared, "select 9"))
    shared.autocommit = False
    tell("in a transaction", ask(shared, "select 10"))
    shared.rollback()
with cassettes.use("cassettes/fifth", mode):
    tell("fifth", ask(shared, "select 11"))
    shared.rollback()
    shared.close()

# what is set on a connection holds in the next cassette, too
def strict():
    connection = connect(autocommit=False)
    connection.set_attr(pyodbc.SQL_ATTR_TXN_ISOLATION, pyodbc.SQL_TXN_SERIALIZABLE)
    if DIALECT == "mariadb":
        connection.set_attr(pyodbc.SQL_ATTR_CURRENT_CATALOG, "information_schema")
    return connection


def ask_and_undo(connection, sql):
    answer = ask(connection, sql)
    connection.rollback()
    return answer


with cassettes.use("cassettes/sixth", mode):
    shared = strict()
    tell("sixth", ask_and_undo(shared, "select 15"))
with cassettes.use("cassettes/seventh", mode):
    tell("seventh", ask_and_undo(shared, "select 16"))
    shared.close()
if mode == "replay":
    # a new connection will do
    with cassettes.use("cassettes/seventh", mode):
        shared = strict()
        assert ask_and_undo(shared, "select 16") == 16
        shared.close()

# a name that mentions a variable
os.environ.update(SUPER8_MODE=mode, SUPER8_CASSETTE="cassettes/of_%{TENANT}", TENANT="ada")
shared = connect(autocommit=True)
tell("ada", ask(shared, "select 12"))
os.environ["TENANT"] = "bob"
tell("bob", ask(shared, "select 13"))
os.environ["TENANT"] = "ada"
tell("ada again", ask(shared, "select 14"))
shared.close()
done()
