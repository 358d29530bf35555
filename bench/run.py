#!/usr/bin/env python3
# Runs the benchmark: see ci/bench, which builds it first.
#   bench/run.py [--quick] [--only P1,P3] [--into FOLDER]
# SPDX-License-Identifier: BSL-1.0
import argparse
import pathlib
import sys
import time

import cases_cluster
import cases_connections
import cases_evenness
import report
from case import FULL, QUICK, Row
from servers import PROGRAMS, Failed

# What each case answers.
CASES = [
    (("P1", "P2", "P3"), cases_connections.new_connections),
    (("P4",), cases_connections.growing),
    (("P5",), cases_connections.keep_alive),
    (("P6",), cases_evenness.blocked_workers),
    (("P7",), cases_evenness.shares),
    (("P8",), cases_evenness.long_connections),
    (("P9",), cases_cluster.messages),
    (("P10",), cases_cluster.starting),
    (("P11",), cases_cluster.memory),
    (("Wine",), cases_cluster.windows),
]
NAMES = [name for names, _ in CASES for name in names]


def parse():
    parser = argparse.ArgumentParser(description="Measures prong beside its peers.")
    parser.add_argument("--quick", action="store_true", help="a rough look, in under 3 minutes")
    parser.add_argument("--only", default=",".join(NAMES), help="some cases: " + ",".join(NAMES))
    parser.add_argument("--into", type=pathlib.Path, help="where to write: bench/results, or "
                        "build/bench/results for a quick run or a part")
    result = parser.parse_args()
    result.only = result.only.split(",")
    if unknown := set(result.only) - set(NAMES):
        parser.error("no such case: " + ", ".join(sorted(unknown)))
    in_full = not result.quick and set(result.only) == set(NAMES)
    result.into = result.into or (report.RESULTS if in_full else PROGRAMS.parent / "results")
    return result


class Progress:
    """On a terminal one line that changes; else a line for each step."""

    def __init__(self):
        self.begin = time.monotonic()
        self.case = ""

    def __call__(self, text):
        line = f"{time.monotonic() - self.begin:5.0f} s  {self.case}: {text}"
        if sys.stderr.isatty():
            print(f"\r\033[K{line:.100}", end="", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def clear(self):
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def main():
    how = parse()
    facts = report.machine()
    effort = QUICK if how.quick else FULL
    facts["command"] = "ci/bench " + " ".join(sys.argv[1:])
    facts["rounds"] = f"{effort.rounds} of {effort.seconds} s; arrivals: " \
        f"{effort.arrival_rounds} of {effort.arrivals} s"
    progress = Progress()
    rows, notes = [], []
    for names, measure in CASES:
        if not set(names) & set(how.only):
            continue
        progress.case = ", ".join(names)
        try:
            result = measure(effort, progress)
        except Failed as why:
            rows += [Row(name, "not measured", None, str(why)) for name in names]
            continue
        rows += [row for row in result.rows if row.name in how.only]
        notes += result.notes
        report.write(result, how.into, facts)
    progress.clear()
    print(report.table(rows))
    print(*notes, sep="\n", end="\n" if notes else "")
    print(f"{time.monotonic() - progress.begin:.0f} s; files: {how.into}")


if __name__ == "__main__":
    main()
