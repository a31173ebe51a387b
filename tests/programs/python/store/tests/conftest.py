"""A small shop's tests, on SQLAlchemy, as one would write them without super8. CONNECTION is the connection string.

CHANGED, LEFT_OUT and EXTRA each make one test do something else: another value, a statement less, one more.
"""

import os
from urllib.parse import quote_plus

import pytest
import sqlalchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

URL = "mariadb+pyodbc:///?odbc_connect=" + quote_plus(os.environ["CONNECTION"])
# one engine, and its pool, for all tests
engine = sqlalchemy.create_engine(URL, pool_use_lifo=not os.environ.get("FIFO"))
# and one without a pool
each = sqlalchemy.create_engine(URL, poolclass=sqlalchemy.NullPool)


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "shop_orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str] = mapped_column(sqlalchemy.String(40))
    amount: Mapped[int]


class Stock(DeclarativeBase):
    """What is made once, before all tests."""


class Shelf(Stock):
    __tablename__ = "shop_shelves"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sqlalchemy.String(40), unique=True)
    fruits: Mapped[list["Fruit"]] = relationship(back_populates="shelf", order_by="Fruit.name", cascade="all")


class Fruit(Stock):
    __tablename__ = "shop_fruits"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sqlalchemy.String(40))
    shelf_id: Mapped[int] = mapped_column(sqlalchemy.ForeignKey("shop_shelves.id"))
    shelf: Mapped[Shelf] = relationship(back_populates="fruits")


# An engine asks the server what it is on its first connection. Here it does so before the tests, whichever of them are run.
each.connect().close()
Stock.metadata.create_all(engine)
engine.dispose()


def pytest_unconfigure():
    engine.dispose()


@pytest.fixture
def session():
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
        session.rollback()
    Base.metadata.drop_all(engine)


@pytest.fixture(scope="module")
def connection():
    """One of the pool's connections, for a file's tests."""
    with engine.connect() as connection:
        yield connection


@pytest.fixture
def nested():
    """A session in a transaction that is rolled back, whatever the session commits."""
    with engine.connect() as connection, connection.begin() as transaction:
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            yield session
        transaction.rollback()
