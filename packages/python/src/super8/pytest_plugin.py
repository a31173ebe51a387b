"""The pytest plugin: ``@pytest.mark.super8``, ``--super8`` and ``--super8-block``.

A cassette is inserted before a test's first fixture and ejected after its last one, so that connections of its fixtures are in it.
A fixture for a class, a module, a package or the session has a cassette of its own: it is inserted while the fixture is set up, and
again while it is torn down.
"""

import argparse
import os
import shlex
import tempfile

import pytest

from . import _MODES, Cassette, Error, NotAsRecorded, _fixtures, start, use_cassette
from ._process import ended, misspelt

MODES = ("none", "once", "replay", "record", "rewrite", "all", "off")
# How every error of a connection begins once it was asked for something else than was recorded.
MISMATCH = "[super8] replay: "
# What a connect says for which there is no cassette.
ABSENT = "there is no cassette here"
# The cassette that is replayed, and never there, where no other one is.
BLOCKED = "no-cassette--super8-block"
# The words that record again, as SUPER8_RECORD_AGAIN has them.
AGAIN = "pytest\x1f--super8=record"

_cassette = pytest.StashKey()  # of the running test
_failed = pytest.StashKey()  # why the running test failed
_report = pytest.StashKey()  # what an eject said


def pytest_addoption(parser):
    group = parser.getgroup("super8", "recording and replaying databases (super8)")
    group.addoption(
        "--super8",
        type=_mode,
        metavar="{" + ",".join(MODES) + "}",
        help="what marked tests do: replay and never record (none, replay; the default), replay or record what is missing (once), "
        "record anew (record, rewrite, all), use the database (off)",
    )
    group.addoption("--super8-block", action="store_true", help="fail every ODBC connect outside of a cassette")
    parser.addini("super8_cassettes", "directory of the cassettes, relative to the root directory", default="cassettes")


def _mode(word):
    if word == "new_episodes":
        raise argparse.ArgumentTypeError(
            "there is no new_episodes, because a recording is true as a whole only: record tests that have no cassette with once, and a "
            "test that has changed with record -k NAME"
        )
    if word not in MODES:
        raise argparse.ArgumentTypeError(f"{word!r} is no mode: choose one of {', '.join(MODES)}")
    return _MODES.get(word, word)


class Hooks:
    """What a conftest.py may define."""

    @pytest.hookspec(firstresult=True)
    def pytest_super8_settings(self, item):
        """Settings for the cassettes of all marked tests below this conftest.py, as a dict. A mark's own arguments override them."""


def pytest_addhooks(pluginmanager):
    pluginmanager.add_hookspecs(Hooks)


def pytest_configure(config):
    config.addinivalue_line(
        "markers",
        "super8(name=None, mode=None, **settings): the test's ODBC connections are recorded in a cassette and replayed from it",
    )
    mode, blocks = config.getoption("--super8"), config.getoption("--super8-block")
    if mode == "off" and blocks:
        raise pytest.UsageError("--super8=off uses the database, and --super8-block forbids it")
    if mode is not None:
        use_cassette.default_mode = mode
    # The command brings it, too. `-p no:super8-command` leaves both out.
    if not config.pluginmanager.has_plugin("super8-command"):
        config.pluginmanager.register(_fixtures, "super8-command")
    if mode != "off":
        config.pluginmanager.register(Recording(config, mode, blocks), "super8-recording")


@pytest.fixture
def super8_cassette(request):
    """The cassette of the running test, or None."""
    return request.node.stash.get(_cassette, None)


