"""The program makes an id, a code and a time of its own, and asks with a list in an order of its own. It may run again on the same
database."""

import datetime
import random
import uuid

from report import connect, done, tell

made, code = str(uuid.uuid4()), random.randrange(10**8, 10**9)
moment = str(datetime.datetime.now().replace(microsecond=random.randrange(1, 10**6)))
listed = [1, 2, 3, 4, 5, 6, 7, 8]
random.shuffle(listed)

connection = connect(autocommit=True)
cursor = connection.cursor()
cursor.execute("create table if not exists r (id char(36), code integer, at varchar(40))")
cursor.execute("insert into r values (?, ?, ?)", made, code, moment)
row = cursor.execute("select code, at from r where id = ?", made).fetchone()
tell("code and time", "what it wrote" if tuple(row) == (code, moment) else f"{row!r} instead of {code}, {moment}")
found = cursor.execute(f"select id from r where code = {code}").fetchval()
tell("id", "what it wrote" if found == made else f"{found!r} instead of {made}")
tell("by parameters", cursor.execute(f"select count(*) from r where code in ({', '.join('?' * 8)})", listed).fetchval())
tell("by literals", cursor.execute(f"select count(*) from r where code in ({', '.join(map(str, listed))})").fetchval())
cursor.close()
connection.close()
done()
