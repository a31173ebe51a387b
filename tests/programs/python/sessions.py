"""Five sessions with the same connection string, one after the other, in an order that the argument decides."""

import random

from report import EXTRA, connect, done, tell

order = list(range(5))
random.Random(int(EXTRA[0])).shuffle(order) if EXTRA[0] != "0" else None
answers = {}
for number in order:
    connection = connect(autocommit=True)
    cursor = connection.cursor()
    first = cursor.execute(f"select {number} + 10").fetchval()
    second = cursor.execute(f"select {number} * ?", 2).fetchval()
    answers[number] = first, second, cursor.execute("select 42").fetchval()
    connection.close()
tell("answers", sorted(answers.items()))
done()
