"""The program asks with what the database made, with names of its own, and with a list in an order of its own. It may run again on
the same database. An argument says which; another one that it asks with a wrong id."""

import random
import uuid

from report import EXTRA, connect, done, tell

mode, wrong = EXTRA[0], EXTRA[1:] == ["wrong"]
connection = connect(autocommit=True)
cursor = connection.cursor()
cursor.execute("create table if not exists made (id integer, at varchar(40))")
if mode == "database":
    cursor.execute("insert into made select coalesce(max(id), 0) + 1, 'now' from made")
    made = cursor.execute("select max(id) from made").fetchval()
    cursor.execute("update made set at = 'then' where id = ?", made + wrong)
    tell("again", cursor.execute(f"select at from made where id = {made}").fetchval())
elif mode == "names":
    name = f"tmp_{uuid.uuid4().hex[:8]}"
    cursor.execute(f"create temporary table {name} (id integer)")
    cursor.execute(f"insert into {name} values (7)")
    tell("number", cursor.execute(f"select id from {name}").fetchval())
elif mode == "lists":
    listed = random.sample(range(10, 30), 20)
    marks = ", ".join("?" * len(listed))
    tell("by parameters", cursor.execute(f"select count(*) from made where id in ({marks})", listed).fetchval())
    literals = ", ".join(map(str, listed))
    tell("by literals", cursor.execute(f"select count(*) from made where id in ({literals})").fetchval())
elif mode == "readback":
    cursor.execute("insert into made select coalesce(max(id), 0) + 1, 'now' from made")
    number = random.randint(10**8, 10**9)
    short = random.randint(10, 99999)
    asked = "select v.a, v.b, (select max(id) + 100 from made) from (select cast(? as integer) as a, cast(? as integer) as b) v"
    row = cursor.execute(asked, number, short).fetchone()
    tell("three", len(row))
elif mode == "more":
    for _ in cursor.execute("select id from made").fetchall():
        cursor.execute("select 1").fetchall()
    cursor.execute("insert into made values (1, 'now')")
cursor.close()
connection.close()
done()
