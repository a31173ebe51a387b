"""Transactions, errors and warnings, and objects that outlive them."""

import pyodbc

from report import attempt, by_dialect, connect, done, tell

connection = connect()
cursor = connection.cursor()
cursor.execute("create table account (id integer primary key, balance integer not null)")
connection.commit()
cursor.execute("insert into account values (1, 100)")
connection.rollback()
tell("after rollback", cursor.execute("select count(*) from account").fetchval())
cursor.execute("insert into account values (1, 100)")
connection.commit()
tell("autocommit", connection.autocommit)
connection.autocommit = True
cursor.execute("insert into account values (2, 200)")
connection.rollback()
tell("with autocommit", cursor.execute("select count(*) from account").fetchval())
connection.autocommit = False
attempt("duplicate", lambda: cursor.execute("insert into account values (1, 0)"))
connection.rollback()
attempt("not null", lambda: cursor.execute("insert into account values (3, NULL)"))
connection.rollback()
attempt("syntax", lambda: cursor.execute("selec 1"))
connection.rollback()
attempt("no table", lambda: cursor.execute("select é from nirgendwo"))
connection.rollback()
attempt("error with parameters", lambda: cursor.execute("insert into account values (?, ?)", 2, 5))
connection.rollback()
attempt("no result", lambda: cursor.execute("update account set balance = 1").fetchall())
connection.rollback()
with connection:
    connection.execute("update account set balance = balance - 30 where id = 1")
try:
    with connection:
        connection.execute("update account set balance = -1 where id = 1")
        raise ValueError("changed my mind")
except ValueError as error:
    tell("raised", error.args)
tell("messages", cursor.messages)
tell("balances", [tuple(row) for row in cursor.execute("select * from account order by id")])
attempt("timeout", lambda: setattr(connection, "timeout", 20))
attempt("with a timeout", lambda: cursor.execute("select balance from account where id = 2").fetchval())
connection.close()
attempt("bad source", lambda: pyodbc.connect("DSN=no such source;UID=u;PWD=p"))
done()
