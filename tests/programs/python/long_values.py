"""Values of ten million characters and bytes, made by the database and read whole."""

import hashlib

from report import by_dialect, connect, done, tell

connection = connect()
cursor = connection.cursor()
cursor.execute(by_dialect("create table l (id integer, t text, b blob)", "create table l (id integer, t text, b bytea)", "create table l (id integer, t longtext, b longblob)"))


def text(times):
    return by_dialect(f"replace(hex(zeroblob({times})), '00', 'abcdef\u00e9\U0001f600')", f"repeat('abcdef\u00e9\U0001f600', {times})", f"repeat('abcdef\u00e9\U0001f600', {times})")


def data(times):
    return by_dialect(f"cast(replace(hex(zeroblob({times})), '00', '0123456789') as blob)", f"convert_to(repeat('0123456789', {times}), 'UTF8')", f"repeat(x'00ff10', {times})")


for number, times in enumerate([1250000, 700, 1]):
    cursor.execute(f"insert into l values ({number}, {text(times)}, NULL)")
    cursor.execute(f"insert into l values ({number}, NULL, {data(times)})")
connection.commit()
for row in cursor.execute("select id, t, b from l order by id"):
    digest = lambda value: value if value is None else (len(value), hashlib.sha256(value if isinstance(value, bytes) else value.encode()).hexdigest())
    tell("row", (row[0], digest(row[1]), digest(row[2])))
connection.close()
done()
