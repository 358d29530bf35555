#!/usr/bin/env python3
# Tests that the programs of the benchmark, in the folder PRONG_BENCH_PROGRAMS, do what its scripts
# expect of them:
#   smoke_test.py SUFFIX TEST
# SPDX-License-Identifier: BSL-1.0
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from measure import allocations
from servers import PATIENCE, PROGRAMS, announced, prong as prong_server

SUFFIX = sys.argv[1]
EMULATOR = [os.environ["PRONG_EMULATOR"]] if os.environ.get("PRONG_EMULATOR") else []
WORKERS = 2


def program(name, *arguments):
    return [*EMULATOR, PROGRAMS / (name + SUFFIX), *arguments]


def output_of(command):
    command = [str(each) for each in command]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=PATIENCE, check=True)
    return json.loads(done.stdout)


def is_measured(*arguments):
    """A server with these options answers every kind of request, and ends with its input."""
    with announced(program("bench_server", *arguments)) as server:
        client = program("bench_client", "--port", server.port, "--seconds", 0.2, "--clients", 4)
        closing = ("--path", "/work?us=10", "--slow-share", 0.5, "--slow-path", "/block?ms=1")
        staying = ("--hold-ms", 5)
        for more in (closing, staying):
            seen = output_of([*client, "--workers", len(server.workers), *more])
            assert seen["connections"] > 0 and seen["failed"] == 0, seen
            assert len(seen["shares"]) == len(server.workers), seen
            assert sum(seen["shares"]) == seen["connections"], seen
    assert server.process.returncode == 0
    if not EMULATOR:
        assert not any(is_running(each) for each in server.workers)


def is_running(pid):
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def prong():
    for scheduling in ("round_robin", "shared"):
        is_measured("--workers", WORKERS, "--scheduling", scheduling, "--window", 4, "--count")


def single():
    is_measured("--source", "single")


def baselines():
    for source in ("direct", "hand_off", "shared_queue"):
        is_measured("--workers", WORKERS, "--source", source)


def cluster():
    messages = program("bench_cluster", "messages", "--size", 1000, "--in-flight", 256)
    assert output_of([*messages, "--seconds", 0.2])["round_trips"] > 0
    started = output_of(program("bench_cluster", "start", "--workers", WORKERS))
    assert len(started["fork_ms"]) == len(started["replace_ms"]) == WORKERS


def whole_case():
    """As ci/bench does it: the table, and the files."""
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(__file__).with_name("run.py")
        command = [sys.executable, script, "--quick", "--only", "P8", "--into", folder]
        done = subprocess.run(
            list(map(str, command)), stdout=subprocess.PIPE, text=True, timeout=PATIENCE,
            check=True,
        )
        rows = [line for line in done.stdout.splitlines() if line.startswith("P8 ")]
        assert len(rows) == 3 and any("round_robin" in row for row in rows), done.stdout
        written = json.loads((pathlib.Path(folder) / "P8.json").read_text(encoding="utf-8"))
        assert len(written["rows"]) == 3 and written["machine"]["cores"]


def no_allocations():
    """One connection after the other, so that Asio keeps the memory of the worker's own operations:
    what is allocated is prong's."""
    for scheduling in ("round_robin", "shared", "sharded"):
        of = lambda start: prong_server(scheduling, WORKERS, through=start)
        seen = allocations(of, 0.3, "--clients", 1)
        assert seen < 0.1, f"{scheduling}: {seen:.2f}"


if __name__ == "__main__":
    globals()[sys.argv[2]]()
