"""A parameter so long that pyodbc sends it in pieces while the statement executes."""

from report import by_dialect, connect, done, tell

connection = connect(autocommit=True)
cursor = connection.cursor()
cursor.execute(by_dialect("create table p (t text)", "create table p (t text)", "create table p (t longtext)"))
cursor.execute("insert into p values (?)", "piece by piece " * 100000)
tell("length", cursor.execute("select length(t) from p").fetchval())
done()
