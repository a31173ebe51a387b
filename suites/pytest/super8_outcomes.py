"""A plugin for pytest: a cassette for each test, and a line in $OUTCOMES for what came of it.

A line is the test's name, its outcome (pass, fail, skip, error) and what it had to say, separated by tabs.
"""

import os
import re

CASSETTES = os.environ.get("SUPER8_CASSETTE")
PHASES = {"setup": "error", "call": "fail", "teardown": "error at the end"}
outcomes = {}


def name(nodeid):
    return nodeid.rsplit("::", 1)[-1]


def pytest_configure(config):
    if CASSETTES:
        os.environ["SUPER8_CASSETTE"] = os.path.join(CASSETTES, "no test")


def pytest_runtest_logstart(nodeid, location):
    if CASSETTES:
        os.environ["SUPER8_CASSETTE"] = os.path.join(CASSETTES, re.sub(r"[^\w.-]", "_", name(nodeid)))


def pytest_runtest_logreport(report):
    outcome, words = outcomes.get(report.nodeid, ("pass", ""))
    if report.skipped:
        outcome, words = "skip", str(report.longrepr)
    elif report.failed:
        outcome, words = PHASES[report.when], words + str(report.longrepr)
    for title, content in report.sections:
        if title.startswith("Captured std"):
            words += content
    outcomes[report.nodeid] = outcome, words
    if report.when == "teardown":
        # Addresses differ from process to process.
        words = re.sub(r"0x[0-9a-f]{6,}", "0x...", words)
        words = words.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
        with open(os.environ["OUTCOMES"], "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{name(report.nodeid)}\t{outcome}\t{words}\n")
