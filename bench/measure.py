# Starts servers and load, and reads what they cost. What is compared is always measured in turns,
# A B A B and so on, because machines are noisy: see `interleaved`.
# SPDX-License-Identifier: BSL-1.0
import contextlib
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench" / "bench"
PATIENCE = 30  # seconds, for what takes none


class Failed(Exception):
    """Something of the bench could not be done; the rest goes on."""


class Server:
    """A server that says in a line of JSON where it listens and who serves."""

    def __init__(self, name, command):
        self.name, self.command = name, [str(each) for each in command]
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        try:
            told = json.loads(line)
        except ValueError:
            self.stop()
            raise Failed(f"{name} did not start: {' '.join(self.command)}") from None
        self.port, self.primary, self.workers = told["port"], told["primary"], told["workers"]

    def stop(self):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def bench_server(source, workers, *more):
    return [BUILD / "bench_server", "--source", source, "--workers", workers, *more]


@contextlib.contextmanager
def running(name, command):
    server = Server(name, command)
    try:
        yield server
    finally:
        server.stop()


def cpu_ns(pid):
    """Nanoseconds that all threads of a process have been on a CPU."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total


def run(command):
    command = [str(each) for each in command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def wrk(port, seconds, close=True, connections=64, path="/"):
    """Requests a second, and how many there were."""
    command = ["wrk", "-t", 1, "-c", connections, "-d", f"{seconds}s"]
    command += ["-H", "Connection: close"] if close else []
    text = run([*command, f"http://127.0.0.1:{port}{path}"])
    found = re.search(r"(\d+) requests in", text), re.search(r"Requests/sec:\s*([\d.]+)", text)
    if not all(found) or int(found[0][1]) == 0:
        raise Failed(f"wrk had no answer: {text}")
    return {"requests": int(found[0][1]), "per_second": float(found[1][1])}


def wrk_with_cpu(server, seconds, **load):
    """The same, with what the primary and its workers spent on a request."""
    before, workers_before = cpu_ns(server.primary), sum(map(cpu_ns, server.workers))
    result = wrk(server.port, seconds, **load)
    result["primary_ns"] = (cpu_ns(server.primary) - before) / result["requests"]
    workers_ns = sum(map(cpu_ns, server.workers)) - workers_before
    result["workers_ns"] = workers_ns / result["requests"]
    return result


def interleaved(subjects, measure, rounds, progress=lambda text: print(text, file=sys.stderr)):
    """Measures each subject once a round. `subjects` are names with commands; each gets a fresh
    server a round, and every second round goes backwards. Returns all runs by name."""
    runs = {name: [] for name in subjects}
    for number in range(rounds):
        order = list(subjects) if number % 2 == 0 else list(reversed(subjects))
        for name in order:
            progress(f"round {number + 1} of {rounds}: {name}")
            with running(name, subjects[name]) as server:
                runs[name].append(measure(server))
    return runs


def median(runs, key):
    return statistics.median(each[key] for each in runs)


def ratio(runs, one, other, key):
    """The median of the rounds' ratios: what changes from round to round changes both."""
    return statistics.median(a[key] / b[key] for a, b in zip(runs[one], runs[other]))
