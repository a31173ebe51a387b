import pytest


@pytest.mark.parametrize("number", range(4))
def test_one_connection_for_all(engine, number):
    cursor = engine.cursor()
    assert [row[0] for row in cursor.execute(f"select {number} union all select {number + 10} order by 1").fetchall()] == [
        number,
        number + 10,
    ]
    cursor.close()


def test_a_title(engine, titles):
    assert len(engine.execute(f"select title from {titles}").fetchval()) == (4 if titles == "short_titles" else 24)


def test_titles_are_counted(titles, engine):
    assert engine.execute(f"select count(*) from {titles}").fetchval() == 1


def test_a_transaction(engine):
    engine.autocommit = False
    assert engine.execute("select 3").fetchone()[0] == 3
    engine.rollback()
    engine.autocommit = True
