"""Two connections write an id of their own by the same text, and only what each asks afterwards tells them apart. With `turned` the
one that wrote first asks what the other one asked when it was recorded. With `swapped` the second one goes on first; with `by turns`
it does so every other run on the same database."""

import uuid

from report import EXTRA, connect, done, tell

mode = EXTRA[0] if EXTRA else ""
first, second = connect(autocommit=True), connect(autocommit=True)
setup = connect(autocommit=True)
setup.execute("create table if not exists s (id char(36), n integer)")
setup.execute("delete from s")
swaps = "swapped" in mode
if mode == "by turns":
    setup.execute("create table if not exists turns (n integer)")
    swaps = setup.execute("select count(*) from turns").fetchval() % 2 == 1
    setup.execute("insert into turns values (1)")
setup.close()
written = {}
for connection in (first, second):
    written[connection] = str(uuid.uuid4())
    connection.execute("insert into s values (?, 1)", written[connection]).close()
asks = [(first, "a"), (second, "b")]
if "turned" in mode:
    asks = [(first, "b"), (second, "a")]
if swaps:
    asks.reverse()
for connection, name in asks:
    mine = written[connection]
    row = connection.execute(f"select id, '{name}' from s where id = ?", mine).fetchone()
    own = connection.execute(f"select '{name}', id from s where id = '{mine}'").fetchone()
    tell(name, "what it wrote" if (tuple(row), tuple(own)) == ((mine, name), (name, mine)) else f"{row}, {own} instead of {mine}")
first.close()
second.close()
done()
