"""Tests that share a connection, which the first one opens and which has no mark."""

import os

import pyodbc
import pytest


@pytest.fixture(scope="session")
def engine():
    connection = pyodbc.connect(os.environ["SHOP"], autocommit=True)
    yield connection
    connection.close()


def test_plain(engine):
    assert engine.execute("select 1").fetchall()[0][0] == 1


@pytest.mark.super8
def test_marked(engine):
    assert engine.execute("select 2").fetchall()[0][0] == 2


@pytest.mark.super8
def test_marked_too(engine):
    assert engine.execute("select 3").fetchall()[0][0] == 3
