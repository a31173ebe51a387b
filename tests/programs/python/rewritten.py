"""The program asks three things. Its argument says what the second row has, so that the database answers otherwise."""

from report import EXTRA, connect, done, tell

connection = connect(autocommit=True)
cursor = connection.cursor()
cursor.execute("create table if not exists w (id integer, t varchar(20))")
cursor.execute("delete from w")
cursor.execute("insert into w values (1, 'one')")
cursor.execute("insert into w values (2, ?)", EXTRA[0])
for number in (1, 2):
    tell(f"row {number}", cursor.execute("select t from w where id = ?", number).fetchval())
cursor.close()
connection.close()
done()
