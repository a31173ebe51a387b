"""Tests of a shop, each with a connection of its own, by a fixture or by itself."""

import os

import odbc
import pytest

CHANGED = os.environ.get("CHANGED") == "yes"


def test_all_fruit_is_listed(shop):
    order = "price" if CHANGED else "name"
    assert len(shop.rows(f"select name, price from fruit order by {order}")) == 3


def test_two_questions(shop):
    assert shop.rows("select price from fruit where name = 'apple'") == [["3"]]
    if os.environ.get("LEFT_OUT") != "yes":
        assert shop.rows("select price from fruit where name = 'cherry'") == [[None]]
    if os.environ.get("EXTRA") == "yes":
        shop.rows("select price from fruit where name = 'pear'")


class TestPrices:
    @pytest.mark.parametrize("name, price", [("apple", "3"), ("pear", "4"), ("a plum (call)", None)])
    def test_price(self, shop, name, price):
        rows = shop.rows(f"select price from fruit where name = '{name}'")
        assert rows == ([] if price is None else [[price]])


class Testprices:
    def test_price(self, shop):
        assert shop.rows("select count(*) from fruit where price > 3") == [["1"]]


def test_two_connections():
    for name in ("apple", "pear"):
        connection = odbc.Connection()
        assert connection.rows(f"select count(*) from fruit where name = '{name}'") == [["1"]]
        connection.close()


def test_nothing_is_asked_of_the_database():
    assert True
