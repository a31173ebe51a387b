"""A cassette for each test, through super8's C interface."""

import contextlib
import ctypes


UNUSED = 3  # nothing connected while the cassette was inserted


class Cassettes:
    def __init__(self, library):
        """`library` is libsuper8.so, in the directory that odbcinst.ini names for super8."""
        super8 = ctypes.CDLL(library)
        texts = [ctypes.c_char_p] * 3
        super8.super8_insert.argtypes, super8.super8_insert.restype = texts, ctypes.c_int
        super8.super8_eject.argtypes, super8.super8_eject.restype = texts[:1], ctypes.c_int
        super8.super8_discard.argtypes, super8.super8_discard.restype = texts[:1], ctypes.c_int
        super8.super8_unplayed.argtypes, super8.super8_unplayed.restype = texts[:1], ctypes.c_longlong
        super8.super8_last_error.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
        super8.super8_last_error.restype = ctypes.c_size_t
        self.super8 = super8

    @contextlib.contextmanager
    def use(self, directory, mode="once", options=""):
        """Connections made inside record or replay this cassette. Fails if it is not played as it was recorded."""
        if self.super8.super8_insert(directory.encode(), mode.encode(), options.encode()):
            raise RuntimeError(self.last_error())
        try:
            yield
        except BaseException:
            # The test has said why it failed. What it recorded does not replace the cassette before it.
            self.super8.super8_discard(directory.encode())
            raise
        if self.super8.super8_eject(directory.encode()) not in (0, UNUSED):
            raise AssertionError(self.last_error())

    def unplayed(self, directory):
        return self.super8.super8_unplayed(directory.encode())

    def last_error(self):
        room = self.super8.super8_last_error(None, 0) + 1
        buffer = ctypes.create_string_buffer(room)
        self.super8.super8_last_error(buffer, room)
        return buffer.value.decode()
