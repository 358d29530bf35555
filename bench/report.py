#!/usr/bin/env python3
# What a run of the benchmark leaves: the table, a JSON file and an SVG chart for each case, and
# the table of docs/performance.md.
#   bench/report.py   fills in docs/performance.md from bench/results
# SPDX-License-Identifier: BSL-1.0
import dataclasses
import json
import math
import pathlib
import re
import statistics
import subprocess
import sys

from case import Row

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "performance.md"
# In the table of the page; what lies between them comes from here.
BEGIN, END = "<!-- results: filled in by bench/report.py -->\n", "<!-- end of results -->\n"


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "not there"
    return ((done.stdout or done.stderr).strip().splitlines() or ["?"])[0]


def machine():
    """Where and with what it was measured."""
    processor = re.search(
        r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    )
    memory = pathlib.Path("/proc/meminfo").read_text(encoding="ascii").split()[1]
    boost = re.search(
        r'BOOST_LIB_VERSION "(.*)"',
        pathlib.Path("/usr/include/boost/version.hpp").read_text(encoding="utf-8"),
    )
    return {
        "processor": processor[1] if processor else "?",
        "cores": first_line("nproc"),
        "memory": f"{int(memory) / 2**20:.0f} GiB",
        "kernel": first_line("uname", "-sr"),
        "compiler": first_line("c++", "--version"),
        "Boost": boost[1].replace("_", ".") if boost else "?",
        "Node": first_line("node", "--version"),
        "nginx": first_line("nginx", "-v").removeprefix("nginx version: "),
        "wrk": first_line("wrk", "--version").split(" [")[0],
        "prong": first_line("git", "-C", ROOT, "describe", "--always", "--dirty"),
    }


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def cells(row):
    """A line of the table, as text."""
    value = "-" if row.value is None else number(row.value)
    target = f"{row.target[0]} {row.target[1]:g}" if row.target else ""
    return [row.name, row.what, value, target, row.verdict, row.remark]


HEADINGS = ["", "work", "value", "to reach", "", "absolute"]


def table(rows):
    """For a terminal."""
    lines = [HEADINGS, *map(cells, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    fit = lambda line: "  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip()
    return "\n".join(map(fit, lines))


def write(result, into, facts):
    """The files of one case."""
    into.mkdir(parents=True, exist_ok=True)
    about = {"title": result.title, "machine": facts, "notes": result.notes}
    about["rows"] = [dataclasses.asdict(row) for row in result.rows]
    about["runs"] = result.runs
    text = json.dumps(about, indent=1)
    (into / f"{result.name}.json").write_text(text + "\n", encoding="utf-8")
    draw(result, into / f"{result.name}.svg", facts)


def draw(result, file, facts):
    """Bars of the medians, with a line from the least to the most of all runs."""
    try:
        import matplotlib
    except ImportError:
        return  # the numbers are there all the same
    matplotlib.use("svg")
    matplotlib.rcParams["svg.fonttype"] = "none"
    matplotlib.rcParams["svg.hashsalt"] = "prong"
    import matplotlib.pyplot as plot

    charts = [chart for chart in result.charts if chart.bars]
    if not charts:
        return
    heights = [0.9 + 0.34 * len(chart.bars) for chart in charts]
    figure, axes = plot.subplots(
        len(charts), 1, squeeze=False, figsize=(8, sum(heights) + 0.7), height_ratios=heights
    )
    for chart, axis in zip(charts, axes[:, 0]):
        names, runs = list(chart.bars), list(chart.bars.values())
        medians = [statistics.median(each) for each in runs]
        reach = [
            [middle - min(each) for middle, each in zip(medians, runs)],
            [max(each) - middle for middle, each in zip(medians, runs)],
        ]
        colors = ["#2a78d6" if is_ours(name) else "#9a9a94" for name in names]
        axis.barh(names, medians, xerr=reach, color=colors, ecolor="#444444", height=0.6)
        for at, middle in enumerate(medians):
            axis.annotate(
                f" {number(middle)}", (medians[at] + reach[1][at], at), va="center", fontsize=8
            )
        axis.invert_yaxis()
        axis.margins(x=0.14)
        axis.set_title(chart.title, loc="left", fontsize=10)
        axis.set_xlabel(chart.unit, fontsize=8)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(result.title, x=0.01, ha="left", fontsize=11, weight="bold")
    where = [facts["processor"], f"{facts['cores']} cores", facts["kernel"], facts["prong"]]
    figure.text(0.01, 0.005, ", ".join(where), fontsize=6, color="#777777")
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    figure.savefig(file, metadata={"Date": None})
    plot.close(figure)


def is_ours(name):
    return name.startswith("prong") or "(Wine)" in name or name in ("round_robin", "shared",
                                                                    "least_connections")


def all_written(folder):
    """Every case's rows, by the numbers of the cases."""
    for file in sorted(folder.glob("*.json"), key=case_number):
        yield file.stem, json.loads(file.read_text(encoding="utf-8"))


def case_number(file):
    digits = re.search(r"\d+", file.stem)
    return int(digits[0]) if digits else math.inf


def page_section(folder):
    """What docs/performance.md says of the results: what is missed first."""
    rows, images, facts, seen = [], [], {}, set()
    for name, about in all_written(folder):
        facts = about["machine"]
        for each in about["rows"]:
            target = tuple(each["target"]) if each["target"] else None
            rows.append(Row(**{**each, "target": target}))
        if (folder / f"{name}.svg").exists():
            images.append(f"![{about['title']}](../bench/results/{name}.svg)")
        seen.add(facts["prong"])
    if not rows:
        return "Nothing has been measured yet.\n"
    lost = [row for row in rows if row.verdict in ("missed", "behind", "not measured")]
    lines = ["### Where prong loses, or misses what it is to reach\n", *markdown(lost)]
    lines += ["\n### All cases\n", *markdown(rows), "\n### The machine\n", "| | |", "|---|---|"]
    facts = {**facts, "prong": ", ".join(sorted(seen))}
    lines += [f"| {what} | {value} |" for what, value in facts.items()]
    return "\n".join([*lines, "\n### Charts\n", "\n\n".join(images)]) + "\n"


def markdown(rows):
    if not rows:
        return ["None."]
    return [
        "| | work | value | to reach | | absolute |",
        "|---|---|---|---|---|---|",
        *("| " + " | ".join(cells(row)) + " |" for row in rows),
    ]


def fill_in(page=PAGE, folder=RESULTS):
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(before + BEGIN + page_section(folder) + END + after, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit("usage: bench/report.py")
    fill_in()