class Recording:
    """A session in which marked tests record and replay."""

    def __init__(self, config, mode, blocks):
        self.mode, self.root = mode, config.rootpath
        self.directory = self.root / config.getini("super8_cassettes")
        # `super8 replay` has its own advice; that of the process which started this worker is ours
        self.advises = os.environ.get("SUPER8_RECORD_AGAIN", AGAIN).startswith(AGAIN)
        self.recorded = {}
        self.outside = None
        # The running test, how many have failed, and the fixtures that marked tests ask for.
        self.item, self.failures, self.wanted = None, 0, set()
        # For use_cassette as well, wherever pytest is started.
        rules = self.root / "super8.yml"
        if rules.is_file():
            os.environ.setdefault("SUPER8_CONFIG", str(rules))
        # Now, because the driver manager reads its configuration at the first connect: it may come while tests are collected.
        self._advise()
        try:
            self.trouble = None
            # One that is named by hand may be anywhere, also below a directory with the rest of its name filled in.
            by_hand = os.environ.get("SUPER8_CASSETTE", "").split("%")[0]
            start([self.directory, *([by_hand] if os.path.isdir(by_hand) else [])])
            self.outside = self._outside(blocks)
            if self.outside is not None:
                self.outside.insert()
        except Error as error:
            self.trouble = f"super8: {error}"
            if blocks:
                raise pytest.UsageError(self.trouble) from error

    def _advise(self, *test):
        """The command line that records again: the running test's, or that of all."""
        if self.advises:
            os.environ["SUPER8_RECORD_AGAIN"] = "\x1f".join([AGAIN, *test])

    def _outside(self, blocks):
        """The cassette of connects that no test has one for."""
        self.scratch = None
        # `super8 record` and `super8 replay` have one.
        if "SUPER8_MODE" in os.environ:
            return None
        if blocks:
            return Cassette(_plain(self.directory / BLOCKED), "replay")
        # What a client library asks at the first connection of a process, and a connection that outlives an unmarked test, belong to
        # the recordings of later tests: they are recorded, too, and thrown away.
        if self.mode in ("once", "record"):
            self.scratch = tempfile.TemporaryDirectory(prefix="super8-")
            return Cassette(_plain(os.path.join(self.scratch.name, "outside")), "record")
        return None

    def pytest_sessionfinish(self, exitstatus):
        ended(int(exitstatus))
        if self.outside is not None:
            self.outside.discard()
        if self.scratch is not None:
            self.scratch.cleanup()

    def cassette(self, item):
        """The cassette that an item's marks ask for, if they do. What is nearer to the test counts."""
        if item.get_closest_marker("super8") is None:
            return None
        settings = self.settings(item, item)
        name, mode = settings.pop("name", None), settings.pop("mode", None)
        mode = self.mode or _MODES.get(mode, mode) or "replay"
        path = self.named(_plain(name) if name else "%t")
        if name and mode == "record" and self.recorded.setdefault(path, item.nodeid) != item.nodeid:
            raise Error(f"the cassette {name} is recorded by {self.recorded[path]} already: give each test a cassette of its own")
        return Cassette(path, mode, **settings)

    def named(self, name):
        """The name of a cassette in the directory of cassettes. %t is the running test, or the fixture that is set up."""
        return os.path.join(_plain(self.directory), name)

    def settings(self, node, item):
        """What the conftest.py files of a test say of its cassette, and then the marks of a node."""
        settings = dict(item.ihook.pytest_super8_settings(item=item) or {})
        for mark in reversed(list(node.iter_markers("super8"))):
            if len(mark.args) > 1:
                raise Error(f"a test has one cassette, and the mark super8 names {len(mark.args)}: {', '.join(map(repr, mark.args))}")
            settings.update(zip(["name"], mark.args), **mark.kwargs)
        return settings

    def of_fixture(self, fixturedef, request):
        """The cassette of a fixture that tests share, if one of those that are recorded or replayed asks for it."""
        item = self.item
        # The plugin of the command tells which fixture is set up.
        if fixturedef.scope == "function" or item is None or _fixtures.FIXTURE not in os.environ:
            return None
        marked = item.stash.get(_cassette, None)
        # What a test without a mark is the first to ask for is recorded where everything is, because marked tests ask for it too.
        if marked is None and (fixturedef.argname not in self.wanted or not (self.scratch or "SUPER8_MODE" in os.environ)):
            return None
        settings = self.settings(request.node, item)
        settings.pop("name", None), settings.pop("mode", None)
        return Cassette(self.named("%t"), marked.mode if marked else self.mode or "none", **settings)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef, request):
        try:
            cassette = self.of_fixture(fixturedef, request)
            if cassette is not None:
                cassette.insert()
        except Error as error:
            pytest.fail(str(error), pytrace=False)
        if cassette is None:
            yield
            return
        is_set_up, failures = [], self.failures

        def end():
            # Who has failed before has said why, and left a connection where nobody expected it.
            if not is_set_up or (self.failures > failures and cassette.is_replayed):
                cassette.discard()
            else:
                cassette.eject()

        # Finalizers run last in, first out: the fixture's own run between `cassette.insert` and `end`.
        fixturedef.addfinalizer(end)
        outcome = yield
        if outcome.excinfo is None:
            is_set_up.append(True)
        cassette.set_aside()
        fixturedef.addfinalizer(cassette.insert)

    def pytest_collection_finish(self, session):
        marked = [item for item in session.items if item.get_closest_marker("super8") is not None]
        self.wanted = {name for item in marked for name in getattr(item, "fixturenames", ())}

    # Within what pytest itself wraps around a set-up: it undoes that at the tear-down, also where this fails.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item):
        item.stash[_failed] = None
        self.item = item
        try:
            cassette = self.cassette(item)
            if cassette is not None:
                if self.trouble:
                    raise Error(self.trouble)
                # As pytest sets it in a moment: the name %t comes of it.
                os.environ["PYTEST_CURRENT_TEST"] = f"{item.nodeid} (setup)"
                self._advise(item.nodeid)
                cassette.insert()
                item.stash[_cassette] = cassette
        except Error as error:
            pytest.fail(str(error), pytrace=False)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item):
        outcome = yield
        self.item = None
        cassette = item.stash.get(_cassette, None)
        if cassette is None:
            return
        del item.stash[_cassette]
        try:
            if item.stash[_failed] is not None or outcome.excinfo is not None:
                cassette.discard()
            else:
                cassette.eject()
        except (Error, NotAsRecorded) as error:
            item.stash[_report] = str(error)
            outcome.force_exception(pytest.fail.Exception(str(error), pytrace=False))
        self._advise()

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item, call):
        outcome = yield
        report = outcome.get_result()
        said = item.stash.get(_report, None)
        if said is not None:
            # It is in the failure, and need not be in the captured output as well.
            report.sections = [(title, text.replace(said, "")) for title, text in report.sections]
        if report.passed or hasattr(report, "wasxfail"):
            return
        text = "" if call.excinfo is None else str(call.excinfo.value)
        earlier = item.stash.get(_failed, None)
        self.failures += 1
        if earlier is None:
            item.stash[_failed] = text
        elif report.when == "teardown" and MISMATCH in text and MISMATCH in earlier:
            # Every command after a mismatch fails like the first: a fixture that rolls back is no second failure.
            report.outcome, report.longrepr = "passed", None
            return
        cassette = item.stash.get(_cassette, None)
        told = cassette and cassette.mode != "record" and misspelt(text)
        if told:
            report.sections.append(("super8", told + "\n"))
        elif BLOCKED in text:
            told = "Connects outside of a cassette fail (--super8-block): mark the test, @pytest.mark.super8\n"
            report.sections.append(("super8", told))
        elif ABSENT in text and self.advises:
            again = shlex.join(["pytest", "--super8=record", item.nodeid])
            report.sections.append(("super8", f"Record the cassette, with the database: {again}\n"))


def _plain(path):
    """A path without placeholders."""
    return os.fspath(path).replace("%", "%%")
