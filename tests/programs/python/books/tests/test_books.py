import os

import pyodbc
import pytest


@pytest.mark.parametrize("price", [5, 7, 11])
def test_a_book_is_sold(database, price):
    table = f"books_{price}"
    cursor = database.cursor()
    cursor.execute(f"create table {table} (title varchar(20), price integer)")
    cursor.executemany(f"insert into {table} values (?, ?)", [("Emma", price), ("Ulysses", price + 1)])
    if not os.environ.get("LEFT_OUT") or price != 7:
        cursor.execute(f"update {table} set price = price + 1 where title = ?", "Emma")
    found = cursor.execute(f"select title, price from {table} order by title").fetchall()
    assert [tuple(row) for row in found][1] == ("Ulysses", price + 1)
    cursor.execute(f"drop table {table}")


def test_prices(database):
    changed = 1 if os.environ.get("CHANGED") else 0
    cursor = database.cursor()
    assert cursor.execute("select 40 + ?", 2 + changed).fetchone()[0] == 42 + changed


def test_types(database):
    # the program asks what pyodbc asks for itself, and reads it all
    assert database.cursor().getTypeInfo(pyodbc.SQL_INTEGER).fetchall()
    assert database.execute("select 1").fetchone()[0] == 1


def test_the_server_is_known(database):
    assert database.getinfo(pyodbc.SQL_DBMS_NAME)
    if os.environ.get("EXTRA"):
        database.execute("select 99").fetchall()
