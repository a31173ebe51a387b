"""Sets up super8 in this process: the configuration that puts it in front of every driver, and its C interface."""

import atexit
import ctypes
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

COMMAND = str(Path(__file__).parent / "bin" / "super8")

# The results of super8_eject, as in shim/include/super8.h.
OK, UNPLAYED, MISMATCH, UNUSED, NOT_REPLAYED = range(5)


class Error(Exception):
    """super8 cannot do what it was asked to do: no such cassette, a misspelt setting, a recording that cannot be written."""


class Library:
    """super8's library, the same instance that the driver manager uses."""

    def __init__(self, path):
        library = ctypes.CDLL(path)
        text = ctypes.c_char_p
        for name, arguments, result in [
            ("super8_insert", [text, text, text], ctypes.c_int),
            ("super8_set_aside", [text], ctypes.c_int),
            ("super8_eject", [text], ctypes.c_int),
            ("super8_discard", [text], ctypes.c_int),
            ("super8_unplayed", [text], ctypes.c_longlong),
            ("super8_last_error", [text, ctypes.c_size_t], ctypes.c_size_t),
        ]:
            function = getattr(library, name)
            function.argtypes, function.restype = arguments, result
        self.insert, self.set_aside, self.eject = library.super8_insert, library.super8_set_aside, library.super8_eject
        self.discard, self.unplayed = library.super8_discard, library.super8_unplayed
        self._last_error = library.super8_last_error

    def last_error(self):
        """Returns the text for the last result that was not OK."""
        room = self._last_error(None, 0) + 1
        buffer = ctypes.create_string_buffer(room)
        self._last_error(buffer, room)
        return buffer.value.decode("utf-8", "replace")


_lock = threading.Lock()
_library = None
_code = None
_recorded = None


def start(cassettes=()):
    """Puts super8 in front of every ODBC driver, for this process and those that it starts. Returns its library.

    Call it before the first connection of the process, because the driver manager reads its configuration then. ``cassettes`` are
    directories: the data sources of cassettes below them need not be configured on this machine. Further calls do nothing.
    """
    global _library
    with _lock:
        if _library is None:
            prepared = _prepare([os.fspath(directory) for directory in cassettes])
            _library = Library(prepared["library"])
        return _library


def _prepare(cassettes):
    words = [COMMAND, "run", "--print-environment"]
    for directory in cassettes:
        words += ["--cassettes", directory]
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe)
    except OSError as error:
        raise Error(f"cannot run {COMMAND}: {error}") from error
    line = process.stdout.readline()
    if not line:
        raise Error(process.communicate()[1].decode("utf-8", "replace").strip())
    prepared = json.loads(line)
    os.environ.update(prepared["environment"])
    global _recorded
    _recorded = prepared.get("recorded")
    # The command keeps the configuration until this process closes the pipe, or ends.
    atexit.register(_end, process, os.getpid())
    return prepared


def misspelt(text):
    """Returns a hint for an error about an unknown data source: what the cassettes connect to. None for other errors."""
    return _recorded and f"super8: {_recorded}" if "IM002" in text else None


def ended(code):
    """Notes the exit code of the program, for `super8 unused` and the page of a folder of cassettes."""
    global _code
    _code = code


def _end(process, owner):
    if os.getpid() == owner:
        process.communicate(b"" if _code is None else b"ended %d\n" % _code)


def main():
    """The command ``super8``."""
    os.execv(COMMAND, ["super8", *sys.argv[1:]])
