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


def test_types(database):
    # the program asks what pyodbc asks for itself, and reads it all
    assert database.cursor().getTypeInfo(pyodbc.SQL_INTEGER).fetchall()
    assert database.execute("select 1").fetchone()[0] == 1


def test_the_server_is_known(database):
    assert database.getinfo(pyodbc.SQL_DBMS_NAME)


def test_a_wrong_statement_is_an_error(database):
    with pytest.raises(pyodbc.Error):
        database.execute("select nothing from nowhere")
    assert database.execute("select 2").fetchval() == 2
