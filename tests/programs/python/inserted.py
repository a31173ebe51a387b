"""Test after test in one process, each with its cassette; what a test does not play, or plays otherwise, is told."""

import os
import sys
import threading

from report import connect, done, tell
from super8_cassettes import Cassettes

mode, library = sys.argv[4], sys.argv[5]
os.environ["NAME"] = "two"
cassettes = Cassettes(library)


def ask(*texts):
    connection = connect(autocommit=True)
    answers = [connection.execute(text).fetchval() for text in texts]
    connection.close()
    return answers


with cassettes.use("cassettes/one", mode):
    tell("one", ask("select 1", "select 11"))
with cassettes.use("cassettes/two", mode):
    tell("two", ask("select 2"))
    with cassettes.use("cassettes/inner", mode):
        answers = []
        thread = threading.Thread(target=lambda: answers.extend(ask("select 3")))
        thread.start()
        thread.join()
        tell("inner, on another thread", answers)
    tell("two again", ask("select 22"))
# A string's own keywords go before what is inserted; two threads with a cassette each, at the same time.
with cassettes.use("cassettes/nobody", "off"):
    results = {}

    def keyed(name):
        suffix = f"Super8Mode={mode};Super8Cassette=cassettes/{name}"
        connection = connect(suffix, autocommit=True)
        for number in range(20):
            results[name] = connection.execute(f"select '{name} {number}'").fetchval()
        connection.close()

    threads = [threading.Thread(target=keyed, args=(name,)) for name in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tell("keyed", sorted(results.items()))
tell("not inserted", os.path.exists("cassettes/nobody"))
# Named after the running test.
os.environ["PYTEST_CURRENT_TEST"] = "test_a.py::test_b (call)"
with cassettes.use("cassettes/%t", mode):
    tell("named", ask("select 4"))
del os.environ["PYTEST_CURRENT_TEST"]

if mode == "replay":
    try:
        with cassettes.use("cassettes/one", mode):
            tell("before", cassettes.unplayed("cassettes/one"))
            tell("one, in part", ask("select 1"))
            tell("left", cassettes.unplayed("cassettes/one") > 0)
    except AssertionError as error:
        tell("unplayed", "select 11" in str(error) and "never played" in str(error))
    try:
        with cassettes.use("cassettes/two", mode):
            try:
                ask("select 9")
            except Exception:
                tell("swallowed", True)
    except AssertionError as error:
        tell("mismatch", "what to do:" in str(error) and "select 9" in str(error))
    with cassettes.use("cassettes/two", mode):
        tell("from the beginning", ask("select 2") + ask("select 22"))
    try:
        with cassettes.use("cassettes/one", mode):
            pass
    except AssertionError as error:
        tell("not replayed", "nothing connected" in str(error) and "select 11" in str(error))
    # One that is not there is well as long as nothing connects.
    with cassettes.use("cassettes/none", mode):
        pass
    try:
        with cassettes.use("cassettes/none", mode):
            ask("select 1")
    except Exception as error:
        tell("no cassette", "there is no cassette here" in str(error))
    # The other library has the same cassettes. A name is the one that was inserted, whatever its placeholders mean now.
    other = library.replace("libsuper8a.so", "x").replace("libsuper8.so", "libsuper8a.so").replace("/x", "/libsuper8.so")
    other = Cassettes(other).super8
    cassettes.super8.super8_insert(b"cassettes/%{NAME}", mode.encode(), None)
    answers = ask("select 2") + ask("select 22")
    os.environ["NAME"] = "another"
    name = b"cassettes/%{NAME}"
    tell("by the other library", answers + [other.super8_unplayed(name), other.super8_eject(name)])
done()
