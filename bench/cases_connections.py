# P1 to P5: how many connections and requests a second, and what the primary spends on one.
# SPDX-License-Identifier: BSL-1.0
from case import Chart, Result, ratio_row, values
from measure import allocations, interleaved, system_calls, wrk
from servers import Failed, nginx, node, ours, prong

WORKERS = 4
SIZES = (2, 16, 64, 256)


def new_connections(effort, progress):
    """P1, P2 and P3: a new connection for each request."""
    subjects = {
        "prong round robin": prong("round_robin", WORKERS),
        "prong sharded": prong("sharded", WORKERS),
        "direct accept": ours("direct", WORKERS),
        "bare hand-off": ours("hand_off", WORKERS),
        "prong shared": prong("shared", WORKERS),
        "Node round robin": node("round_robin", WORKERS),
        "Node none": node("none", WORKERS),
        "nginx shared": nginx("shared", WORKERS),
        "nginx reuseport": nginx("reuseport", WORKERS),
    }
    measure = lambda server: wrk(server, effort.seconds)
    runs = interleaved(subjects, measure, effort.rounds, progress)

    def row(name, one, other, target=None):
        what = f"conn/s: {one} / {other}"
        result = ratio_row(name, what, runs, one, other, "per_second", target, "conn/s")
        result.race = True
        return result

    rows = [
        row("P1", "prong round robin", "direct accept", (">=", 0.95)),
        row("P1", "prong sharded", "direct accept", (">=", 1.0)),
        row("P1", "prong shared", "direct accept"),
        row("P2", "prong round robin", "Node round robin", (">=", 2.5)),
        row("P2", "prong round robin", "nginx shared", (">=", 1.0)),
        row("P2", "prong round robin", "Node none"),
        row("P2", "prong round robin", "nginx reuseport"),
        ratio_row(
            "P3", "CPU of the primary: prong round robin / bare hand-off", runs,
            "prong round robin", "bare hand-off", "primary_ns", ("<=", 1.5), "ns a connection",
        ),
        ratio_row(
            "P3", "CPU of primary and workers: prong round robin / direct accept", runs,
            "prong round robin", "direct accept", "server_ns", None, "ns a connection",
        ),
    ]
    calls, notes = count_calls(subjects, min(effort.seconds, 1), progress)
    allocated, more_notes = count_allocations(min(effort.seconds, 1), progress)
    spent = {name: of for name, of in runs.items() if "round robin" in name or "hand-off" in name}
    return Result(
        "P1-P2-P3",
        f"A new connection for each request, {WORKERS} workers",
        rows,
        {
            "load": runs,
            "system calls for a connection": calls,
            "allocations for a connection": allocated,
        },
        [
            Chart("Connections a second", "connections / s", values(runs, "per_second")),
            Chart("CPU time of the primary", "ns / connection", values(spent, "primary_ns")),
        ],
        notes + more_notes,
    )


def count_calls(subjects, seconds, progress):
    """System calls for a connection, in the primary and in the workers."""
    calls, notes = {}, []
    for name in ("prong round robin", "prong shared", "bare hand-off", "direct accept"):
        progress(f"system calls of {name}")
        try:
            calls[name] = {}
            for part in ("primary", "workers"):
                with subjects[name]() as server:
                    of = [server.primary] if part == "primary" else server.workers
                    calls[name][part] = system_calls(server, of, seconds)
        except Failed as why:
            notes.append(f"system calls of {name}: {why}")
    return calls, notes


def count_allocations(seconds, progress):
    """Allocations for a connection, of all processes; those of direct accept are its worker's
    own, which all have."""
    subjects = {
        "direct accept": lambda start: ours("direct", WORKERS, through=start),
        "prong round robin": lambda start: prong("round_robin", WORKERS, through=start),
        "prong sharded": lambda start: prong("sharded", WORKERS, through=start),
        "prong shared": lambda start: prong("shared", WORKERS, through=start),
    }
    counts, notes = {}, []
    for name, of in subjects.items():
        progress(f"allocations of {name}")
        try:
            counts[name] = round(allocations(of, seconds), 3)
        except Failed as why:
            notes.append(f"allocations of {name}: {why}")
    return counts, notes


def growing(effort, progress):
    """P4: what a connection costs the primary when there are many workers."""
    subjects = {}
    for size in SIZES:
        subjects[f"prong, {size} workers"] = prong("round_robin", size)
        subjects[f"bare hand-off, {size} workers"] = ours("hand_off", size)
    rounds = max(2, effort.rounds // 2)
    runs = interleaved(subjects, lambda server: wrk(server, effort.seconds), rounds, progress)
    most, least = f"{SIZES[-1]} workers", f"{SIZES[0]} workers"
    rows = []
    for name, target in (("prong", ("<=", 1.3)), ("bare hand-off", None)):
        one, other = f"{name}, {most}", f"{name}, {least}"
        what = f"CPU of the primary: {name}, {SIZES[-1]} / {least}"
        unit = "ns a connection"
        rows.append(ratio_row("P4", what, runs, one, other, "primary_ns", target, unit))
    chart = Chart("CPU time of the primary", "ns / connection", values(runs, "primary_ns"))
    return Result("P4", "Cost as the cluster grows", rows, {"load": runs}, [chart])


def keep_alive(effort, progress):
    """P5: requests on connections that stay."""
    subjects = {"prong, one worker": prong("round_robin", 1), "no cluster": ours("single", 1)}
    measure = lambda server: wrk(server, effort.seconds, close=False)
    runs = interleaved(subjects, measure, effort.rounds, progress)
    what = "requests/s on open connections: prong, one worker / no cluster"
    row = ratio_row(
        "P5", what, runs, "prong, one worker", "no cluster", "per_second", (">=", 0.98), "req/s"
    )
    chart = Chart("Requests a second", "requests / s", values(runs, "per_second"))
    return Result("P5", "Requests on open connections", [row], {"load": runs}, [chart])
