"""Tests of one process that fail, that use no database, and that are recorded again from outside."""

import os
import sys

from report import connect, done, tell
from super8_cassettes import Cassettes

mode, library = sys.argv[4], sys.argv[5]
cassettes = Cassettes(library)


class Failed(Exception):
    pass


def ask(text):
    connection = connect(autocommit=True)
    answer = connection.execute(text).fetchval()
    connection.close()
    return answer


def log(name):
    for directory, _, files in os.walk(f"cassettes/{name}"):
        for file in files:
            if file == "commands.yml" or file.endswith(".ndjson"):
                with open(os.path.join(directory, file)) as text:
                    return text.read()
    return ""


def recorded_and_discarded():
    with cassettes.use("cassettes/shop", "record"):
        tell("recorded first", ask("select 1"))
    tell("in its place", "select 1" in log("shop"))

    # a test that fails: the cassette before it stays, its own recording is beside it
    try:
        with cassettes.use("cassettes/shop", "record"):
            tell("recorded and failed", ask("select 2"))
            raise Failed
    except Failed:
        tell("kept", ["select 1" in log("shop"), "select 2" in log("shop")])
    tell("set aside", ["select 1" in log("shop.failed"), "select 2" in log("shop.failed")])

    # one that never was recorded, with a connection that stays open
    try:
        with cassettes.use("cassettes/never", "record"):
            left_open = connect(autocommit=True)
            left_open.execute("select 3").fetchval()
            raise Failed
    except Failed:
        # what comes after goes nowhere
        tell("after", left_open.execute("select 4").fetchval())
        left_open.close()
    tell("nothing there", [log("never") == "", "select 3" in log("never.failed"), "select 4" in log("never.failed")])
    # it can be recorded at once
    with cassettes.use("cassettes/never", "record"):
        tell("recorded now", ask("select 33"))
    tell("in its place", "select 33" in log("never"))
    # so what the earlier attempt recorded is out of date
    tell("set aside no more", not os.path.exists("cassettes/never.failed"))
    with open("cassettes/shop.failed/note.txt", "w") as note:
        note.write("a person's own")

    # a name that is super8's own
    code = cassettes.super8.super8_insert(b"cassettes/own.failed", b"record", None)
    tell("not recorded", [code, "ends in .failed" in cassettes.last_error()])

    # no database
    codes = [cassettes.super8.super8_insert(b"cassettes/nothing", b"record", None), cassettes.super8.super8_eject(None)]
    tell("nothing connected", codes + ["nothing connected through super8 in " + os.path.dirname(os.path.realpath(library)) in cassettes.last_error()])
    with cassettes.use("cassettes/nothing", "record"):
        pass


with cassettes.use("cassettes/session", mode):
    ask("select 0")
if mode == "record":
    recorded_and_discarded()
else:
    try:
        with cassettes.use("cassettes/shop", "replay"):
            raise Failed
    except Failed:
        tell("a failed test left out everything, and nothing is said of it", True)

# recorded again from outside: the mode in the test is a default
os.environ["SUPER8_MODE"] = mode
with cassettes.use("cassettes/shop", "once"):
    tell("again", ask("select 5"))
del os.environ["SUPER8_MODE"]
tell("replaced", ["select 1" in log("shop"), "select 5" in log("shop")])
if mode == "record":
    tell("not a person's own", os.listdir("cassettes/shop.failed"))

# a misspelt variable
os.environ["SUPER8_ODER"] = "connection"
try:
    ask("select 6")
except Exception as error:
    tell("misspelt", "did you mean SUPER8_ORDER?" in str(error))
done()
