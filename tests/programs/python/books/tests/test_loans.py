"""Each test works in a transaction of the session's connection, which is rolled back at its end. Fixtures stand on each other."""

import os

import pyodbc
import pytest


@pytest.fixture
def loans(session):
    cursor = session.cursor()
    yield cursor
    cursor.close()
    session.rollback()


@pytest.fixture
def ada(loans):
    loans.execute("insert into loans values (?, ?)", "Ada", 1)
    return "Ada"


@pytest.fixture
def readers(loans, ada, request):
    """Ada and as many others as the test's parameter says."""
    loans.executemany("insert into loans values (?, ?)", [(f"reader {number}", number) for number in range(request.param)])
    return request.param + 1


def count(loans):
    return loans.execute("select count(*) from loans").fetchval()


def test_nobody_has_a_book(loans):
    assert count(loans) == 0
    if os.environ.get("EXTRA"):
        count(loans)


def test_a_loan_is_kept_until_the_end(loans, ada):
    loans.execute("update loans set books = books + 1 where reader = ?", ada)
    assert loans.execute("select books from loans where reader = ?", ada).fetchval() == 2


@pytest.mark.parametrize("readers", [1, 2, 20], indirect=True)
def test_each_reader_is_counted(loans, readers):
    assert count(loans) == readers


def test_a_reader_is_there_once(loans, ada):
    with pytest.raises(pyodbc.Error):
        loans.execute("insert into loans values (?, ?)", ada, 2)


def test_a_loan_is_given_back_in_the_middle(loans, ada, session):
    loans.execute("delete from loans where reader = ?", ada)
    assert count(loans) == 0
    session.rollback()
    assert count(loans) == 0
