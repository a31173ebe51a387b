"""Tests that fail at first, and ask something else at each attempt."""

import os

import odbc
import pytest

pytestmark = pytest.mark.skipif("ATTEMPTS" not in os.environ, reason="only where tests are repeated")


def test_fails_at_first(shop, attempt):
    assert shop.rows(f"select count(*) + {attempt} from fruit") == [[str(3 + attempt)]]
    assert attempt > 1


def test_connects_in_its_call_only(attempt):
    connection = odbc.Connection()
    rows = connection.rows(f"select count(*) - {attempt} from fruit")
    if attempt > 1:
        connection.close()
    # the connections of failed attempts stay open
    assert attempt == 3, rows
