"""Tests that share what fixtures set up once: for the session, for a class in two kinds, and as unittest does it."""

import os
import unittest

import odbc
import pytest

pytestmark = pytest.mark.skipif("SHARED" not in os.environ, reason="only where fixtures are shared")


@pytest.fixture(scope="session")
def stock():
    connection = odbc.Connection()
    connection.rows("create temp table stock (name varchar(20), amount integer)")
    connection.rows(f"insert into stock values ('apple', {7 if os.environ.get('SHARED') == 'changed' else 5})")
    yield connection
    connection.rows("drop table stock")
    connection.close()


@pytest.mark.xdist_group("stock")
def test_apples_are_there(stock):
    assert stock.rows("select amount from stock where name = 'apple'") in ([["5"]], [["7"]])


@pytest.mark.xdist_group("stock")
@pytest.mark.parametrize("name", ["pear@fruit"])
def test_pears_are_not(stock, name):
    assert stock.rows("select amount from stock where name = 'pear'") == []


def test_the_stock_is_asked_for_in_the_middle(shop, request):
    assert shop.rows("select count(*) from fruit") == [["3"]]
    assert request.getfixturevalue("stock").rows("select count(*) from stock") == [["1"]]
    assert shop.rows("select max(price) from fruit") == [["4"]]


class TestPrices:
    @pytest.fixture(scope="class", params=["apple", "pear"])
    def price(self, request):
        connection = odbc.Connection()
        yield connection.rows(f"select price from fruit where name = '{request.param}'")[0][0]
        connection.close()

    def test_they_are_positive(self, price):
        assert int(price) > 0

    def test_they_are_small(self, price):
        assert int(price) < 5


class Counting(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        connection = odbc.Connection()
        cls.count = connection.rows("select count(*) from fruit where price > 3")
        connection.close()

    def test_the_count(self):
        self.assertEqual(self.count, [["1"]])

    def test_the_count_again(self):
        self.assertNotEqual(self.count, [["2"]])
