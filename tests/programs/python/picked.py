"""The program does what its argument names, in that order: `a1` asks the first connection for 1, `b2` the second one for 2. A connection
is opened when it is first asked."""

from report import EXTRA, connect, done, tell

connections = {}
for word in EXTRA[0].split():
    name, number = word
    if name not in connections:
        connections[name] = connect(autocommit=True)
    rows = connections[name].execute(f"select 'answer {number}' where 0 < ? union all select 'another'", int(number)).fetchall()
    tell(name, [tuple(row) for row in rows])
for connection in connections.values():
    connection.close()
done()
