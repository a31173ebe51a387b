import os
import pathlib

import odbc
import pytest


if "SHARED" in os.environ:
    # as an engine asks what the server is, while tests are collected
    first = odbc.Connection()
    first.rows("select 'who are you'")
    first.close()


@pytest.fixture
def shop():
    """A connection for one test."""
    connection = odbc.Connection()
    yield connection
    connection.close()


@pytest.fixture
def attempt(request):
    """The number of this attempt at the test, kept in a file: a test that fails at first is repeated in this process or another."""
    file = pathlib.Path(os.environ["ATTEMPTS"], request.node.name)
    number = int(file.read_text()) + 1 if file.exists() else 1
    file.write_text(str(number))
    return number
