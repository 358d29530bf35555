# P6 to P8: whom connections go to.
# SPDX-License-Identifier: BSL-1.0
from case import Chart, Result, Row, median, ratio_row, values
from measure import client, interleaved
from servers import node, ours, prong

# Arrivals of the case with blocked workers.
BLOCKED_WORKERS = 8
ARRIVALS = ("--rate", 2000, "--path", "/work?us=50", "--slow-path", "/block?ms=20")
SHARES = {"1 %": 0.01, "12 %": 0.12}


def blocked_workers(effort, progress):
    """P6: some requests block their worker for 20 ms; what becomes of the others."""
    subjects = {
        "prong round robin": prong("round_robin", BLOCKED_WORKERS),
        "prong shared": prong("shared", BLOCKED_WORKERS),
        "one shared queue": ours("shared_queue", BLOCKED_WORKERS),
        "direct accept": ours("direct", BLOCKED_WORKERS),
        "Node round robin": node("round_robin", BLOCKED_WORKERS),
    }
    rows, runs, charts = [], {}, []
    for label, share in SHARES.items():
        measure = lambda server, part=share: client(
            server, effort.arrivals, *ARRIVALS, "--slow-share", part
        )
        telling = lambda text, of=label: progress(f"{of}, {text}")
        of = runs[label] = interleaved(
            subjects, measure, effort.arrival_rounds, telling, warm_up=False
        )
        charts.append(
            Chart(f"99th percentile of the others, {label} block", "ms", values(of, "p99_ms"))
        )
    one, queue = "prong round robin", "one shared queue"
    if few := runs["1 %"].get(one):
        late = [each["over_5_ms"] * 100 for each in few]
        remark = f"{queue}: {median(runs['1 %'], queue, 'over_5_ms') * 100:.2f}"
        value = round(sorted(late)[len(late) // 2], 1)
        what = "1 % block: % of the others > 5 ms, prong round robin"
        rows.append(Row("P6", what, value, remark, ("<=", 0.0)))
    many = runs["12 %"]
    for name, target in ((one, ("<=", 1.25)), ("prong shared", None)):
        what = f"12 % block: p99 of the others, {name} / {queue}"
        row = ratio_row("P6", what, many, name, queue, "p99_ms", target)
        if row.value is not None:
            late = [median(many, each, "p99_ms") for each in (name, queue)]
            row.remark = f"{late[0]:.1f} / {late[1]:.1f} ms"
        rows.append(row)
    title = f"Requests that block their worker for 20 ms, {BLOCKED_WORKERS} workers"
    return Result("P6", title, rows, runs, charts)


def shares(effort, progress):
    """P7: how even connections are divided under load."""
    subjects = {
        "prong round robin": prong("round_robin", 4),
        "prong shared": prong("shared", 4),
        "direct accept": ours("direct", 4),
        "Node round robin": node("round_robin", 4),
        "Node none": node("none", 4),
    }
    runs = interleaved(
        subjects, lambda server: with_spread(client(server, effort.seconds)),
        max(2, effort.rounds // 2), progress,
    )
    targets = {"prong round robin": ("<=", 1.02), "prong shared": ("<=", 1.3)}
    rows = [spread_row("P7", name, runs, targets.get(name)) for name in subjects]
    chart = Chart("Connections: busiest / idlest worker", "ratio", values(runs, "spread"))
    return Result("P7", "Evenness under load, 4 workers", rows, {"load": runs}, [chart])


def with_spread(seen):
    seen["spread"] = seen["shares"][0] / max(1, seen["shares"][-1])
    return seen


def spread_row(case, name, runs, target):
    what = f"connections, busiest / idlest worker: {name}"
    if name in runs.missing:
        return Row(case, what, None, runs.missing[name], target)
    last = runs[name][-1]["shares"]
    value = median(runs, name, "spread")
    return Row(case, what, value, f"last run: {last[0]} / {last[-1]}", target)


def long_connections(effort, progress):
    """P8: connections that stay open for unequal times."""
    targets = {"least_connections": ("<=", 1.1), "round_robin": None, "shared": None}
    subjects = {name: prong(name, 4, "--count") for name in targets}
    how = ("--clients", 400, "--hold-ms", 200)
    measure = lambda server: client(server, effort.arrivals / 2, *how)
    runs = interleaved(subjects, measure, effort.arrival_rounds, progress, warm_up=False)
    rows = []
    for name, target in targets.items():
        what = f"open connections, highest / lowest: {name}"
        if name in runs.missing:
            rows.append(Row("P8", what, None, runs.missing[name], target))
            continue
        most, least = median(runs, name, "open_busiest"), median(runs, name, "open_idlest")
        value = median(runs, name, "open_spread")
        rows.append(Row("P8", what, value, f"{most:.0f} / {least:.0f} open", target))
    chart = Chart("Open connections: highest / lowest", "ratio", values(runs, "open_spread"))
    title = "400 connections that stay open for 200 ms on average, 4 workers"
    return Result("P8", title, rows, {"load": runs}, [chart])
