#!/usr/bin/env python3
# Compares the tests that ctest knows on Linux and on Windows. They may differ only by those that
# tests/not_on_windows.txt and tests/not_on_linux.txt name, one a line: its name, a tab, the reason.
# docs/platforms.md shows these lists; this program writes that part of it.
#   ci/same_tests.py LINUX WINDOWS  compares two build folders
#   ci/same_tests.py --write        writes the lists into docs/platforms.md
#   ci/same_tests.py --docs         checks that they are there
#   ci/same_tests.py --self-test    plants each difference and expects to find it
# SPDX-License-Identifier: BSL-1.0
"""Usage: ci/same_tests.py LINUX WINDOWS | --write | --docs | --self-test"""

import json
import subprocess

from checks import ROOT, run

PAGE = ROOT / "docs/platforms.md"
LISTS = {"Windows": ROOT / "tests/not_on_windows.txt", "Linux": ROOT / "tests/not_on_linux.txt"}
# A name that ctest invents for a test program that was not built.
NOT_BUILT = "_NOT_BUILT"


def tests_of(folder):
    """The names of the tests in a build folder."""
    command = ["ctest", "--test-dir", str(folder), "--show-only=json-v1"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    return {test["name"] for test in json.loads(listed.stdout)["tests"]}


def entries_of(text):
    """Name and reason of each line of a list; None as the reason where there is none."""
    for line in text.splitlines():
        name, _, reason = line.partition("\t")
        yield name, reason.strip() or None


def violations(linux, windows, not_on_windows, not_on_linux):
    """One line for each difference that no list explains, and for each that a list makes up."""
    not_built = sorted(name for name in linux | windows if NOT_BUILT in name)
    for name in not_built:
        yield f"'{name}': a test program is missing"
    if not linux or not windows:
        yield "one of the two has no tests"
    if not_built or not linux or not windows:
        return  # hundreds of lines would only hide this
    both = (
        ("Windows", linux - windows, linux & windows, not_on_windows),
        ("Linux", windows - linux, linux & windows, not_on_linux),
    )
    for system, missing, common, entries in both:
        excused = [name for name, _ in entries]
        for name in sorted(missing - set(excused)):
            yield f"'{name}' is not on {system}, and its list does not say so"
        for name, reason in entries:
            if reason is None:
                yield f"'{name}' is listed as not on {system} without a reason"
            if excused.count(name) > 1:
                yield f"'{name}' is listed twice as not on {system}"
            if name in common:
                yield f"'{name}' is listed as not on {system}, but it is"
            elif name not in missing:
                yield f"'{name}' is listed as not on {system}, but nobody has it"


def shown(system, entries):
    """A list as docs/platforms.md shows it, between two marks: each reason with its tests."""
    tests = {}
    for name, reason in entries:
        tests.setdefault(reason, []).append(name)
    lines = [f"<!-- not on {system} -->"]
    for reason, names in tests.items():
        lines += [f"- {reason}:", *(f"  - `{name}`" for name in names)]
    if not tests:
        lines.append("None.")
    return "\n".join([*lines, f"<!-- end of not on {system} -->"])


def with_lists(page):
    """The page with the lists as they are now."""
    for system, file in LISTS.items():
        first, last = f"<!-- not on {system} -->", f"<!-- end of not on {system} -->"
        before, rest = page.split(first)
        after = rest.split(last)[1]
        entries = list(entries_of(file.read_text(encoding="utf-8")))
        page = before + shown(system, entries) + after
    return page


def check_docs():
    page = PAGE.read_text(encoding="utf-8")
    if with_lists(page) != page:
        yield "docs/platforms.md shows other lists than tests/not_on_*.txt; see --write"


def write_docs():
    PAGE.write_text(with_lists(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return []


def compare(linux, windows):
    lists = [list(entries_of(file.read_text(encoding="utf-8"))) for file in LISTS.values()]
    return violations(tests_of(linux), tests_of(windows), *lists)


# What is on Linux, on Windows, what the lists say, and a word of what must be found.
PLANTED = [
    ({"a"}, {"a"}, "", "", None),
    ({"a", "b"}, {"a"}, "b\twhy\n", "", None),
    ({"a"}, {"a", "b"}, "", "b\twhy\n", None),
    ({"a", "b"}, {"a"}, "", "", "'b' is not on Windows"),
    ({"a"}, {"a", "b"}, "", "", "'b' is not on Linux"),
    ({"a", "b"}, {"a"}, "b\n", "", "without a reason"),
    ({"a", "b"}, {"a"}, "b\twhy\nb\twhy\n", "", "listed twice"),
    ({"a"}, {"a"}, "a\twhy\n", "", "but it is"),
    ({"a"}, {"a"}, "", "a\twhy\n", "but it is"),
    ({"a"}, {"a"}, "b\twhy\n", "", "nobody has it"),
    ({"a"}, set(), "a\twhy\n", "", "has no tests"),
    ({"a", "x_NOT_BUILT-1"}, {"a", "x_NOT_BUILT-1"}, "", "", "a test program is missing"),
]


def self_test():
    wrong = []
    for linux, windows, *lists, expected in PLANTED:
        found = list(violations(linux, windows, *(list(entries_of(text)) for text in lists)))
        if expected is None:
            wrong += [f"wrongly found: {what}" for what in found]
        elif not any(expected in what for what in found):
            wrong.append(f"missed: {expected}")
    table = shown("Amiga", [("a", "why"), ("b", "why"), ("c", "how")])
    if "- why:\n  - `a`\n  - `b`\n- how:\n  - `c`\n" not in table:
        wrong.append(f"a wrong table: {table}")
    return wrong


if __name__ == "__main__":
    run(__doc__, compare, folders=(2,), write=write_docs, docs=check_docs, self_test=self_test)
