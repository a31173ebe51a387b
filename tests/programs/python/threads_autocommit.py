"""Threads that connect at once with equal arguments, in autocommit: each writes what all write, then what only it writes, and reads.
The mode is the last argument: `passes` lets them work one after the other, in the others they meet before they connect. In `retries`
and `swallows` a thread repeats the statement that failed, on a new connection if the old one is dead; in `swallows` the third one says
nothing of an error of its own statement. In `passes` an error ends the program."""

import sys
import threading

import pyodbc

pyodbc.pooling = False
connection_string, mode = sys.argv[1], sys.argv[-1]
COUNT = 4
start = threading.Barrier(1 if mode == "passes" else COUNT)
failed = []


class Worker:
    def __init__(self, number):
        self.number, self.connection = number, None

    def ask(self, sql, *parameters):
        for left in reversed(range(3)):
            try:
                if self.connection is None:
                    self.connection = pyodbc.connect(connection_string, autocommit=True)
                cursor = self.connection.cursor()
                cursor.execute(sql, *parameters)
                return cursor.fetchall() if cursor.description else None
            except pyodbc.Error as error:
                print(self.number, error, file=sys.stderr)
                if mode == "swallows" and "lower" in sql and self.number == 2:
                    return None
                if mode == "passes" or not left:
                    raise
                if error.args[0] in ("08S01", "57P01"):
                    self.connection.close()
                    self.connection = None

    def work(self):
        try:
            start.wait()
            self.ask("update shelf set amount = amount + 1 where name = 'upper'")
            self.ask("update shelf set amount = amount + 2 where name = 'upper'")
            self.ask("select count(*) from shelf where amount < 0")
            self.ask("update shelf set amount = amount + ? where name = 'lower'", self.number)  # its own
            self.ask("delete from shelf where name = 'none'")
            self.connection.close()
        except pyodbc.Error:
            failed.append(self.number)


threads = [threading.Thread(target=Worker(number).work) for number in range(COUNT)]
for thread in threads:
    thread.start()
    if mode == "passes":
        thread.join()
for thread in threads:
    thread.join()
if failed:
    sys.exit(1)
print("done: everything was asked")
