"""Values of every common type, there and back: parameters, NULLs, empty strings, beyond the basic plane, bytes."""

import datetime
import decimal

from report import attempt, by_dialect, connect, done, tell

connection = connect(autocommit=True)
cursor = connection.cursor()
cursor.execute(
    by_dialect(
        "create table v (id integer primary key, i bigint, f double, n decimal(18,4), t varchar(60), d date, c time, s timestamp, b blob, o boolean)",
        "create table v (id integer primary key, i bigint, f double precision, n numeric(18,4), t varchar(60), d date, c time, s timestamp, b bytea, o boolean)",
        "create table v (id integer primary key, i bigint, f double, n decimal(18,4), t varchar(60), d date, c time, s datetime(6), b blob, o boolean)",
    )
)

values = [
    ("i", [0, -1, 42, 2**31, -(2**63), 2**63 - 1, None]),
    ("f", [0.0, -0.5, 0.1, 1 / 3, 1e300, 5e-324, None]),
    ("n", [decimal.Decimal("0"), decimal.Decimal("-12345678901234.5678"), decimal.Decimal("0.0001"), None]),
    ("t", ["", " padded ", "naïve", "日本語", "\U0001f600 \U0001f40d", "it's \"quoted\", \\N", "two\nlines\ttab", "x" * 60, None]),
    ("d", [datetime.date(2024, 2, 29), datetime.date(1815, 12, 10), None]),
    ("c", [datetime.time(23, 59, 58), datetime.time(0, 0, 0), None]),
    ("s", [datetime.datetime(2024, 2, 29, 23, 59, 58), datetime.datetime(1999, 12, 31, 1, 2, 3, 456000), None]),
    ("b", [b"", b"\x00\xff\x10 bytes", bytes(range(1, 256, 2)), bytearray(b"array"), None]),
    ("o", [True, False, None]),
]
number = 0
for column, samples in values:
    for sample in samples:
        number += 1
        attempt(f"{number} {column} {str(sample)[:20]!r}", lambda: cursor.execute(f"insert into v (id, {column}) values (?, ?)", number, sample).rowcount)
for column, samples in values:
    cursor.execute(f"select id, {column} from v where {column} is not null or id % 7 = 0 order by id")
    tell("description", cursor.description)
    attempt("rows", lambda: [tell("  row", tuple(row)) for row in cursor] and None)
for column, samples in values:
    sample = samples[1]
    attempt(f"find {column}", lambda: [tuple(row) for row in cursor.execute(f"select id from v where {column} = ?", sample).fetchall()])
attempt("literals", lambda: tuple(cursor.execute("select 1, 'a', 1.5, NULL").fetchone()))
attempt("wrong number of parameters", lambda: cursor.execute("select ?", 1, 2))
cursor.close()
connection.close()
done()
