"""A small application's tests, on pyodbc, as one would write them without super8. CONNECTION is the connection string.

CHANGED, LEFT_OUT and EXTRA make one test do something else than it did: another value, a statement less, one more.
"""

import os

import pyodbc
import pytest

pyodbc.pooling = False


def connect():
    return pyodbc.connect(os.environ["CONNECTION"], autocommit=True)


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
