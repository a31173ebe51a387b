"""A service with worker processes, each with a pool of two connections and jobs of its own, which it does in any order. All begin with
the same. Change what the workers do with variables."""

import os
import random
import threading
import time

from report import connect, done, tell

CHANGED, LEFT_OUT, EXTRA = (name in os.environ for name in ("CHANGED", "LEFT_OUT", "EXTRA"))
clock = random.SystemRandom()


def read(connection, worker, number):
    other = 1 if CHANGED and (worker, number) == (1, 4) else 0
    return connection.execute("select 7 * ?", 100 * worker + number + other).fetchval()


def write(connection, worker, number):
    """A transaction, which begins alike in all workers."""
    cursor = connection.cursor()
    connection.autocommit = False
    cursor.execute("select max(amount) from stock where id < 0").fetchall()
    cursor.execute("insert into stock values (?, ?)", (worker + 1) * 1000 + number, 5)
    connection.commit()
    connection.autocommit = True
    return number


def work(worker):
    jobs = [(read, number) for number in range(8) if not (LEFT_OUT and (worker, number) == (2, 6))]
    jobs += [(read, 99)] if EXTRA and worker == 0 else []
    clock.shuffle(jobs)
    lock, answers = threading.Lock(), []
    pool = [connect(autocommit=True) for _ in range(2)]
    # the same in all workers, and what begins as the same
    pool[clock.randrange(2)].execute("select 42").fetchval()
    write(pool[clock.randrange(2)], worker, 1)

    def thread(connection):
        while True:
            with lock:
                if not jobs:
                    return
                job, number = jobs.pop()
            time.sleep(clock.random() / 200)
            answer = job(connection, worker, number)
            with lock:
                answers.append((number, answer))

    failed = []
    threading.excepthook = lambda hooked: failed.append(hooked.exc_value)
    threads = [threading.Thread(target=thread, args=(connection,)) for connection in pool]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for connection in pool:
        connection.close()
    if failed:
        raise failed[0]
    return sorted(answers)


setup = connect(autocommit=True)
setup.execute("drop table if exists stock")
setup.execute("create table stock (id integer primary key, amount integer)")
setup.close()
children = []
for worker in clock.sample(range(3), 3):
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.write(theirs, repr(work(worker)).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(theirs)
    children.append((worker, child, ours))
codes = []
for worker, child, ours in sorted(children):
    _, code = os.waitpid(child, 0)
    tell(f"worker {worker}", os.read(ours, 65536).decode())
    codes.append(code)
if any(codes):
    raise SystemExit(1)
done()
