"""A process makes an id and writes it; another one gets it as an argument, reads it back and writes beside it.

`other` gives the second process another id than the first one wrote.
"""

import subprocess
import sys
import uuid

from report import CONNECTION_STRING, DIALECT, DRIVER_STRING, EXTRA, attempt, by_dialect, connect, done, tell

ARGUMENTS = [CONNECTION_STRING, DIALECT, DRIVER_STRING]


def second_process(order):
    connection = connect(autocommit=True)
    found = attempt("found", lambda: connection.execute("select note from orders where id = ?", order).fetchval())
    listed = connection.execute("select id from orders").fetchval()
    tell("listed", "what was handed over" if str(listed).lower() == order else f"{listed} instead of {order}")
    connection.execute("insert into articles values (?, ?)", order, "fig")
    connection.close()


def first_process():
    connection = connect(autocommit=True)
    kind = by_dialect("char(36)", "uuid", "char(36)")
    connection.execute(f"create table orders (id {kind}, note varchar(20))")
    connection.execute(f"create table articles (id {kind}, name varchar(20))")
    order = str(uuid.uuid4())
    connection.execute("insert into orders values (?, 'new')", order)
    handed = str(uuid.uuid4()) if "other" in EXTRA else order
    child = subprocess.run([sys.executable, __file__, *ARGUMENTS, "second", handed], capture_output=True, text=True)
    print(child.stdout, child.stderr, end="")
    read = connection.execute("select id from articles where name = ?", "fig").fetchval()
    tell("read", "what was handed over" if str(read).lower() == order else f"{read} instead of {order}")
    connection.close()
    done()


if EXTRA[:1] == ["second"]:
    second_process(EXTRA[1])
else:
    first_process()
