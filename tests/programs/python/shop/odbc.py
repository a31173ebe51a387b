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

    def rows(self, sql):
        statement = handle(STATEMENT, self.handle)
        try:
            check(odbc.SQLExecDirect(statement, sql.encode(), SQL_NTS), STATEMENT, statement)
            rows, cell, length = [], ctypes.create_string_buffer(200), ctypes.c_ssize_t()
            columns = ctypes.c_short()
            odbc.SQLNumResultCols(statement, ctypes.byref(columns))
            while columns.value and check(odbc.SQLFetch(statement), STATEMENT, statement) != SQL_NO_DATA:
                row = []
                for column in range(1, columns.value + 1):
                    code = odbc.SQLGetData(statement, column, SQL_C_CHAR, cell, 200, ctypes.byref(length))
                    check(code, STATEMENT, statement)
                    row.append(None if length.value < 0 else cell.value.decode())
                rows.append(row)
            return rows
        finally:
            odbc.SQLFreeHandle(STATEMENT, statement)

    def close(self):
        odbc.SQLDisconnect(self.handle)
        odbc.SQLFreeHandle(CONNECTION, self.handle)
