import os

import pyodbc
import pytest


@pytest.fixture
def shop():
    """A connection that a fixture rolls back and closes."""
    connection = pyodbc.connect(os.environ["SHOP"])
    yield connection
    connection.rollback()
    connection.close()
