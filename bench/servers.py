# The servers that are measured: ours, and the peers, which are what their packages install. Each is
# a context manager that gives a running server.
# SPDX-License-Identifier: BSL-1.0
import contextlib
import json
import os
import pathlib
import socket
import string
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Another folder for those who measure a build of their own.
PROGRAMS = pathlib.Path(os.environ.get("PRONG_BENCH_PROGRAMS", ROOT / "build" / "bench" / "bench"))
WINDOWS_PROGRAMS = ROOT / "build" / "bench-wine" / "bench"
PEERS = ROOT / "bench" / "peers"
WINE = "/usr/lib/wine/wine64"
PATIENCE = 30  # seconds, for what takes one


class Failed(Exception):
    """Something of the bench cannot be done; the rest goes on."""


class Server:
    """A process that listens on a port of 127.0.0.1, and the processes that serve."""

    def __init__(self, process, port, primary, workers):
        self.process, self.port = process, port
        self.primary, self.workers = primary, workers

    def processes(self):
        return {self.primary, *self.workers}


def processors():
    """Those of the client and those of the servers: the first one, and the others. Who shares a
    processor with the client is else a matter of chance, and decides what is measured."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    every = sorted(os.sched_getaffinity(0))
    if len(every) < 2 or os.environ.get("PRONG_BENCH_SHARED_PROCESSORS"):
        return every, every
    return every[:1], every[1:]


FOR_CLIENT, FOR_SERVERS = processors()


def started(command, on=None, **how):
    """`on`: the processors that it may use, if not all."""
    pin = (lambda: os.sched_setaffinity(0, on)) if on else None
    try:
        return subprocess.Popen([str(each) for each in command], preexec_fn=pin, **how)
    except FileNotFoundError:
        raise Failed(f"there is no {command[0]} here") from None


@contextlib.contextmanager
def announced(command):
    """A server that says in a line of JSON where it listens and who serves, and ends with its
    input."""
    process = started(
        command, FOR_SERVERS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        if not line:
            raise Failed("it did not start: " + " ".join(map(str, command)))
        told = json.loads(line)
        yield Server(process, told["port"], told["primary"], told["workers"])
    finally:
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def ours(source, workers, *more, through=()):
    """`through`: the beginning of the command, which starts the rest."""
    program = PROGRAMS / "bench_server"
    command = [*through, program, "--source", source, "--workers", workers, *more]
    return lambda: announced(command)


def prong(scheduling, workers, *more, through=()):
    if not has_scheduling(scheduling):
        return missing(f"this prong has no {scheduling}")
    return ours("prong", workers, "--scheduling", scheduling, *more, through=through)


def counting_allocations(folder):
    """How a program is started that counts what it and all that it starts allocate, in files."""
    library = PROGRAMS / "libbench_allocations.so"
    if not library.exists():
        raise Failed(f"there is no {library}")
    return ["env", f"LD_PRELOAD={library}", f"PRONG_BENCH_COUNTS={folder}"]


@contextlib.contextmanager
def fails(why):
    raise Failed(why)
    yield


def missing(why):
    return lambda: fails(why)


def prong_on_windows(scheduling, workers):
    command = [WINE, WINDOWS_PROGRAMS / "bench_server.exe", "--source", "prong"]
    return lambda: announced([*command, "--workers", workers, "--scheduling", scheduling])


def has_scheduling(name):
    """Whether the library has it, which bench_server knows."""
    command = [PROGRAMS / "bench_server", "--scheduling", name, "--workers", "1"]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        timeout=PATIENCE, check=False,
    )
    return done.returncode == 0


def node(policy, workers):
    return lambda: announced(["node", PEERS / "http.js", policy, workers])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children(pid):
    tasks = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(each) for each in tasks.split()]


def until(what, condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"in vain waited for {what}")
        time.sleep(0.02)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def running_nginx(reuseport, workers):
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        template = string.Template((PEERS / "nginx.conf").read_text(encoding="utf-8"))
        words = {"workers": workers, "port": port, "folder": folder, "reuseport": reuseport}
        configuration = pathlib.Path(folder) / "nginx.conf"
        configuration.write_text(template.safe_substitute(words), encoding="utf-8")
        process = started(["nginx", "-e", "stderr", "-c", configuration], FOR_SERVERS)
        try:
            until("nginx", lambda: process.poll() is not None or listens(port))
            if process.poll() is not None:
                raise Failed("nginx did not start")
            until("nginx's workers", lambda: len(children(process.pid)) == workers)
            yield Server(process, port, process.pid, children(process.pid))
        finally:
            process.terminate()
            process.wait(PATIENCE)


def nginx(how, workers):
    """`how` is shared or reuseport."""
    return lambda: running_nginx("reuseport" if how == "reuseport" else "", workers)
