"""One of two test files that pytest-xdist gives to two workers, each with a connection and a table of its own."""

import os

import pyodbc
import pytest


@pytest.fixture(scope="module")
def cursor():
    connection = pyodbc.connect(os.environ["CONNECTION"], autocommit=True)
    connection.execute("create table pears (id integer, name varchar(20))")
    connection.execute("insert into pears values (1, 'small'), (2, 'large')")
    yield connection.cursor()
    connection.close()


def test_one_is_found(cursor):
    assert [row.name for row in cursor.execute("select name from pears where id = ?", 2).fetchall()] == ["large"]


def test_all_come(cursor):
    assert [row.id for row in cursor.execute("select id from pears order by id desc").fetchall()] == [2, 1]
