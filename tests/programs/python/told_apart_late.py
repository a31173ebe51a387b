"""Two connections write an id of their own by the same text, and only what each asks afterwards tells them apart. A second process reads
both ids before that. With `turned` the one that wrote first asks what the other one asked when it was recorded; with `early` they ask
before the second process reads."""

import subprocess
import sys
import uuid

from report import CONNECTION_STRING, DIALECT, DRIVER_STRING, EXTRA, by_dialect, connect, done, tell

ARGUMENTS = [CONNECTION_STRING, DIALECT, DRIVER_STRING]


def ask(connection, name):
    connection.execute(f"select '{name}', n from s where n = 1").fetchall()


def first_process():
    setup = connect(autocommit=True)
    setup.execute(f"create table s (id {by_dialect('char(36)', 'uuid', 'char(36)')}, n integer)")
    setup.close()
    first, second = connect(autocommit=True), connect(autocommit=True)
    written = [str(uuid.uuid4()) for _ in range(2)]
    for connection, order in zip((first, second), written):
        connection.execute("insert into s values (?, 1)", order).close()
    asks = [(first, "a"), (second, "b")]
    if "turned" in EXTRA:
        asks = [(first, "b"), (second, "a")]
    if "early" in EXTRA:
        for connection, name in asks:
            ask(connection, name)
    child = subprocess.run([sys.executable, __file__, *ARGUMENTS, "child"], capture_output=True, text=True)
    print(child.stderr, end="")
    tell("read", "what was written" if sorted(child.stdout.split()) == sorted(written) else f"{child.stdout.split()} instead of {written}")
    if "early" not in EXTRA:
        for connection, name in asks:
            ask(connection, name)
    first.close()
    second.close()
    done()


if EXTRA == ["child"]:
    connection = connect(autocommit=True)
    for (order,) in connection.execute("select id from s").fetchall():
        print(str(order).lower())
    connection.close()
else:
    first_process()
