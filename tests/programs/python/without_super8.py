"""What libsuper8a.so does without libsuper8.so. Arguments: the library, the names of ODBC's functions."""

import ctypes
import sys

from super8_cassettes import Cassettes

path, *names = sys.argv[1:]
library = ctypes.CDLL(path)
for name in names:
    function = getattr(library, name)
    function.restype = ctypes.c_short
    print(name, function(*[None] * 13))
try:
    with Cassettes(path).use("cassettes/one", "record"):
        print("inserted")
except RuntimeError as error:
    print(error)
cassettes = Cassettes(path)
library.super8_version.restype = ctypes.c_char_p
print(library.super8_version().decode(), library.super8_eject(None), library.super8_discard(None), cassettes.unplayed("x"))
small = ctypes.create_string_buffer(10)
print(cassettes.super8.super8_last_error(small, 10) > 100, small.value.decode())
