# What is measured of a server, and in which order. What is compared is measured in turns, A B B A
# and so on, because machines are noisy.
# SPDX-License-Identifier: BSL-1.0
import contextlib
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from case import Runs
from servers import (
    FOR_CLIENT, PROGRAMS, WINDOWS_PROGRAMS, WINE, Failed, counting_allocations, started,
)


def cpu_ns(pid):
    """Nanoseconds that all threads of a process have been on a CPU."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((each / "schedstat").read_text().split()[0]) for each in tasks)


def pss_kib(pid):
    """Its part of the memory that it shares, and all that it has alone."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)[1])


def output_of(command, on=None):
    process = started(command, on, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    output, errors = process.communicate(timeout=300)
    if process.returncode != 0:
        raise Failed(f"{process.args}: {errors.strip() or process.returncode}")
    return output


def json_of(command, on=None):
    return json.loads(output_of(command, on))


def wrk_command(port, seconds, close=True):
    command = ["wrk", "-t", 1, "-c", 64, "-d", f"{seconds}s"]
    return [*command, *(["-H", "Connection: close"] if close else []), f"http://127.0.0.1:{port}/"]


def wrk(server, seconds, close=True):
    """Requests a second, and what the primary and its workers spent on one. A new connection for
    each request, unless `close` is False."""
    before = cpu_ns(server.primary), sum(map(cpu_ns, server.workers))
    text = output_of(wrk_command(server.port, seconds, close), FOR_CLIENT)
    after = cpu_ns(server.primary), sum(map(cpu_ns, server.workers))
    count = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s*([\d.]+)", text)
    if not count or not rate or int(count[1]) == 0:
        raise Failed(f"wrk had no answer: {text}")
    requests = int(count[1])
    primary_ns, workers_ns = ((after[part] - before[part]) / requests for part in (0, 1))
    return {
        "requests": requests,
        "per_second": float(rate[1]),
        "primary_ns": primary_ns,
        "workers_ns": workers_ns,
        "server_ns": primary_ns + workers_ns,
    }


def client(server, seconds, *more, program=(PROGRAMS / "bench_client",)):
    """What bench_client sees."""
    command = [*program, "--port", server.port, "--seconds", seconds]
    result = json_of([*command, "--workers", len(server.workers), *more], FOR_CLIENT)
    if result["failed"] > result["connections"] / 100:
        raise Failed(f"{result['failed']} connections failed, {result['connections']} did not")
    return result


def client_on_windows(server, seconds):
    return client(server, seconds, program=(WINE, WINDOWS_PROGRAMS / "bench_client.exe"))


def system_calls(server, processes, seconds):
    """How often each system call is made for a connection, by these processes together. strace
    slows them, so that they may find more at each wake-up than they would."""
    with tempfile.NamedTemporaryFile("r") as counts:
        pids = [argument for pid in processes for argument in ("-p", str(pid))]
        command = ["strace", "-c", "-f", "-o", counts.name, *pids]
        tracer = started(command, stderr=subprocess.DEVNULL)
        time.sleep(0.5)  # until it is attached, which it says nowhere
        if tracer.poll() is not None:
            raise Failed("strace may not look at processes here")
        connections = client(server, seconds)["connections"]
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
        text = counts.read()
    result = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 5 and words[3].isdigit() and words[-1] != "total":
            result[words[-1]] = round(int(words[3]) / connections, 3)
    return dict(sorted(result.items(), key=lambda item: -item[1]))


def allocations(of, seconds, *more):
    """How often all processes of a server together allocate memory for a connection, once they
    have what they keep. `of` starts it with the beginning of a command that it is given; `more` is
    for the client."""
    with tempfile.TemporaryDirectory() as folder:
        with of(counting_allocations(folder))() as server:
            # Who was forked and ran no other program counts where the process did that forked it.
            files = [pathlib.Path(folder) / str(each) for each in server.processes()]
            files = [each for each in files if each.exists()]
            now = lambda: sum(int.from_bytes(each.read_bytes(), sys.byteorder) for each in files)
            client(server, seconds, *more)
            before = now()
            connections = client(server, seconds, *more)["connections"]
            return (now() - before) / connections


def interleaved(subjects, measure, rounds, progress, warm_up=True):
    """Measures each subject once a round, every other round backwards. All servers run from the
    first to the last round; who is idle takes no time. Before the first round each is measured
    once for nothing: Node compiles what it finds to be used much. Who fails is left
    out."""
    with contextlib.ExitStack() as running:
        servers, runs = {}, Runs(subjects)
        for name, start in subjects.items():
            servers[name] = runs.attempt(name, lambda: running.enter_context(start()))
        for number in range(-1 if warm_up else 0, rounds):
            for name in list(runs) if number % 2 == 0 else list(reversed(runs)):
                when = f"round {number + 1} of {rounds}" if number >= 0 else "to warm up"
                progress(f"{name}, {when}")
                result = runs.attempt(name, lambda: measure(servers[name]))
                if result and number >= 0:
                    runs[name].append(result)
        return runs
