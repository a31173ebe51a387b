"""The pytest plugin: ``@pytest.mark.super8``, ``--super8`` and ``--super8-block``.

The plugin inserts a test's cassette before its first fixture and ejects it after its last one, so that it has the connections of
fixtures, too. A fixture for a class, a module, a package or the session has a cassette of its own, which is inserted while the fixture
is set up, and again while it is torn down.
"""

import argparse
import os
import shlex
import tempfile

import pytest

from . import _MODES, Cassette, Error, NotAsRecorded, _fixtures, start, use_cassette
from ._process import ended, misspelt

MODES = ("none", "once", "replay", "record", "rewrite", "all", "off")
# The beginning of every error of a connection after a mismatch.
MISMATCH = "[super8] replay: "
# The error of a connect for which there is no cassette.
ABSENT = "there is no cassette here"
# The name of a cassette that never exists. With --super8-block it is replayed outside of tests, so that connects fail.
BLOCKED = "no-cassette--super8-block"
# The command line that records again, in the form of SUPER8_RECORD_AGAIN.
AGAIN = "pytest\x1f--super8=record"

_cassette = pytest.StashKey()  # the cassette of the running test
_failed = pytest.StashKey()  # why the running test failed
_report = pytest.StashKey()  # the error of an eject


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
        """Returns settings for the cassettes of all marked tests below this conftest.py, as a dict. A mark's arguments override them."""


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
    # The command may have brought this plugin already. `-p no:super8-command` disables it in either case.
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
        # `super8 replay` has its own advice. A worker of pytest-xdist inherits ours from the process that started it.
        self.advises = os.environ.get("SUPER8_RECORD_AGAIN", AGAIN).startswith(AGAIN)
        self.recorded = {}
        self.outside = None
        # The running test, the number of failures so far, and the fixtures that marked tests ask for.
        self.item, self.failures, self.wanted = None, 0, set()
        # Also for use_cassette, and in whatever directory pytest is started.
        rules = self.root / "super8.yml"
        if rules.is_file():
            os.environ.setdefault("SUPER8_CONFIG", str(rules))
        # Done here because the driver manager reads its configuration at the first connect, which may come while tests
        # are collected.
        self._advise()
        try:
            self.trouble = None
            # A cassette that SUPER8_CASSETTE names may be anywhere; if its name has placeholders, below the directory
            # before the first one.
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
        """Sets the command line that records again: for the running test, or for all tests."""
        if self.advises:
            os.environ["SUPER8_RECORD_AGAIN"] = "\x1f".join([AGAIN, *test])

    def _outside(self, blocks):
        """Returns the cassette for connects outside of tests that have one, or None."""
        self.scratch = None
        # `super8 record` and `super8 replay` have named a cassette.
        if "SUPER8_MODE" in os.environ:
            return None
        if blocks:
            return Cassette(_plain(self.directory / BLOCKED), "replay")
        # Later tests need what a client library asks at the first connection of a process, and connections that outlive
        # an unmarked test. So these are recorded into a cassette that is thrown away.
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
        """Returns the cassette that an item's marks ask for, or None. The mark nearest to the test wins."""
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
        """Returns the path of a cassette in the directory of cassettes. %t is the running test, or the fixture that is set up."""
        return os.path.join(_plain(self.directory), name)

    def settings(self, node, item):
        """Returns the settings that the conftest.py files of a test give, overridden by the marks of a node."""
        settings = dict(item.ihook.pytest_super8_settings(item=item) or {})
        for mark in reversed(list(node.iter_markers("super8"))):
            if len(mark.args) > 1:
                raise Error(f"a test has one cassette, and the mark super8 names {len(mark.args)}: {', '.join(map(repr, mark.args))}")
            settings.update(zip(["name"], mark.args), **mark.kwargs)
        return settings

    def of_fixture(self, fixturedef, request):
        """Returns the cassette of a fixture that tests share, if a test that is recorded or replayed asks for it; otherwise None."""
        item = self.item
        # The command's plugin sets the variable FIXTURE while a shared fixture is set up.
        if fixturedef.scope == "function" or item is None or _fixtures.FIXTURE not in os.environ:
            return None
        marked = item.stash.get(_cassette, None)
        # If a test without a mark is the first to ask for a fixture that marked tests need, too, it is recorded if
        # everything is recorded.
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
            # A test that failed has reported why, and left the fixture's connection in an unexpected state.
            if not is_set_up or (self.failures > failures and cassette.is_replayed):
                cassette.discard()
            else:
                cassette.eject()

        # Finalizers run last in, first out, so the fixture's own run between `cassette.insert` and `end`.
        fixturedef.addfinalizer(end)
        outcome = yield
        if outcome.excinfo is None:
            is_set_up.append(True)
        cassette.set_aside()
        fixturedef.addfinalizer(cassette.insert)

    def pytest_collection_finish(self, session):
        marked = [item for item in session.items if item.get_closest_marker("super8") is not None]
        self.wanted = {name for item in marked for name in getattr(item, "fixturenames", ())}

    # Runs inside of what pytest itself wraps around a set-up, because pytest undoes that at the tear-down, even if this
    # fails.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item):
        item.stash[_failed] = None
        self.item = item
        try:
            cassette = self.cassette(item)
            if cassette is not None:
                if self.trouble:
                    raise Error(self.trouble)
                # pytest sets this variable in a moment. It is needed now, because %t is made from it.
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
            # The failure has this text, so it is removed from the captured output.
            report.sections = [(title, text.replace(said, "")) for title, text in report.sections]
        if report.passed or hasattr(report, "wasxfail"):
            return
        text = "" if call.excinfo is None else str(call.excinfo.value)
        earlier = item.stash.get(_failed, None)
        self.failures += 1
        if earlier is None:
            item.stash[_failed] = text
        elif report.when == "teardown" and MISMATCH in text and MISMATCH in earlier:
            # Every command after a mismatch fails like the first one, so a fixture that rolls back is no second
            # failure.
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
    """Escapes a path, so that it has no placeholders."""
    return os.fspath(path).replace("%", "%%")
