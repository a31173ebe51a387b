#!/usr/bin/env python3
"""A stand-in for SQL Server: speaks TDS 7.4 ([MS-TDS]) in front of SQLite, so that the drivers of SQL Server can be tested beyond the connect.

Logins, batches, prepared statements (sp_executesql, sp_prepexec, sp_execute), cursors that go forward, transactions, errors, messages of
PRINT, several results. No encryption, no other cursors, no catalog procedures: a driver that asks for these is told so by an error.

usage: server.py PORT DIRECTORY USER PASSWORD     a database is a file of the directory
"""
import datetime
import decimal
import re
import signal
import socketserver
import sqlite3
import struct
import sys
from pathlib import Path

COLLATION = bytes.fromhex("0904d00034")
LOGIN, BATCH, RPC, ATTENTION, TRANSACTION, PRELOGIN, REPLY = 0x10, 0x01, 0x03, 0x06, 0x0E, 0x12, 0x04
MORE, ERROR, COUNT, ATTENTION_SEEN = 0x1, 0x2, 0x10, 0x20
TYPES = [
    ("bit", -7, 1, None),
    ("bigint", -5, 19, None),
    ("nvarchar", -9, 4000, "N'"),
    ("varbinary", -3, 8000, "0x"),
    ("decimal", 3, 38, None),
    ("int", 4, 10, None),
    ("float", 6, 53, None),
    ("varchar", 12, 8000, "'"),
    ("date", 91, 10, "'"),
    ("datetime2", 93, 27, "'"),
]
PROCEDURES = {2: "sp_cursoropen", 7: "sp_cursorfetch", 9: "sp_cursorclose", 10: "sp_executesql", 11: "sp_prepare", 12: "sp_execute", 13: "sp_prepexec", 15: "sp_unprepare"}


def wide(text):
    return text.encode("utf-16-le")


