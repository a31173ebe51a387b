"""A service with workers, each with a connection of its own, that take jobs from one queue: which connection a job goes to is
decided by who is free first. Set how many workers there are, and change what they do, with variables."""

import os
import queue
import random
import threading
import time

from report import connect, done, tell

CHANGED, LEFT_OUT, EXTRA = (name in os.environ for name in ("CHANGED", "LEFT_OUT", "EXTRA"))
clock, jobs, answers, lock = random.SystemRandom(), queue.Queue(), {}, threading.Lock()


def read(cursor, number):
    """Prepared, with parameters."""
    return cursor.execute("select 7 * ?", number + (1 if CHANGED and number == 4 else 0)).fetchval()


def literal(cursor, number):
    return cursor.execute(f"select {number} + 1 union all select 3 order by 1").fetchone()[0]


def write(cursor, number):
    """A transaction: autocommit is off."""
    cursor.execute("insert into stock values (?, ?)", number, number * 10)
    if not (LEFT_OUT and number == 6):
        cursor.execute("update stock set amount = amount + 1 where id = ?", number)
    amount = cursor.execute("select amount from stock where id = ?", number).fetchval()
    cursor.connection.commit()
    return amount


def same(cursor, number):
    """Equal for all."""
    return cursor.execute("select 42").fetchval() + number


KINDS = [read, literal, write, same]


def worker():
    with lock:
        # the first connection of a process is asked about types
        connection = connect(autocommit=False)
    cursor = connection.cursor()
    while True:
        try:
            number = jobs.get_nowait()
        except queue.Empty:
            break
        time.sleep(clock.random() / 200)
        for _ in range(20):
            try:
                answer = KINDS[number % len(KINDS)](cursor, number)
                break
            except Exception as error:
                # SQLite has one writer at a time
                if "locked" not in str(error):
                    raise
                connection.rollback()
                time.sleep(0.01)
        connection.rollback()
        with lock:
            answers[number] = answer
    cursor.close()
    connection.close()


setup = connect(autocommit=True)
setup.execute("drop table if exists stock")
setup.execute("create table stock (id integer primary key, amount integer)")
numbers = list(range(24))
clock.shuffle(numbers)
for number in numbers:
    jobs.put(number)
if EXTRA:
    setup.execute("select 43").fetchval()
failed = []
threading.excepthook = lambda hooked: failed.append(hooked.exc_value)
threads = [threading.Thread(target=worker) for _ in range(int(os.environ.get("WORKERS", "3")))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
setup.execute("drop table stock")
setup.close()
if failed:
    raise failed[0]
tell("answers", sorted(answers.items()))
done()
