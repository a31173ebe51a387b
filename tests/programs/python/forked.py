"""Children forked by os.fork and by multiprocessing, which use their parent's connection, one of their own, or both."""

import multiprocessing
import os

from report import connect, done, tell

connection = connect(autocommit=True)
cursor = connection.cursor()
cursor.execute("create table fruit (name varchar(20), price integer)")
cursor.executemany("insert into fruit values (?, ?)", [("apple", 1), ("pear", 2), ("cherry", 3), ("plum", 4)])
BY_PRICE = "select name from fruit where price = ?"


def names(of, price):
    # to the end of the data: what a process has fetched of a result that goes on is lost if it ends by _exit
    return [row.name for row in of.execute(BY_PRICE, price).fetchall()]


def inherited(price):
    return names(cursor, price), [row.price for row in left]


def own(price):
    mine = connect(autocommit=True)
    found = names(mine, price)
    mine.close()
    return found


def both(price):
    return own(price), inherited(price)


def in_a_child(work, price):
    """What the work gives in a child of os.fork."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writes, repr(work(price)).encode())
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as told:
        seen = told.read()
    os.waitpid(child, 0)
    return seen


for work in (inherited, own, both):
    left = connection.execute("select price from fruit order by price")
    tell("parent", left.fetchone().price)
    for price in range(1, 5):
        tell(f"{work.__name__} {price}", in_a_child(work, price))
    tell("parent goes on", [row.price for row in left])

forking = multiprocessing.get_context("fork")
left = connection.execute("select price from fruit where price > 2 order by price")
# each worker has one thing to do: which one would do how many of several is chance
with forking.Pool(1, maxtasksperchild=1) as pool:
    tell("pool, inherited", [pool.apply(inherited, (price,)) for price in range(1, 5)])
children = [forking.Pool(1, maxtasksperchild=1) for _ in range(4)]
results = [pool.apply_async(own, (price,)) for price, pool in enumerate(children, start=1)]
tell("pools, own", [result.get() for result in results])
for pool in children:
    pool.close()
    pool.join()
tell("parent again", cursor.execute("select count(*) from fruit").fetchval())
cursor.close()
left.close()
connection.close()
done()
