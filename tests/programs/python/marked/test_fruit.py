"""Tests with a cassette each, by a mark of the module. The environment says what they do otherwise than recorded."""

import os

import pyodbc
import pytest

pytestmark = pytest.mark.super8

PRICE = "select 4 where ? = 'pear'"


def asks(name):
    return name in os.environ.get("OTHERWISE", "")


def test_pears(shop, super8_cassette):
    assert super8_cassette.name.endswith("cassettes/%t")
    assert shop.execute(PRICE + (" and 1 = 1" if asks("pears") else ""), "pear").fetchval() == 4


class TestPrices:
    @pytest.mark.parametrize("name, price", [("pear", 4), ("a plum", None)])
    def test_price(self, shop, name, price):
        assert shop.execute(PRICE, name).fetchval() == price


def test_without_a_database():
    assert True


@pytest.mark.skipif("not asks('skip')")
def test_skipped(shop):
    shop.execute(PRICE, "pear")


def test_an_error_is_swallowed():
    connection = pyodbc.connect(os.environ["SHOP"], autocommit=True)
    try:
        connection.execute("select 7" if asks("swallowed") else "select 6")
        connection.close()
    except pyodbc.Error:
        pass


def test_two_statements(shop):
    shop.execute(PRICE, "pear").fetchval()
    if not asks("left out"):
        shop.execute(PRICE, "apple").fetchval()


def test_may_fail(shop):
    assert shop.execute("select 8" if asks("fail") else "select 9").fetchval() == 9


@pytest.mark.super8("by name 100%/prices", order="connection", connect="strict")
def test_named(shop):
    assert shop.execute(PRICE, "pear").fetchval() == 4


@pytest.mark.xfail(strict=True)
def test_that_is_expected_to_fail(shop):
    assert shop.execute(PRICE, "pear").fetchval() == 5
