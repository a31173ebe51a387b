"""As much of ODBC as the tests of the shop need, with ctypes: it asks the driver nothing by itself."""

import ctypes
import os

SQL_NTS, SQL_NO_DATA, SQL_C_CHAR = -3, 100, 1
ENVIRONMENT, CONNECTION, STATEMENT = 1, 2, 3

odbc = ctypes.CDLL("libodbc.so.2")


class Error(Exception):
    pass


def handle(kind, parent):
    made = ctypes.c_void_p()
    odbc.SQLAllocHandle(kind, parent, ctypes.byref(made))
    return made


def check(code, kind, of):
    if code not in (0, 1, SQL_NO_DATA):
        state, text = ctypes.create_string_buffer(6), ctypes.create_string_buffer(1024)
        odbc.SQLGetDiagRec(kind, of, 1, state, None, text, 1024, None)
        raise Error(f"{state.value.decode()} {text.value.decode(errors='replace')}")
    return code


environment = handle(ENVIRONMENT, None)
odbc.SQLSetEnvAttr(environment, 200, ctypes.c_void_p(3), 0)


class Connection:
    def __init__(self, string=os.environ.get("SHOP", "DSN=shop")):
        self.handle = handle(CONNECTION, environment)
        try:
            code = odbc.SQLDriverConnect(self.handle, None, string.encode(), SQL_NTS, None, 0, None, 0)
            check(code, CONNECTION, self.handle)
        except Error:
            odbc.SQLFreeHandle(CONNECTION, self.handle)
            raise

    def set(self, attribute, value):
        """Sets an attribute to a number: 102 is autocommit, 108 the isolation."""
        check(odbc.SQLSetConnectAttr(self.handle, attribute, ctypes.c_void_p(value), 0), CONNECTION, self.handle)

    def end(self, commit):
        check(odbc.SQLEndTran(CONNECTION, self.handle, 0 if commit else 1), CONNECTION, self.handle)

    def rows(self, sql):
        statement = Statement(self)
        try:
            return statement.run(sql)
        finally:
            statement.free()

    def close(self):
        odbc.SQLDisconnect(self.handle)
        odbc.SQLFreeHandle(CONNECTION, self.handle)


class Statement:
    def __init__(self, connection):
        self.handle = handle(STATEMENT, connection.handle)

    def check(self, code):
        return check(code, STATEMENT, self.handle)

    def run(self, sql):
        self.check(odbc.SQLExecDirect(self.handle, sql.encode(), SQL_NTS))
        return self.rows()

    def prepare(self, sql):
        self.check(odbc.SQLPrepare(self.handle, sql.encode(), SQL_NTS))

    def execute(self):
        self.check(odbc.SQLExecute(self.handle))
        return self.rows()

    def columns(self):
        columns = ctypes.c_short()
        odbc.SQLNumResultCols(self.handle, ctypes.byref(columns))
        return columns.value

    def row(self):
        """The next row, or None."""
        cell, length = ctypes.create_string_buffer(200), ctypes.c_ssize_t()
        if self.check(odbc.SQLFetch(self.handle)) == SQL_NO_DATA:
            return None
        row = []
        for column in range(1, self.columns() + 1):
            self.check(odbc.SQLGetData(self.handle, column, SQL_C_CHAR, cell, 200, ctypes.byref(length)))
            row.append(None if length.value < 0 else cell.value.decode())
        return row

    def rows(self):
        rows = list(iter(self.row, None)) if self.columns() else []
        self.close()
        return rows

    def close(self):
        odbc.SQLFreeStmt(self.handle, 0)

    def free(self):
        odbc.SQLFreeHandle(STATEMENT, self.handle)
