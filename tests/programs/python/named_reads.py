"""Reads that super8.yml names under `answers`: prepared with parameters, in transactions, on two connections. The last argument says
in which order they are asked; what comes of them is the same. With `changing`, one gives another result than before."""

import os

import pyodbc
from report import EXTRA, attempt, connect, done, tell

pyodbc.pooling = False
MODE = EXTRA[0]


def named(cursor, number):
    return int(cursor.execute("select 10 * ?", number).fetchval())


def rate(cursor):
    return [row[0] for row in cursor.execute("select rate from rates").fetchall()]


setup = connect(autocommit=True)
setup.execute("drop table if exists rates")
setup.execute("create table rates (rate integer)")
setup.execute("insert into rates values (7)")
one, other = connect(autocommit=False), connect(autocommit=False)
found = {}
if MODE == "changing":
    rate(setup.cursor())
    # inside a transaction, and on another connection
    one.execute("update rates set rate = 8")
    attempt("another result", lambda: rate(one.cursor()))
    attempt("afterwards", lambda: rate(one.cursor()))
    raise SystemExit(3)
orders = {"recorded": [1, 2, 1, 3, 4], "shuffled": [4, 2, 2, 3, 1, 1, 4]}
for number in orders[MODE]:
    found[number] = named(one.cursor(), number)
# executed again, on one statement
cursor = other.cursor()
for number in reversed(orders[MODE]):
    found[-number] = named(cursor, number)
cursor.close()
for connection in (one, other) if MODE == "recorded" else (other, one):
    # a ping before the work and in the middle of a transaction
    found[0] = rate(connection.cursor())
other.rollback()
one.execute("insert into rates select 9 where 1 = 0")
found[100] = rate(one.cursor())
one.commit()
for connection in (one, other):
    if MODE == "shuffled":
        rate(connection.cursor())
    connection.rollback()
    connection.close()
tell("found", sorted(found.items()))
setup.execute("drop table rates")
setup.close()
done()
