"""Tests in classes: one connection for a class, set up as pytest or as unittest has it."""

import os
import unittest

import pytest
from conftest import connect


class TestReaders:
    @classmethod
    def setup_class(cls):
        cls.connection = connect()

    @classmethod
    def teardown_class(cls):
        cls.connection.close()

    def setup_method(self):
        self.cursor = self.connection.cursor()

    def teardown_method(self):
        self.cursor.close()

    def test_a_name(self):
        assert self.cursor.execute("select 'Émile'").fetchval() == "Émile"

    @pytest.mark.parametrize("name", ["Ada", "O'Hara", ""], ids=["plain", "quoted", "empty"])
    def test_a_name_is_a_parameter(self, name):
        assert self.cursor.execute("select 1 where ? = ?", name, name).fetchval() == 1

    def test_many_at_once(self):
        changed = 1 if os.environ.get("CHANGED") else 0
        sql = " union all ".join(f"select {number}" for number in range(40 + changed)) + " order by 1"
        rows = self.cursor.execute(sql).fetchmany(30) + self.cursor.fetchall()
        assert [row[0] for row in rows] == list(range(40 + changed))


class Cards(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.connection = connect()
        cls.connection.execute("create table cards (number integer)")

    @classmethod
    def tearDownClass(cls):
        cls.connection.execute("drop table cards")
        cls.connection.close()

    def setUp(self):
        self.addCleanup(self.connection.execute, "delete from cards")

    def test_a_card(self):
        self.connection.execute("insert into cards values (7)")
        self.assertEqual(self.connection.execute("select number from cards").fetchval(), 7)

    def test_cards_of_several_kinds(self):
        for number in (1, 2, 3):
            with self.subTest(number=number):
                self.connection.execute("insert into cards values (?)", number)
                self.assertEqual(self.connection.execute("select max(number) from cards").fetchval(), number)


def test_a_label():
    """Needs no database."""
    assert "Emma"[::-1] == "ammE"


def test_two_connections_at_a_time():
    one, other = connect(), connect()
    assert one.execute("select 1").fetchval() + other.execute("select 2").fetchval() == 3
    other.close()
    one.close()
