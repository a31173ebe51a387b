"""Several connections: one after another (a pool may keep them), interleaved, one of them abandoned, one left open."""

import gc

import pyodbc

from report import connect, done, tell

first = connect()
first.execute("create table visit (n integer)")
first.commit()
first.close()
for number in range(4):
    connection = connect()
    connection.execute("insert into visit values (?)", number)
    connection.commit()
    tell("seen", connection.execute("select count(*) from visit").fetchval())
    connection.close()
one, two = connect(autocommit=True), connect(autocommit=True)
left, right = one.cursor(), two.cursor()
left.execute("select n from visit order by n")
right.execute("select n from visit order by n desc")
for _ in range(3):
    tell("left, right", (left.fetchone().n, right.fetchone().n))
left.close()
one.close()
tell("right goes on", right.fetchone().n)
tell("right again", right.execute("select max(n) from visit").fetchval())
del right, two
gc.collect()
three = connect(autocommit=True)
tell("three", three.execute("select min(n) from visit").fetchval())
tell("pooling", pyodbc.pooling)
done()
