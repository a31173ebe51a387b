"""Threads that connect at once with equal arguments, and each change a shelf of their own in a transaction. The mode is the last
argument: `passes` lets them work one after the other, in `retries` and `swallows` they meet before they connect. A thread tries again
three times; in mode `swallows` the fourth one says nothing of an error at its own shelf."""

import sys
import threading

import pyodbc

pyodbc.pooling = False
connection_string, mode = sys.argv[1], sys.argv[-1]
COUNT = 8
start = threading.Barrier(1 if mode == "passes" else COUNT)
failed = []


def change(number):
    connection = pyodbc.connect(connection_string)
    try:
        cursor = connection.cursor()
        cursor.execute("select count(*) from shelf where amount < 0").fetchone()
        cursor.execute("update shelf set amount = amount + 0")
        try:
            cursor.execute("update shelf set amount = amount + ? where name = 'shelf'", number)
        except pyodbc.Error:
            if mode == "swallows" and number == 3:
                connection.rollback()
                return
            raise
        cursor.execute("select name from shelf where amount > 1000").fetchall()
        connection.commit()
    finally:
        connection.close()


def work(number):
    start.wait()
    for left in reversed(range(3)):
        try:
            change(number)
            return
        except pyodbc.Error as error:
            print(number, error, file=sys.stderr)
    failed.append(number)


threads = [threading.Thread(target=work, args=(number,)) for number in range(COUNT)]
for thread in threads:
    thread.start()
    if mode == "passes":
        thread.join()
for thread in threads:
    thread.join()
if failed:
    sys.exit(1)
print("done: everything was asked")
