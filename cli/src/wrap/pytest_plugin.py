"""Tells super8 what pytest's own variables do not say. `super8 record`, `replay` and `once` add this plugin to PYTHONPATH where a
cassette's name has `%t`, and the plugin of the Python wheel brings it.

- A fixture for a class, a module, a package or the session is set up as part of whichever test is the first to ask for it. While it
  is set up or torn down, SUPER8_FIXTURE has its id and how often this process has set it up. SUPER8_LIVE_FIXTURES has the ids of
  those that will be torn down later.
- With `--dist loadgroup`, pytest-xdist adds the test's group to its id. SUPER8_XDIST_GROUP has what it added.
- Which tests were run at all is told in the verdict file.
"""

import json
import os
import re

import pytest

FIXTURE, LIVE, GROUP = "SUPER8_FIXTURE", "SUPER8_LIVE_FIXTURES", "SUPER8_XDIST_GROUP"

times_set_up = {}
live = []
# the attribute of a test that has its id before pytest-xdist added the group
OWN_ID = "_super8_own_id"
deselected = 0


def id_of_fixture(fixturedef, request):
    """The file that defines the fixture, with its class if it has one, and `setup-` with the fixture's name. No test is named so."""
    name = re.sub(r"^_(?:xunit|unittest)_(\w+?)_fixture_.*", r"\1", fixturedef.argname)
    place = fixturedef.baseid
    if "::" not in place and not place.endswith(".py"):
        module = getattr(fixturedef.func, "__module__", None) or "unknown"
        if module.split(".")[-1] == "conftest":
            place = f"{place}/conftest.py".lstrip("/")
        else:
            place = module.replace(".", "/") + ".py"
    if hasattr(request, "param"):
        value = request.param
        if isinstance(value, str) and value.isidentifier() and value not in ("None", "True", "False"):
            name += f"[{value}]"
        elif value is None or isinstance(value, (str, int, float)):
            name += f"[{value!r}]"
        else:
            name += f"[{request.param_index}]"
    return f"{place}::setup-{name}"


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_fixture_setup(fixturedef, request):
    if fixturedef.scope == "function":
        yield
        return
    name = id_of_fixture(fixturedef, request)
    times_set_up[name] = times_set_up.get(name, 0) + 1
    value, outer = f"{times_set_up[name]} {name}", []

    def begin():
        outer.append(os.environ.get(FIXTURE))
        os.environ[FIXTURE] = value

    def end():
        if outer:
            restore(FIXTURE, outer.pop())

    def is_over():
        end()
        live.remove(name)
        os.environ[LIVE] = "\n".join(live)

    # Finalizers run last in, first out, so those that the fixture adds run between `begin` and `is_over`.
    fixturedef.addfinalizer(is_over)
    live.append(name)
    os.environ[LIVE] = "\n".join(live)
    begin()
    yield
    end()
    fixturedef.addfinalizer(begin)


def restore(variable, value):
    if value is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = value


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    # runs before pytest-xdist adds the groups
    for item in items:
        setattr(item, OWN_ID, item.nodeid)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    own = getattr(item, OWN_ID, item.nodeid)
    if item.nodeid.startswith(own + "@"):
        os.environ[GROUP] = item.nodeid[len(own) :]
    yield
    os.environ.pop(GROUP, None)


def pytest_deselected(items):
    global deselected
    deselected += len(items)


def pytest_unconfigure(config):
    """Which files and tests pytest was given, and how many of their tests it left out."""
    verdict, session = os.environ.get("SUPER8_VERDICT"), os.environ.get("SUPER8_SESSION")
    files = [verdict, session and os.path.join(session, "noted")]
    given = [str(argument) for argument in config.args if "::" in str(argument) or os.path.isfile(str(argument))]
    if not (given or deselected):
        return
    more = [f"{len(given) - 5} more"] if len(given) > 5 else []
    event = {"event": "selected", "pid": os.getpid(), "given": given[:5] + more, "deselected": deselected}
    for file in filter(None, files):
        try:
            # each line with one write, because other processes append to the file, too
            with open(file, "ab", buffering=0) as events:
                events.write(json.dumps(event).encode() + b"\n")
        except OSError:
            pass  # the file is only for `super8 unused`, which then says less
