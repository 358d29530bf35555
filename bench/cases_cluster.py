# P9 to P11: messages, the start of workers and their memory; and what there is on Windows.
# SPDX-License-Identifier: BSL-1.0
from case import Chart, Result, Row, Runs, median, ratio_row, values
from cases_evenness import spread_row, with_spread
from measure import client_on_windows, interleaved, json_of, pss_kib, wrk
from servers import PEERS, PROGRAMS, WINDOWS_PROGRAMS, Failed, node, prong, prong_on_windows

SIZES = {"64 B": 64, "64 KiB": 65536}
IN_FLIGHT = {"one at a time": 1, "256 in flight": 256}


def in_turns(commands, rounds, progress):
    """As `interleaved`, of programs that measure by themselves."""
    runs = Runs(commands)
    for number in range(rounds):
        for name in list(runs):
            progress(f"{name}, round {number + 1} of {rounds}")
            if result := runs.attempt(name, lambda: json_of(commands[name])):
                runs[name].append(result)
    return runs


def messages(effort, progress):
    """P9: a message to a worker and back."""
    rows, all_runs, charts = [], {}, []
    seconds = effort.seconds / 2
    for size_name, size in SIZES.items():
        for flight_name, in_flight in IN_FLIGHT.items():
            label = f"{size_name}, {flight_name}"
            ours = [PROGRAMS / "bench_cluster", "messages", "--size", size]
            commands = {
                "prong": [*ours, "--in-flight", in_flight, "--seconds", seconds],
                "Node": ["node", PEERS / "messages.js", size, in_flight, seconds],
            }
            telling = lambda text, of=label: progress(f"{of}, {text}")
            runs = all_runs[label] = in_turns(commands, max(2, effort.rounds // 2), telling)
            target = (">=", 1.5 if in_flight == 1 else 3)
            what = f"messages, {label}: prong / Node"
            unit = "round trips/s"
            rows.append(ratio_row("P9", what, runs, "prong", "Node", "per_second", target, unit))
            charts.append(Chart(label, "round trips / s", values(runs, "per_second")))
    return Result("P9", "A message to a worker and back", rows, all_runs, charts)


def starting(effort, progress):
    """P10: until a worker listens."""
    commands = {
        "prong": [PROGRAMS / "bench_cluster", "start", "--workers", 8],
        "Node": ["node", PEERS / "start.js", 8],
    }
    found = in_turns(commands, max(2, effort.rounds // 2), progress)
    rows, runs, charts = [], {}, []
    for key, what in (("fork_ms", "fork"), ("replace_ms", "kill -9")):
        # Eight values a run, of which each counts by itself.
        of = Runs(found)
        of.missing = found.missing
        for name, each in found.items():
            of[name] = [{key: ms} for run in each for ms in run[key]]
        what = f"from {what} to listening: prong / Node"
        row = ratio_row("P10", what, of, "prong", "Node", key, ("<=", 0.2))
        if row.value is not None:
            row.remark = f"{median(of, 'prong', key):.1f} / {median(of, 'Node', key):.1f} ms"
        rows.append(row)
        runs[key] = of
        charts.append(Chart(f"From {what.split()[1]} to listening", "ms", values(of, key)))
    return Result("P10", "Until a worker listens", rows, runs, charts)


def memory(effort, progress):
    """P11: what one more worker takes, of which all share much."""
    few, many = 4, 8

    def used(start):
        # One server at a time: two of one program would share its pages.
        with start() as server:
            wrk(server, 1)  # so that all that is used in service is there
            return sum(map(pss_kib, server.processes()))

    def used_by_one_more(of):
        at = {size: used(of("round_robin", size)) for size in (few, many)}
        return {"kib": (at[many] - at[few]) / (many - few), "of all, by workers": at}

    subjects = {"prong": prong, "Node": node}
    runs = Runs(subjects)
    for number in range(max(2, effort.rounds // 4)):
        for name in list(runs):
            progress(f"{name}, round {number + 1}")
            if result := runs.attempt(name, lambda: used_by_one_more(subjects[name])):
                runs[name].append(result)
    what = "memory (PSS) of one more worker: prong / Node"
    row = ratio_row("P11", what, runs, "prong", "Node", "kib", ("<=", 0.15), "KiB")
    chart = Chart("Memory of one more worker (PSS)", "KiB", values(runs, "kib"))
    return Result("P11", "Memory of one more worker", [row], runs, [chart])


def windows(effort, progress):
    """Conn/s and evenness of prong on Windows, which here is Wine. There are no targets."""
    if not (WINDOWS_PROGRAMS / "bench_server.exe").exists():
        raise Failed("there is no Wine here, or no MinGW-w64")
    names = ("round_robin", "shared")
    subjects = {f"{name} (Wine)": prong_on_windows(name, 4) for name in names}
    measure = lambda server: with_spread(client_on_windows(server, effort.seconds))
    runs = interleaved(subjects, measure, max(1, effort.rounds // 3), progress)
    rows = []
    for name in subjects:
        rows.append(spread_row("Wine", name, runs, None))
        if name in runs:
            rate = median(runs, name, "per_second")
            rows.append(Row("Wine", f"connections a second: {name}", rate, "bench_client in Wine"))
    chart = Chart("Connections a second in Wine", "connections / s", values(runs, "per_second"))
    return Result("Wine", "prong on Windows (Wine), 4 workers", rows, {"load": runs}, [chart])
