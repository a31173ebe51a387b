import os
import pathlib

import odbc
import pytest


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
