"""Connections from a pool, several at a time, and without one."""

import os

import pytest
from conftest import each, engine
from sqlalchemy import text

# Which of its connections a pool gives out, and which it opens, depends on the tests before.
several = engine if os.environ.get("FIFO") else each


@pytest.mark.parametrize("count", [1, 3])
def test_several_at_a_time(count):
    connections = [several.connect() for _ in range(count)]
    for number, connection in enumerate(connections):
        assert connection.scalar(text("select :number + 1"), {"number": number}) == number + 1
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("number", range(3))
def test_a_connection_of_its_own(number):
    with each.connect() as connection:
        assert connection.scalar(text(f"select {number}")) == number


def test_no_statement():
    assert str(engine.url).startswith("mariadb+pyodbc")
