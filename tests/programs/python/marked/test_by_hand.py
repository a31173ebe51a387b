"""Tests without a mark: one names its cassettes itself, one has none."""

import asyncio
import os

import pyodbc
import pytest
import super8


def price(name):
    connection = pyodbc.connect(os.environ["SHOP"], autocommit=True)
    price = connection.execute("select 4 where ? = 'pear'", name).fetchval()
    connection.close()
    return price


def test_without_a_cassette():
    assert price("pear") == 4


def test_a_context():
    with super8.use_cassette("cassettes/by hand/context", order="connection") as cassette:
        assert price("pear") == 4
        assert cassette.unplayed == 0


@super8.use_cassette("cassettes/by hand/decorator")
def test_a_decorated_function(tmp_path):
    assert price("pear") == 4 and tmp_path.exists()


def test_a_decorated_coroutine():
    @super8.use_cassette("cassettes/by hand/coroutine")
    async def asks():
        return price("pear")

    assert asyncio.run(asks()) == 4


@super8.use_cassette
def test_a_name_of_its_own():
    assert price("pear") == 4


@pytest.fixture
@super8.use_cassette(mode="once")
def prices():
    yield [price("pear"), price("apple")]


def test_a_decorated_fixture(prices):
    assert prices == [4, None]


def test_a_decorated_generator():
    @super8.use_cassette("cassettes/by hand/generator")
    async def generates():
        yield price("pear")

    async def collects():
        return [price async for price in generates()]

    assert asyncio.run(collects()) == [4]


def test_what_goes_wrong():
    with pytest.raises(TypeError, match="needs a name"):
        with super8.use_cassette():
            pass
    with pytest.raises(super8.Error, match="Super8Oder"):
        with super8.use_cassette("cassettes/by hand/misspelt", oder="connection"):
            pass
    with super8.use_cassette("cassettes/by hand/wrong", mode="record"):
        price("pear")
    with pytest.raises(super8.NotAsRecorded, match="nothing connected") as raised:
        with super8.use_cassette("cassettes/by hand/wrong", mode="none"):
            pass
    assert "select 4 where" in str(raised.value)
    with pytest.raises(ZeroDivisionError):
        with super8.use_cassette("cassettes/by hand/wrong", mode="rewrite"):
            price("apple")
            1 / 0
    with super8.use_cassette("cassettes/by hand/wrong", mode="replay"):
        assert price("pear") == 4