def short_text(text):
    return bytes([len(wide(text)) // 2]) + wide(text)


class Reader:
    """Reads a message from its beginning."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size, signed=False):
        return int.from_bytes(self.take(size), "little", signed=signed)

    def text(self, size):
        return self.take(size * 2).decode("utf-16-le")

    def left(self):
        return len(self.data) - self.at

    def type_and_value(self):
        """A TYPE_INFO and the value after it."""
        kind = self.number(1)
        if kind in (0x26, 0x68, 0x6D, 0x6F, 0x6E):  # numbers and dates with a length
            self.number(1)
            size = self.number(1)
            raw = self.take(size)
            if not size:
                return None
            if kind == 0x6D:
                return struct.unpack("<f" if size == 4 else "<d", raw)[0]
            if kind == 0x6F:
                days, ticks = struct.unpack("<iI", raw)
                return str(datetime.datetime(1900, 1, 1) + datetime.timedelta(days, ticks / 300))
            return int.from_bytes(raw, "little", signed=kind == 0x26)
        if kind in (0x38, 0x7F, 0x30, 0x34, 0x32):  # INT, BIGINT, TINYINT, SMALLINT, BIT
            return self.number({0x38: 4, 0x7F: 8, 0x34: 2}.get(kind, 1), signed=True)
        if kind == 0x3E:
            return struct.unpack("<d", self.take(8))[0]
        if kind in (0x6A, 0x6C):  # DECIMAL, NUMERIC
            self.number(1)
            _, scale = self.number(1), self.number(1)
            size = self.number(1)
            if not size:
                return None
            sign = self.number(1)
            value = decimal.Decimal(self.number(size - 1)).scaleb(-scale)
            return str(value if sign else -value)
        if kind == 0x28:  # DATE
            size = self.number(1)
            return str(datetime.date.fromordinal(self.number(3) + 1)) if size else None
        if kind in (0x29, 0x2A):  # TIME, DATETIME2
            scale = self.number(1)
            size = self.number(1)
            if not size:
                return None
            ticks = self.number(size - (3 if kind == 0x2A else 0))
            time = (datetime.datetime.min + datetime.timedelta(seconds=ticks / 10**scale)).time()
            return str(time) if kind == 0x29 else f"{datetime.date.fromordinal(self.number(3) + 1)} {time}"
        if kind in (0x63, 0x23, 0x22):  # NTEXT, TEXT, IMAGE, as FreeTDS sends what is long
            self.number(4)
            if kind != 0x22:
                self.take(5)
            size = self.number(4)
            raw = None if size == 0xFFFFFFFF else self.take(size)
            return raw if raw is None or kind == 0x22 else raw.decode("utf-16-le" if kind == 0x63 else "cp1252")
        if kind in (0xE7, 0xEF, 0xA7, 0xAF, 0xA5, 0xAD):  # text and bytes
            most = self.number(2)
            is_text = kind not in (0xA5, 0xAD)
            if is_text:
                self.take(5)
            if most == 0xFFFF:
                if self.number(8) == 0xFFFFFFFFFFFFFFFF:
                    return None
                raw = b""
                while size := self.number(4):
                    raw += self.take(size)
            else:
                size = self.number(2)
                if size == 0xFFFF:
                    return None
                raw = self.take(size)
            if not is_text:
                return raw
            return raw.decode("utf-16-le" if kind in (0xE7, 0xEF) else "cp1252")
        raise NotImplementedError(f"type 0x{kind:02x}")


class Column:
    """A column of a result: how it is described and how its cells are sent."""

    def __init__(self, name, declared):
        self.name = name
        word = re.match(r"[a-z0-9]*", declared).group()
        numbers = [int(number) for number in re.findall(r"\d+", declared[len(word) :])]
        self.kind, self.info = {
            "int": ("int", b"\x26\x04"),
            "integer": ("int", b"\x26\x04"),
            "smallint": ("int", b"\x26\x02"),
            "bigint": ("int", b"\x26\x08"),
            "bit": ("int", b"\x68\x01"),
            "float": ("float", b"\x6d\x08"),
            "double": ("float", b"\x6d\x08"),
            "real": ("float", b"\x6d\x04"),
            "date": ("date", b"\x28"),
            "datetime2": ("datetime", b"\x2a\x07"),
            "decimal": ("decimal", b"\x6a\x11" + bytes(min(number, 38) for number in (numbers + [18, 0][len(numbers) :])[:2])),
            "varbinary": ("bytes", b"\xa5" + struct.pack("<H", numbers[0] if numbers else 8000)),
        }.get(word, (None, None))
        if self.kind is None:
            size = 0xFFFF if "max" in declared else 2 * (numbers[0] if numbers else 4000)
            self.kind, self.info = "long" if size == 0xFFFF else "text", b"\xe7" + struct.pack("<H", size) + COLLATION

    def described(self):
        return struct.pack("<IH", 0, 0x0001 | 0x0008) + self.info + short_text(self.name)

    def cell(self, value):
        if self.kind == "text":
            raw = None if value is None else wide(str(value))
            return b"\xff\xff" if raw is None else struct.pack("<H", len(raw)) + raw
        if self.kind == "bytes":
            return b"\xff\xff" if value is None else struct.pack("<H", len(value)) + bytes(value)
        if self.kind == "long":
            if value is None:
                return b"\xff" * 8
            raw = wide(str(value))
            pieces = [raw[at : at + 3000] for at in range(0, len(raw), 3000)]
            return struct.pack("<Q", len(raw)) + b"".join(struct.pack("<I", len(piece)) + piece for piece in pieces) + b"\0" * 4
        if value is None:
            return b"\0"
        if self.kind == "int":
            raw = int(value).to_bytes(self.info[1], "little", signed=self.info[0] != 0x68)
        elif self.kind == "float":
            raw = struct.pack("<d" if self.info[1] == 8 else "<f", float(value))
        elif self.kind == "date":
            raw = (datetime.date.fromisoformat(value[:10]).toordinal() - 1).to_bytes(3, "little")
        elif self.kind == "datetime":
            when = datetime.datetime.fromisoformat(value)
            ticks = int((when - datetime.datetime.combine(when, datetime.time())).total_seconds() * 10**7)
            raw = ticks.to_bytes(5, "little") + (when.toordinal() - 1).to_bytes(3, "little")
        else:
            scaled = int(decimal.Decimal(str(value)).scaleb(self.info[3]))
            raw = bytes([scaled >= 0]) + abs(scaled).to_bytes(16, "little")
        return bytes([len(raw)]) + raw


class Session(socketserver.BaseRequestHandler):
    """A connection."""

    def handle(self):
        self.database, self.prepared, self.cursors, self.out = None, {}, {}, b""
        self.request.setsockopt(6, 1, 1)
        try:
            while message := self.receive():
                kind, data = message
                self.out = b""
                {
                    PRELOGIN: self.before_login,
                    LOGIN: self.log_in,
                    BATCH: self.batch,
                    RPC: self.call,
                    TRANSACTION: self.transact,
                    ATTENTION: lambda _: self.done(ATTENTION_SEEN),
                }[kind](data)
                self.send()
        except ConnectionError:
            pass

    def receive(self):
        data = b""
        while True:
            header = self.exactly(8)
            if header is None:
                return None
            kind, status, size = header[0], header[1], int.from_bytes(header[2:4], "big")
            data += self.exactly(size - 8) or b""
            if status & 1:
                return kind, data

    def exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self.request.recv(size - len(data))
            if not piece:
                return None
            data += piece
        return data

    def send(self, size=4088):
        pieces = [self.out[at : at + size] for at in range(0, len(self.out), size)] or [b""]
        for number, piece in enumerate(pieces, 1):
            last = number == len(pieces)
            self.request.sendall(struct.pack(">BBHHBB", REPLY, int(last), len(piece) + 8, 0, number % 256, 0) + piece)

    # what a reply is made of

    def done(self, status=0, rows=0, token=0xFD):
        self.out += struct.pack("<BHHQ", token, status, 0, rows)

    def message(self, token, number, severity, text, line=1):
        body = struct.pack("<iBB", number, 1, severity) + struct.pack("<H", len(wide(text)) // 2) + wide(text)
        body += short_text("stand-in") + short_text("") + struct.pack("<i", line)
        self.out += struct.pack("<BH", token, len(body)) + body

    def changed(self, what, new, old):
        body = bytes([what]) + new + old
        self.out += struct.pack("<BH", 0xE3, len(body)) + body

    # requests

    def before_login(self, _):
        options = [(0, bytes([15, 0, 7, 208, 0, 0])), (1, b"\x02"), (2, b"\0"), (3, b""), (4, b"\0")]
        at, heads, values = 5 * len(options) + 1, b"", b""
        for token, value in options:
            heads += struct.pack(">BHH", token, at + len(values), len(value))
            values += value
        self.out = heads + b"\xff" + values

    def log_in(self, data):
        def field(place):
            at, size = struct.unpack_from("<HH", data, place)
            return data[at : at + 2 * size]

        user, database = field(40).decode("utf-16-le"), field(68).decode("utf-16-le")
        # each byte has its halves exchanged and is xored
        password = bytes((byte ^ 0xA5) >> 4 | ((byte ^ 0xA5) << 4 & 0xF0) for byte in field(44)).decode("utf-16-le")
        if (user, password) != (USER, PASSWORD):
            self.message(0xAA, 18456, 14, f"Login failed for user '{user}'.")
            return self.done(ERROR)
        database = database or "master"
        self.database = sqlite3.connect(DIRECTORY / f"{database}.db", isolation_level=None, timeout=30)
        self.changed(1, short_text(database), short_text("master"))
        self.message(0xAB, 5701, 0, f"Changed database context to '{database}'.")
        self.changed(7, b"\x05" + COLLATION, b"\0")
        self.changed(2, short_text("us_english"), short_text(""))
        self.message(0xAB, 5703, 0, "Changed language setting to us_english.")
        name = short_text("Microsoft SQL Server")
        body = b"\x01\x74\x00\x00\x04" + name + bytes([15, 0, 7, 208])
        self.out += struct.pack("<BH", 0xAD, len(body)) + body
        self.changed(4, short_text("4096"), short_text("4096"))
        self.done()

    def batch(self, data):
        self.run(self.after_headers(data).text((len(data) - struct.unpack_from("<I", data)[0]) // 2), {}, 0xFD, 0)

    @staticmethod
    def after_headers(data):
        reader = Reader(data)
        reader.take(struct.unpack_from("<I", data)[0])
        return reader

    def call(self, data):
        """The calls of a message: a parameter array has one for each set."""
        reader = self.after_headers(data)
        self.call_one(reader)
        while reader.left():
            reader.number(1)  # what separates them
            # What ends a call says that another one's reply follows.
            self.out = self.out[:-12] + struct.pack("<H", int.from_bytes(self.out[-12:-10], "little") | MORE) + self.out[-10:]
            self.call_one(reader)

    def call_one(self, reader):
        size = reader.number(2)
        name = PROCEDURES.get(reader.number(2), "") if size == 0xFFFF else reader.text(size)
        reader.number(2)
        values = []
        while reader.left() and reader.data[reader.at] != 0xFF:
            parameter = reader.text(reader.number(1))
            reader.number(1)
            values.append((parameter, reader.type_and_value()))
        plain = [value for _, value in values]
        name = name.rsplit(".", 1)[-1].lower()
        if name == "sp_executesql":
            declared = self.declared(plain[1]) if len(plain) > 1 else []
            self.run(plain[0], list(zip(declared, plain[2:])), 0xFF, MORE)
        elif name == "sp_prepexec":
            handle = len(self.prepared) + 1
            self.prepared[handle] = plain[2], self.declared(plain[1])
            self.run(plain[2], self.named(handle, plain[3:]), 0xFF, MORE)
            self.gives(handle)
        elif name == "sp_prepare":
            handle = len(self.prepared) + 1
            self.prepared[handle] = plain[2], self.declared(plain[1])
            self.gives(handle)
        elif name == "sp_execute":
            self.run(self.prepared[plain[0]][0], self.named(plain[0], plain[1:]), 0xFF, MORE)
        elif name == "sp_cursoropen":
            declared = self.declared(plain[5]) if len(plain) > 5 else []
            self.open_cursor(plain[1], dict((name.lstrip("@"), value) for name, value in zip(declared, plain[6:])))
        elif name == "sp_cursorfetch":
            self.fetch(*plain[:4])
        elif name == "sp_cursorclose":
            self.cursors.pop(plain[0], None)
        elif name.startswith("sp_datatype_info"):
            self.types(plain[0] if plain else 0)
        elif name != "sp_unprepare":
            self.message(0xAA, 2812, 16, f"Could not find stored procedure '{name}'.")
            return self.done(ERROR, token=0xFE)
        self.out += struct.pack("<Bi", 0x79, 0)
        self.done(token=0xFE)

    def open_cursor(self, statement, values):
        """A cursor that goes forward, as a driver opens it for rows in blocks."""
        try:
            columns, rows = self.queried(statement, values)
        except sqlite3.Error as error:
            return self.failed(error, 0xFF, MORE)
        handle = len(self.cursors) + 1
        self.cursors[handle] = columns, rows, 0
        self.result(columns, [], MORE, 0xFF)
        for number in (handle, 16, 1, len(rows)):  # the cursor, forward only, read only, its rows
            self.gives(number)

    def fetch(self, handle, kind, _, size):
        columns, rows, at = self.cursors[handle]
        block = rows[at : at + size] if kind & 2 else []
        self.cursors[handle] = columns, rows, at + len(block)
        state = Column("ROWSTAT", "int")
        self.result([*columns, state], [(*row, 1) for row in block], MORE, 0xFF)

    def types(self, wanted):
        """The result of SQLGetTypeInfo."""
        names = (
            "TYPE_NAME DATA_TYPE PRECISION LITERAL_PREFIX LITERAL_SUFFIX CREATE_PARAMS NULLABLE CASE_SENSITIVE SEARCHABLE UNSIGNED_ATTRIBUTE "
            "MONEY AUTO_INCREMENT LOCAL_TYPE_NAME MINIMUM_SCALE MAXIMUM_SCALE SQL_DATA_TYPE SQL_DATETIME_SUB NUM_PREC_RADIX "
            "INTERVAL_PRECISION USERTYPE"
        ).split()
        texts = {"TYPE_NAME", "LITERAL_PREFIX", "LITERAL_SUFFIX", "CREATE_PARAMS", "LOCAL_TYPE_NAME"}
        rows = []
        for name, number, precision, quote in TYPES:
            if wanted in (0, None, number):
                quoted = (quote and quote, quote and "'", "max length" if quote else None)
                rows.append((name, number, precision, *quoted, 1, 0, 3, 0, 0, 0, name, None, None, number, None, None, None, 0))
        columns = [Column(name, "nvarchar(128)" if name in texts else "int") for name in names]
        self.result(columns, rows, MORE, 0xFF)

    @staticmethod
    def declared(text):
        return re.findall(r"(@\w+)", text or "")

    def named(self, handle, values):
        return list(zip(self.prepared[handle][1], values))

    def gives(self, handle):
        body = struct.pack("<H", 0) + short_text("") + b"\x01" + struct.pack("<IH", 0, 0) + b"\x26\x04\x04" + struct.pack("<i", handle)
        self.out += b"\xac" + body

    def transact(self, data):
        request = self.after_headers(data).number(2)
        if request == 5:
            self.database.execute("begin")
            self.changed(8, b"\x08" + struct.pack("<Q", 1), b"\0")
        else:
            if self.database.in_transaction:
                self.database.execute("commit" if request == 7 else "rollback")
            self.changed(9 if request == 7 else 10, b"\0", b"\x08" + struct.pack("<Q", 1))
        self.done()

    def run(self, text, values, token, last):
        """Runs the statements of a text. `last` is the status of the last one's end besides its own."""
        statements = [statement for statement in re.split(r";(?=(?:[^']*'[^']*')*[^']*$)", text) if statement.strip()] or [""]
        for number, statement in enumerate(statements, 1):
            more = MORE if number < len(statements) else last
            try:
                self.run_one(statement.strip(), dict((name.lstrip("@"), value) for name, value in values), token, more)
            except sqlite3.Error as error:
                return self.failed(error, token, last)

    def failed(self, error, token, status):
        words = str(error)
        missing = re.match(r"no such table: (.*)", words)
        if missing:
            self.message(0xAA, 208, 16, f"Invalid object name '{missing.group(1)}'.")
        elif "UNIQUE" in words:
            self.message(0xAA, 2627, 14, f"Violation of PRIMARY KEY constraint: {words}")
        else:
            self.message(0xAA, 102, 15, f"Incorrect syntax: {words}")
        self.done(ERROR | status, token=token)

    def run_one(self, statement, values, token, more):
        printed = re.fullmatch(r"print\s+N?'(.*)'", statement, re.I | re.S)
        if printed:
            self.message(0xAB, 0, 0, printed.group(1))
            return self.done(more, token=token)
        if not statement or re.match(r"set |use |declare ", statement, re.I):
            return self.done(more, token=token)
        if transaction := re.match(r"(begin|commit|rollback) tran(saction)?\b", statement, re.I):
            self.database.execute(transaction.group(1))
            return self.done(more, token=token)
        columns, rows = self.queried(statement, values)
        if columns is None:
            return self.done(more | (COUNT if rows >= 0 else 0), max(rows, 0), token)
        self.result(columns, rows, more, token)

    def queried(self, statement, values=()):
        """The columns and rows of a statement, or None and how many it changed."""
        cursor = self.database.execute(re.sub(r"\bN'", "'", re.sub(r"(?i)\(max\)", "(99999)", statement)), values)
        if not cursor.description:
            return None, cursor.rowcount
        rows = cursor.fetchall()
        names = [column[0] for column in cursor.description]
        return [Column(name, self.type_of(statement, name, at, rows)) for at, name in enumerate(names)], rows

    def result(self, columns, rows, more, token):
        self.out += struct.pack("<BH", 0x81, len(columns)) + b"".join(column.described() for column in columns)
        for row in rows:
            self.out += b"\xd1" + b"".join(column.cell(value) for column, value in zip(columns, row))
        self.done(more | COUNT, len(rows), token)

    def type_of(self, statement, name, at, rows):
        """The declared type of a column of the statement's tables, else that of the first value."""
        for table in re.findall(r"(?:from|join)\s+(\w+)", statement, re.I):
            for column in self.database.execute(f"pragma table_info({table})"):
                if column[1].lower() == name.lower():
                    return column[2].lower().replace("(99999)", "(max)")
        value = next((row[at] for row in rows if row[at] is not None), None)
        return {int: "int", float: "float", bytes: "varbinary"}.get(type(value), "nvarchar(4000)")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    # who starts servers for tests ignores it, and programs inherit that
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    PORT, DIRECTORY, USER, PASSWORD = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    Server(("127.0.0.1", PORT), Session).serve_forever()
