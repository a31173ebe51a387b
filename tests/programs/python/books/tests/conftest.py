"""A small application's tests, on pyodbc, as one would write them without super8. CONNECTION is the connection string.

CHANGED, LEFT_OUT and EXTRA each make one test do something else: another value, a statement less, one more.
"""

import os

import pyodbc
import pytest

pyodbc.pooling = False


def connect(autocommit=True):
    return pyodbc.connect(os.environ["CONNECTION"], autocommit=autocommit)


@pytest.fixture
def database():
    connection = connect()
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def engine():
    """One connection for all tests of a file, as an engine at the level of a module has it."""
    connection = connect()
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def session():
    """One connection for all tests that roll back what they did. Their table is made by whichever of them is the first."""
    connection = connect(autocommit=False)
    connection.execute("create table loans (reader varchar(20) not null primary key, books integer)")
    connection.commit()
    yield connection
    connection.execute("drop table loans")
    connection.commit()
    connection.close()


@pytest.fixture(scope="module", params=["short", "long"])
def titles(request, engine):
    """A table for the tests of a file, in two kinds."""
    kind = request.param
    engine.execute(f"create table {kind}_titles (title varchar(40))")
    engine.execute(f"insert into {kind}_titles values (?)", "Emma" if kind == "short" else "A Portrait of the Artist")
    yield f"{kind}_titles"
    engine.execute(f"drop table {kind}_titles")
