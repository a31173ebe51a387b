# What a Python program does on SQL Server: types, parameters, long values, messages, several results, errors, transactions, what is cached
# and what is asked of the server.
import datetime
import decimal
import sys

import pyodbc

by_source, dialect, by_driver = sys.argv[1:4]
connection = pyodbc.connect(by_source, autocommit=True)
for what in (pyodbc.SQL_DBMS_NAME, pyodbc.SQL_DBMS_VER, pyodbc.SQL_DRIVER_NAME, pyodbc.SQL_DATABASE_NAME, pyodbc.SQL_MAX_STATEMENT_LEN):
    print("info", what, connection.getinfo(what))
cursor = connection.cursor()
cursor.execute(
    "create table fruit (id int primary key, name nvarchar(20), price float, day date, amount decimal(10,2), note nvarchar(max), "
    "seen datetime2, code varbinary(20))"
)
cursor.execute("insert into fruit values (1, 'apple', 1.5, '2026-11-21', '12.34', 'short', '2026-11-21 10:11:12.5', x'0102')")
print("inserted", cursor.rowcount)
insert = "insert into fruit (id, name, price, amount, note, day) values (?, ?, ?, ?, ?, ?)"
cursor.execute(insert, 2, "K\u00e4se \U0001d11e", 0.25, decimal.Decimal("-7.50"), "x" * 9000, datetime.date(2025, 1, 1))
print("inserted", cursor.rowcount)
cursor.executemany(insert, [(number, f"fruit {number}", number / 2, None, "", None) for number in range(3, 8)])
# FreeTDS crashes at parameter arrays whose lengths differ.
for fast in (False, True) if dialect == "sqlserver" else (False,):
    cursor.fast_executemany = fast
    rows = [(number, f"fruit {number}") for number in range(10 + 10 * fast, 14 + 10 * fast)]
    cursor.executemany("insert into fruit (id, name) values (?, ?)", rows)
for row in cursor.execute("select * from fruit order by id"):
    print("row", [value if len(str(value)) < 50 else len(value) for value in row])
print("columns", cursor.description)
for limit in (5.0, 0.5):
    print("below", cursor.execute("select id, name from fruit where price < ? order by id", limit).fetchall())
print("one", cursor.execute("select count(*) as n from fruit").fetchval())
cursor.execute("print 'hello'")
print("messages", cursor.messages)
cursor.execute("select 1 as a; print 'between'; select 2 as b, 'x' as c; delete from fruit where id = 7")
more = True
while more:
    if cursor.description:
        print("result", [column[0] for column in cursor.description], cursor.fetchall(), cursor.messages)
    else:
        print("count", cursor.rowcount, cursor.messages)
    more = cursor.nextset()
for statement in ("select * from missing", "insert into fruit (id) values (1)", "selec 1"):
    try:
        cursor.execute(statement)
    except pyodbc.Error as error:
        print("error", type(error).__name__, error.args)
connection.autocommit = False
cursor.execute("delete from fruit")
connection.rollback()
print("still there", cursor.execute("select count(*) as n from fruit").fetchval())
cursor.execute("delete from fruit where id > 2")
connection.commit()
print("left", cursor.execute("select count(*) as n from fruit").fetchval())
connection.close()
try:
    pyodbc.connect(by_driver.replace("UID=tester", "UID=nobody"), timeout=3)
except pyodbc.Error as error:
    print("login", type(error).__name__, error.args)
print("done: everything was asked")
