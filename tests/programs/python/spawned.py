"""Processes that multiprocessing starts anew (spawn), each with a connection of its own."""

import multiprocessing

from report import connect, done, tell


def named(price):
    connection = connect(autocommit=True)
    names = [row.name for row in connection.execute("select name from fruit where price = ?", price).fetchall()]
    connection.close()
    return names


if __name__ == "__main__":
    connection = connect(autocommit=True)
    connection.execute("create table fruit (name varchar(20), price integer)")
    connection.execute("insert into fruit values ('apple', 3), ('pear', 4)")
    pools = [multiprocessing.get_context("spawn").Pool(1) for _ in range(2)]
    results = [pool.apply_async(named, (price,)) for price, pool in enumerate(pools, start=3)]
    tell("spawned", [result.get() for result in results])
    for pool in pools:
        pool.close()
        pool.join()
    tell("parent", connection.execute("select count(*) from fruit").fetchval())
    connection.close()
    done()
