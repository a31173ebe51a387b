"""Pools as programs have them: SQLAlchemy's with four threads, behind an engine and alone, aioodbc's with four tasks. Which connection a job gets, and when the
pool opens another one, is decided by who is free. Set how many work at once, and change what they do, with variables."""

import asyncio
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote_plus

from report import CONNECTION_STRING, DIALECT, EXTRA as ARGUMENTS, connect, done, tell

CHANGED, LEFT_OUT, EXTRA = (name in os.environ for name in ("CHANGED", "LEFT_OUT", "EXTRA"))
AT_ONCE = int(os.environ.get("WORKERS", "4"))
clock = random.SystemRandom()


def jobs():
    """Each number once, in no order; the sixth is left out, or there is one more."""
    numbers = [number for number in range(20) if not (LEFT_OUT and number == 6)] + ([20] if EXTRA else [])
    clock.shuffle(numbers)
    return numbers


def factor(number):
    return 8 if CHANGED and number == 4 else 7


def of_sqlalchemy():
    import sqlalchemy

    engine = sqlalchemy.create_engine(
        f"{DIALECT}+pyodbc:///?odbc_connect=" + quote_plus(CONNECTION_STRING), pool_size=2, max_overflow=2, pool_pre_ping=True
    )
    # What the engine asks on its first connection is asked once, before anybody works.
    engine.connect().close()

    def job(number):
        time.sleep(clock.random() / 100)
        with engine.begin() as connection:
            product = connection.execute(sqlalchemy.text("select :factor * :number"), {"factor": factor(number), "number": number}).scalar()
            if number % 3 == 0:
                connection.execute(sqlalchemy.text("insert into stock values (:id, :amount)"), {"id": number, "amount": product})
                connection.execute(sqlalchemy.text("update stock set amount = amount + 1 where id = :id"), {"id": number})
            return number, int(product)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = sorted(threads.map(job, jobs()))
    engine.dispose()
    return answers


def of_sqlalchemys_pool():
    """Its pool alone, for databases without a dialect on pyodbc."""
    from sqlalchemy.pool import QueuePool

    pool = QueuePool(connect, pool_size=2, max_overflow=2)

    def job(number):
        time.sleep(clock.random() / 100)
        connection = pool.connect()
        cursor = connection.cursor()
        if number % 3 == 0:
            # first of all, because SQLite lets one of those write that have read
            cursor.execute("insert into stock values (?, ?)", number, 7 * number)
            cursor.execute("update stock set amount = amount + 1 where id = ?", number)
        (product,) = cursor.execute(f"select {factor(number)} * ?", number).fetchone()
        cursor.close()
        connection.commit()
        connection.close()
        return number, int(product)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = sorted(threads.map(job, jobs()))
    pool.dispose()
    return answers


def of_aioodbc():
    import aioodbc

    async def job(pool, number):
        await asyncio.sleep(clock.random() / 100)
        async with pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute("select ? * 7", number + (1 if CHANGED and number == 4 else 0))
            (product,) = await cursor.fetchone()
            if number % 3 == 0:
                await cursor.execute("select max(id) from stock where id < ?", number)
                await cursor.fetchall()
            return number, int(product)

    async def main():
        at_once = asyncio.Semaphore(AT_ONCE)
        async with aioodbc.create_pool(dsn=CONNECTION_STRING, minsize=1, maxsize=4, autocommit=True) as pool:

            async def one(number):
                async with at_once:
                    return await job(pool, number)

            return sorted(await asyncio.gather(*(one(number) for number in jobs())))

    return asyncio.run(main())


setup = connect(autocommit=True)
setup.execute("drop table if exists stock")
setup.execute("create table stock (id integer primary key, amount integer)")
POOLS = {"sqlalchemy": of_sqlalchemy, "sqlalchemys_pool": of_sqlalchemys_pool, "aioodbc": of_aioodbc}
tell(ARGUMENTS[0], POOLS[ARGUMENTS[0]]())
setup.execute("drop table stock")
setup.close()
done()
