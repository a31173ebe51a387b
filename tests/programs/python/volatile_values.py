"""The program makes ids and a time of its own, writes them and reads them back: what it reads is what it wrote.

`second` asks for another id than it wrote, `merged` writes one id where the recording has two.
"""

import datetime
import random
import uuid

from report import DIALECT, EXTRA, attempt, by_dialect, connect, done, tell

mode = EXTRA[0] if EXTRA else "same"
first = uuid.uuid4()
second = first if mode == "merged" else uuid.uuid4()
# MariaDB's driver takes no fraction from pyodbc
moment = datetime.datetime.now().replace(microsecond=0 if DIALECT == "mariadb" else 1000 * random.randrange(1000))

connection = connect(autocommit=True)
cursor = connection.cursor()
cursor.execute(
    by_dialect(
        "create table v (n integer, id char(36), note varchar(200), at timestamp)",
        "create table v (n integer, id uuid, note varchar(200), at timestamp)",
        "create table v (n integer, id char(36), note varchar(200), at datetime(6))",
    )
)


def same(label, found, wrote):
    tell(label, "what it wrote" if found == wrote else f"{found!r} instead of {wrote!r}")


def write(number, value):
    cursor.execute("insert into v values (?, ?, ?, ?)", number, str(value), f"{{{str(value).upper()}}}", moment)


write(1, first)
attempt("second write", lambda: write(2, second))
cursor.execute("select id, note, at from v order by n")
for value, row in zip((first, second), cursor.fetchall()):
    same("id", str(row[0]).lower(), str(value))
    same("in braces, upper case", row[1], f"{{{str(value).upper()}}}")
    same("time", row[2], moment)
wanted = str(uuid.uuid4() if mode == "second" else first)
attempt("by parameter", lambda: cursor.execute("select n from v where id = ?", wanted).fetchone()[0])
attempt("by literal", lambda: cursor.execute(f"select n from v where id = '{first}'").fetchone()[0])
same("without hyphens", cursor.execute("select replace(cast(id as char(36)), '-', '') from v where n = 2").fetchval(), second.hex)
if DIALECT == "sqlite":
    same("seconds alone", cursor.execute("select substr(at, 1, 19) from v where n = 1").fetchval(), str(moment)[:19])
else:
    text = by_dialect("", "select to_char(at, 'YYYY-MM-DD HH24:MI:SS') from v where n = 1", "select date_format(at, '%Y-%m-%d %H:%i:%s') from v where n = 1")
    same("seconds alone", cursor.execute(text).fetchval(), str(moment)[:19])
cursor.close()
connection.close()
done()
