#!/usr/bin/env python3
# Checks that every test which docs/node-parity.md names exists, and that the page says on which
# systems it runs: tests/not_on_windows.txt and tests/not_on_linux.txt know.
#   ci/node_parity.py              checks the page against the tests' sources
#   ci/node_parity.py --write      writes the systems into the page
#   ci/node_parity.py --self-test  plants each mistake and expects to find it
# SPDX-License-Identifier: BSL-1.0
"""Usage: ci/node_parity.py | --write | --self-test"""

import re

from checks import ROOT, run
from same_tests import LISTS, entries_of

PAGE = ROOT / "docs/node-parity.md"
RINGS = ("unit", "sim", "os", "process")
TEST_CASE = re.compile(r'^TEST_CASE(?:_METHOD)?\((?:\s*\w+,)?((?:\s*"[^"\n]*")+)', re.MULTILINE)
NAMED = re.compile(rf"`((?:{'|'.join(RINGS)})/[^`]*)`")
# The last column of each table. The one before it shows, by tests, what the row says.
SYSTEMS = "ran on"


def names_in(code):
    """The names of the tests in a source file."""
    for literals in TEST_CASE.findall(code):
        yield "".join(re.findall(r'"([^"\n]*)"', literals))


def tests_of_sources():
    """The names of all tests that are written in C++, as ctest knows them."""
    return {
        f"{ring}/{name}"
        for ring in RINGS
        for file in (ROOT / "tests" / ring).rglob("*.cpp")
        for name in names_in(file.read_text(encoding="utf-8"))
    }


def absences():
    """The tests that each system does not have."""
    texts = {system: file.read_text(encoding="utf-8") for system, file in LISTS.items()}
    return {system: {name for name, _ in entries_of(text)} for system, text in texts.items()}


def systems_of(tests, absent):
    """Where all of these tests run, as the page says it."""
    found = [each for each in sorted(absent) if tests and not absent[each] & set(tests)]
    return ", ".join(found) or "-"


def rows_of(page):
    """The number, the line and the cells of each row whose table says where tests ran."""
    in_table = False
    for number, line in enumerate(page.splitlines(), 1):
        cells = [each.strip() for each in line.split("|")[1:-1]]
        if cells and cells[-1] == SYSTEMS:
            in_table = True
        elif not cells:
            in_table = False
        elif in_table and cells[-1] != "---":
            yield number, line, cells


def with_systems(page, absent):
    """The page with the last column as it is now."""
    lines = page.split("\n")
    for number, line, cells in rows_of(page):
        before = line.rstrip().removesuffix("|").rpartition("|")[0]
        lines[number - 1] = f"{before}| {systems_of(NAMED.findall(cells[-2]), absent)} |"
    return "\n".join(lines)


def violations(page, known, absent):
    """One line for each test that does not exist, and for each row that is not right."""
    rows = list(rows_of(page))
    if not rows:
        yield "there is no table"
    for number, line in enumerate(page.splitlines(), 1):
        for name in NAMED.findall(line):
            if name not in known:
                yield f"{number}: there is no test '{name}'"
    cases = [cells[0] for _, _, cells in rows]
    for number, _, cells in rows:
        tests = NAMED.findall(cells[-2])
        if not tests and not cells[-2].startswith("differs: "):
            yield f"{number}: neither a test nor why prong differs"
        if cells[-1] != systems_of(tests, absent):
            yield f"{number}: it ran on '{systems_of(tests, absent)}'; see --write"
        if cases.count(cells[0]) > 1:
            yield f"{number}: '{cells[0]}' has two rows"


def check():
    found = violations(PAGE.read_text(encoding="utf-8"), tests_of_sources(), absences())
    return [f"docs/node-parity.md:{what}" for what in found]


def write():
    PAGE.write_text(with_systems(PAGE.read_text(encoding="utf-8"), absences()), encoding="utf-8")
    return []


HEAD = "| case | shown by | ran on |\n|---|---|---|\n"
KNOWN = {"os/a", "os/b", "unit/a test, in two pieces"}
ABSENT = {"Linux": {"os/b"}, "Windows": {"os/a"}}
# The rows of a table, and a word of what must be found.
PLANTED = [
    ("| x | `os/a` | Linux |", None),
    ("| x | `os/b`, in part `unit/a test, in two pieces` | Windows |", None),
    ("| x | `unit/a test, in two pieces` | Linux, Windows |", None),
    ("| x | `os/a`, `os/b` | - |", None),
    ("| x | differs: why | - |", None),
    ("| x | `os/c` | Linux, Windows |", "no test 'os/c'"),
    ("| x | `os/a` | Linux, Windows |", "it ran on 'Linux'"),
    ("| x | differs: why | Linux |", "it ran on '-'"),
    ("| x | | - |", "neither"),
    ("| x | `os/a` | Linux |\n| x | `os/a` | Linux |", "two rows"),
    ("", "there is no table"),
]
SOURCE = 'TEST_CASE("one", "[x]") {}\nTEST_CASE(\n    "a test, "\n    "in two pieces", "") {}\n'
SOURCE += 'TEST_CASE_METHOD(fixture, "with a fixture", "[x]") {}\n// TEST_CASE("no test")\n'


def self_test():
    wrong = []
    for rows, expected in PLANTED:
        found = list(violations(HEAD + rows + "\n", KNOWN, ABSENT))
        if expected is None:
            wrong += [f"wrongly found: {what}" for what in found]
        elif not any(expected in what for what in found):
            wrong.append(f"missed: {expected}")
    written = with_systems(HEAD + "| x | `os/a` | ? |\n| y | differs: why | ? |\n", ABSENT)
    if written != HEAD + "| x | `os/a` | Linux |\n| y | differs: why | - |\n":
        wrong.append(f"wrongly written: {written}")
    if list(names_in(SOURCE)) != ["one", "a test, in two pieces", "with a fixture"]:
        wrong.append(f"wrong names: {list(names_in(SOURCE))}")
    return wrong


if __name__ == "__main__":
    run(__doc__, check, folders=(0,), write=write, self_test=self_test)
