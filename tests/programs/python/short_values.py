"""The program numbers its orders itself, from 1 to 9 in an order of its own, and gives each a short code and a note: what it reads
back is what it wrote. The quantities are 1 to 9 as well, and the same in each run. It may run again on the same
database.

`other` asks for another order than it did; `wide` numbers from 1 to 9999, so that hardly a number is the same in two runs.
"""

import random
import string

from report import EXTRA, attempt, connect, done, tell

mode = EXTRA[0] if EXTRA else "same"
numbers = random.sample(range(1, 10_000 if mode == "wide" else 10), 9)
codes = ["".join(random.sample(string.ascii_letters, 3)) for _ in numbers]
notes = random.sample(range(10, 10_000), 3)

connection = connect(autocommit=True)
cursor = connection.cursor()
for table in ("orders", "notes"):
    cursor.execute(f"drop table if exists {table}")
cursor.execute("create table orders (id integer, qty integer, code char(6))")
cursor.execute("create table notes (n integer)")


def same(label, found, wrote):
    tell(label, "what it wrote" if found == wrote else f"{found!r} instead of {wrote!r}")


for quantity, (number, code) in enumerate(zip(numbers, codes), 1):
    cursor.execute("insert into orders values (?, ?, ?)", number, quantity, code)
rows = cursor.execute("select id, qty, code from orders order by qty").fetchall()
same("numbers", [row[0] for row in rows], numbers)
same("quantities", [row[1] for row in rows], list(range(1, 10)))
same("codes", [row[2].rstrip() for row in rows], codes)
for at in (4, 0):
    row = cursor.execute("select id, qty from orders where id = ?", numbers[at]).fetchone()
    same("by number", tuple(row), (numbers[at], at + 1))
for note in notes:
    cursor.execute(f"insert into notes values ({note})")
    same("note", cursor.execute(f"select n from notes where n = {note}").fetchval(), note)
wanted = numbers[2 if mode == "other" else 1]
attempt("quantity", lambda: cursor.execute("select qty from orders where id = ?", wanted).fetchval())
cursor.close()
connection.close()
done()
