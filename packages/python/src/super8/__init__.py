"""Records what a program asks of a database through ODBC, and replays it with driver and database gone.

    with super8.use_cassette("cassettes/orders"):
        connection = pyodbc.connect("DSN=shop")
"""

import contextlib
import functools
import inspect
import os

from ._process import COMMAND, MISMATCH, NOT_REPLAYED, OK, UNPLAYED, UNUSED, Error, misspelt, start

__all__ = ["COMMAND", "Cassette", "Error", "NotAsRecorded", "start", "use_cassette"]

# What vcrpy and pytest-recording call super8's modes.
_MODES = {"none": "replay", "all": "record", "rewrite": "record"}


class NotAsRecorded(AssertionError):
    """The program did something else than was recorded, or left out recorded commands. The text is super8's report."""


class Cassette:
    """A cassette for the connections that are made while it is inserted.

    ``mode`` is ``once``, ``none`` (or ``replay``), ``record`` (or ``rewrite``) or ``off``. ``settings`` are super8's settings without
    their prefix: ``order="connection"`` is ``Super8Order=connection``.
    """

    def __init__(self, name, mode="once", **settings):
        self.name = os.fspath(name)
        self.mode = _MODES.get(mode, mode)
        self._options = "".join(_keyword(key, value) for key, value in settings.items() if value is not None)

    def insert(self):
        """Makes connections record or replay this cassette from now on, also if it was set aside."""
        self._super8 = start([os.path.dirname(self.name) or os.curdir])
        texts = [os.fsencode(text) for text in (self.name, self.mode, self._options)]
        if self._super8.insert(*texts) != OK:
            raise Error(self._super8.last_error())

    def set_aside(self):
        """Makes connections go to the cassette that was inserted before, until this one is inserted again. Does not end it."""
        if self._super8.set_aside(os.fsencode(self.name)) != OK:
            raise Error(self._super8.last_error())

    def eject(self):
        """Ends this cassette. Fails if it was not played as it was recorded, or could not be written."""
        code = self._super8.eject(os.fsencode(self.name))
        if code in (MISMATCH, UNPLAYED, NOT_REPLAYED):
            raise NotAsRecorded(self._super8.last_error())
        if code not in (OK, UNUSED):
            raise Error(self._super8.last_error())

    def discard(self):
        """Ends it for a test that failed: its recording goes to the directory NAME.failed, and the earlier cassette stays."""
        if self._super8.discard(os.fsencode(self.name)) != OK:
            raise Error(self._super8.last_error())

    @property
    def unplayed(self):
        """The number of recorded commands that were not played so far; 0 if it is not replayed."""
        return max(0, self._super8.unplayed(os.fsencode(self.name)))

    @property
    def is_replayed(self):
        """Whether something has connected and the cassette is replayed."""
        return self._super8.unplayed(os.fsencode(self.name)) >= 0


def _keyword(name, value):
    keyword = "Super8" + "".join(part.capitalize() for part in name.split("_"))
    text = str(value).lower() if isinstance(value, bool) else os.fspath(value) if isinstance(value, os.PathLike) else str(value)
    return "{}={{{}}};".format(keyword, text.replace("}", "}}"))


class use_cassette(contextlib.AbstractContextManager):
    """Uses a cassette as a context manager or as a decorator of functions. The arguments are those of :class:`Cassette`.

    A decorator needs no name and no parentheses: then the cassette is named after the function, in the directory ``cassettes``. If the
    body fails, the recording is set aside, and the earlier cassette stays.
    """

    #: The default mode. The pytest plugin sets it to that of ``--super8``.
    default_mode = "once"

    def __new__(cls, name=None, *arguments, **keywords):
        if inspect.isroutine(name):
            return cls()(name)
        return super().__new__(cls)

    def __init__(self, name=None, mode=None, **settings):
        self._arguments = name, mode, settings

    def __enter__(self):
        name, mode, settings = self._arguments
        if name is None:
            raise TypeError("use_cassette needs a name: only a decorator takes that of its function")
        cassette = Cassette(name, mode or use_cassette.default_mode, **settings)
        cassette.insert()
        self._cassette = cassette
        return cassette

    def __exit__(self, kind, error, traceback):
        if error is None:
            self._cassette.eject()
        else:
            self._cassette.discard()
            told = self._cassette.mode != "record" and misspelt(str(error))
            if told and hasattr(error, "add_note"):  # Python 3.11
                error.add_note(told)

    def __call__(self, function):
        name, mode, settings = self._arguments
        if name is None:
            self._arguments = os.path.join("cassettes", function.__name__), mode, settings
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def decorated(*arguments, **keywords):
                with self:
                    return await function(*arguments, **keywords)
        elif inspect.isasyncgenfunction(function):

            @functools.wraps(function)
            async def decorated(*arguments, **keywords):
                with self:
                    async for value in function(*arguments, **keywords):
                        yield value
        elif inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def decorated(*arguments, **keywords):
                with self:
                    return (yield from function(*arguments, **keywords))
        else:

            @functools.wraps(function)
            def decorated(*arguments, **keywords):
                with self:
                    return function(*arguments, **keywords)

        return decorated
