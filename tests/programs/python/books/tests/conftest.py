"""A small application's tests, on pyodbc, as one would write them without super8. CONNECTION is the connection string.

CHANGED, LEFT_OUT and EXTRA each make one test do something else: another value, a statement less, one more.
"""

import os

import pyodbc
import pytest

pyodbc.pooling = False


def connect(autocommit=True):
    return pyodbc.connect(os.environ["CONNECTION"], autocommit=autocommit)


def pytest_sessionstart(session):
    """The tables that tests share are made before the first of them, whichever it is."""
    connection = connect()
    connection.execute("create table loans (reader varchar(20) not null primary key, books integer)")
    connection.close()


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
    """One connection for all tests that roll back what they did."""
    connection = connect(autocommit=False)
    yield connection
    connection.close()
