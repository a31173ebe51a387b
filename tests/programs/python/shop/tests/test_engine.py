"""Tests that share one connection, which lives as long as the process: an engine at the level of a module."""

import os

import odbc
import pytest

pytestmark = pytest.mark.skipif("ENGINE" not in os.environ, reason="only where connections outlive their cassettes")

AUTOCOMMIT = 102
CHANGED = os.environ.get("ENGINE") == "changed"


class Engine:
    def __init__(self):
        self.connection = None

    def connect(self):
        """The connection, made by the first test that asks for it."""
        if self.connection is None:
            self.connection = odbc.Connection()
            self.connection.set(AUTOCOMMIT, 0)
            self.by_price = odbc.Statement(self.connection)
            self.by_price.prepared = False
        return self.connection

    def rows(self, sql):
        try:
            return self.connect().rows(sql)
        finally:
            # what a pool does with a connection that comes back
            self.connection.end(False)

    def cheapest(self):
        """By a statement that is prepared once, where it is used first."""
        self.connect()
        if not self.by_price.prepared:
            self.by_price.prepare("select min(price) from fruit")
            self.by_price.prepared = True
        rows = self.by_price.execute()
        self.connection.end(False)
        return rows


ENGINE = Engine()


def test_apples():
    assert ENGINE.rows("select price from fruit where name = 'apple'") == [["3"]]


def test_pears():
    order = "desc" if CHANGED else "asc"
    assert ENGINE.rows(f"select price from fruit where name = 'pear' order by price {order}") == [["4"]]
    assert ENGINE.rows("select count(*) from fruit") == [["3"]]


def test_the_cheapest():
    assert ENGINE.cheapest() == [["3"]]
    assert ENGINE.cheapest() == [["3"]]


def test_the_cheapest_after_another_question():
    assert ENGINE.rows("select max(price) from fruit") == [["4"]]
    assert ENGINE.cheapest() == [["3"]]
