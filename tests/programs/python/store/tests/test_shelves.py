"""Each test works in a transaction that is rolled back at its end; what it commits is a savepoint."""

import os

import pytest
import sqlalchemy
from conftest import Fruit, Shelf
from sqlalchemy import func, select, text


@pytest.fixture
def shelf(nested):
    shelf = Shelf(name="top")
    nested.add(shelf)
    nested.commit()
    return shelf


class TestFruits:
    @pytest.fixture(autouse=True)
    def fruits(self, nested, shelf):
        shelf.fruits = [Fruit(name="pear"), Fruit(name="apple")]
        nested.commit()

    def test_they_come_with_their_shelf(self, nested):
        nested.expire_all()
        assert [fruit.name for fruit in nested.scalar(select(Shelf)).fruits] == ["apple", "pear"]

    def test_they_are_joined(self, nested):
        rows = nested.execute(select(Shelf.name, Fruit.name).join(Shelf.fruits).order_by(Fruit.name)).all()
        assert [tuple(row) for row in rows] == [("top", "apple"), ("top", "pear")]

    @pytest.mark.parametrize("name", ["apple", "pear", "plum"])
    def test_one_is_found_by_its_name(self, nested, name):
        assert nested.scalar(select(func.count()).where(Fruit.name == name)) == (name != "plum")

    def test_they_go_with_their_shelf(self, nested, shelf):
        nested.delete(shelf)
        nested.commit()
        assert nested.scalar(select(func.count(Fruit.id))) == 0


def test_a_shelf_is_there_once(nested, shelf):
    nested.add(Shelf(name="top"))
    with pytest.raises(sqlalchemy.exc.IntegrityError):
        nested.commit()
    nested.rollback()
    assert nested.scalar(select(func.count(Shelf.id))) == 1


def test_many_at_once(connection):
    transaction = connection.begin()
    names = [{"name": f"shelf {number}"} for number in range(30)]
    connection.execute(sqlalchemy.insert(Shelf), names)
    found = connection.execution_options(yield_per=7).execute(select(Shelf.name).order_by(Shelf.id))
    assert [row.name for row in found] == [row["name"] for row in names]
    transaction.rollback()


def test_nothing_is_left(connection):
    with connection.begin():
        assert connection.scalar(select(func.count(Shelf.id))) == 0
        if os.environ.get("EXTRA"):
            connection.scalar(text("select 1"))
