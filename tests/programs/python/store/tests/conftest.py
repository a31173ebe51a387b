"""A small shop's tests, on SQLAlchemy, as one would write them without super8. CONNECTION is the connection string.

CHANGED, LEFT_OUT and EXTRA make one test do something else than it did: another value, a statement less, one more.
"""

import os
from urllib.parse import quote_plus

import pytest
import sqlalchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

# one engine, and its pool, for all tests
engine = sqlalchemy.create_engine("mariadb+pyodbc:///?odbc_connect=" + quote_plus(os.environ["CONNECTION"]))
# An engine asks the server what it is on its first connection. Here it does so before the tests, whichever of them are run.
engine.connect().close()
engine.dispose()


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "shop_orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str] = mapped_column(sqlalchemy.String(40))
    amount: Mapped[int]


@pytest.fixture
def session():
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
        session.rollback()
    Base.metadata.drop_all(engine)
