import pytest


@pytest.mark.parametrize("number", range(4))
def test_one_connection_for_all(engine, number):
    cursor = engine.cursor()
    assert [row[0] for row in cursor.execute(f"select {number} union all select {number + 10} order by 1").fetchall()] == [
        number,
        number + 10,
    ]
    cursor.close()


def test_a_transaction(engine):
    engine.autocommit = False
    assert engine.execute("select 3").fetchone()[0] == 3
    engine.rollback()
    engine.autocommit = True
