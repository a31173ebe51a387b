"""Threads with a connection each, or sharing one, a cursor each; the last argument is how many, and "own" or "shared"."""

import sys
import threading

import pyodbc

pyodbc.pooling = False
count, how = sys.argv[4].split(",")
shared = pyodbc.connect(sys.argv[1], autocommit=True) if how == "shared" else None
seen = {}


def work(number):
    connection = shared or pyodbc.connect(sys.argv[1], autocommit=True)
    cursor = connection.cursor()
    values = []
    try:
        for step in range(12):
            if step % 4 == 3:
                values += cursor.execute(f"select {step}").fetchone()
            else:
                sql = f"select {number} union all select {step * 10} union all select {number * step * 100}"
                values += [row[0] for row in cursor.execute(sql)]
        seen[number] = sorted(int(value) for value in values)
    except pyodbc.Error as error:
        seen[number] = str(error)
    cursor.close()
    if connection is not shared:
        connection.close()


threads = [threading.Thread(target=work, args=(number,)) for number in range(int(count))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for number in sorted(seen):
    print(number, seen[number])
if shared:
    shared.close()
print("done: everything was asked")
