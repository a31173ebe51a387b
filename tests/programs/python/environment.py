"""A test framework's way: the program sets variables in its own environment between two connections. One after the other,
then two cassettes at the same time; where that is asked for, a connection without any."""

import os

import pyodbc

from report import EXTRA, connect, done, tell

pyodbc.pooling = False
base = EXTRA[0]


def opened(name):
    os.environ["SUPER8_CASSETTE"] = os.path.join(base, name)
    return connect(autocommit=True)


def ask(connection, text):
    cursor = connection.cursor()
    tell(text, cursor.execute(f"select '{text}'").fetchone()[0])
    cursor.close()


for name in ("one", "two"):
    connection = opened(name)
    ask(connection, name)
    connection.close()
third, fourth = opened("three"), opened("four")
ask(fourth, "four")
ask(third, "three")
ask(fourth, "four again")
third.close()
fourth.close()
if "off" in EXTRA:
    os.environ["SUPER8_MODE"] = "off"
    connection = opened("five")
    ask(connection, "five")
    connection.close()
done()
