"""executemany, fast_executemany, fetchone/fetchmany/fetchall, nextset, rowcount, iteration, scrolling past the end."""

from report import DIALECT, attempt, by_dialect, connect, done, tell

connection = connect()
cursor = connection.cursor()
cursor.execute(by_dialect("create table m (id integer primary key, t varchar(30), f double)", "create table m (id integer primary key, t varchar(30), f double precision)", "create table m (id integer primary key, t varchar(30), f double)"))
rows = [(number, f"row {number} é" if number % 5 else None, number / 7) for number in range(50)]
attempt("executemany", lambda: cursor.executemany("insert into m values (?, ?, ?)", rows))
tell("rowcount", cursor.rowcount)
connection.commit()
# The SQLite driver crashes at it, with super8 or without.
cursor.fast_executemany = DIALECT != "sqlite"
rows = [(number, f"fast {number}" if number % 3 else None, number * 1.5) for number in range(100, 140)]
attempt("fast executemany", lambda: cursor.executemany("insert into m values (?, ?, ?)", rows))
tell("rowcount", cursor.rowcount)
connection.commit()
attempt("fast, duplicate key", lambda: cursor.executemany("insert into m values (?, ?, ?)", [(1000, "new", 1.0), (1, "there", 2.0)]))
connection.rollback()
cursor.fast_executemany = False
attempt("duplicate key", lambda: cursor.executemany("insert into m values (?, ?, ?)", [(2000, "new", 1.0), (2, "there", 2.0)]))
connection.rollback()

cursor.execute("select id, t, f from m order by id")
tell("rowcount of a select", cursor.rowcount)
tell("one", tuple(cursor.fetchone()))
tell("some", [tuple(row) for row in cursor.fetchmany(3)])
tell("none", cursor.fetchmany(0))
tell("value", cursor.fetchval())
cursor.skip(2)
tell("iterated", [row.id for row in cursor][:5])
tell("past the end", cursor.fetchone())
tell("all of nothing", cursor.fetchall())
cursor.execute("select id from m where id < 0")
tell("empty", cursor.fetchall())
tell("nextset", cursor.nextset())
if DIALECT == "postgres":
    cursor.execute("select 1 as a; update m set f = 0 where id < 3; select 'two' as b, 3 as c")
    while True:
        tell("set", (cursor.description and [column[0] for column in cursor.description], cursor.rowcount))
        if cursor.description:
            tell("rows", [tuple(row) for row in cursor.fetchall()])
        if not cursor.nextset():
            break
tell("updated", cursor.execute("update m set f = f + 1 where id >= 100").rowcount)
tell("deleted", cursor.execute("delete from m where id = 12345").rowcount)
first, second = connection.cursor(), connection.cursor()
first.execute("select id from m order by id")
tell("first", first.fetchone().id)
second.execute("select t from m where id = ?", 101)
tell("second", second.fetchone().t)
tell("first goes on", first.fetchone().id)
connection.rollback()
connection.close()
attempt("after close", lambda: cursor.execute("select 1"))
done()
