#!/usr/bin/env python3
# Tests what systemd hears of hello_http: the test is systemd, as far as its socket goes.
#   systemd_test.py --list            prints the names of the tests
#   systemd_test.py PROGRAM [NAME]    runs all tests, or one
# SPDX-License-Identifier: BSL-1.0
import os
import pathlib
import queue
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from runner import main, test, test_by_proc
from server import PATIENCE, Server, stopped_by


class Supervisor:
    """A notify socket, and the datagrams that have come."""

    def __init__(self, abstract=False):
        self.folder = tempfile.TemporaryDirectory()
        self.name = f"{'@prong' if abstract else ''}{self.folder.name}/notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + self.name[1:] if abstract else self.name)
        self.unread = queue.Queue()
        self.heard = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):  # at once: there is room for few datagrams
        while datagram := self.socket.recv(4096):
            self.unread.put(datagram.decode())

    def next(self, pattern):
        """The next datagram that fits; those before it are only heard."""
        while True:
            self.heard.append(self.unread.get(timeout=PATIENCE))
            if match := re.fullmatch(pattern, self.heard[-1]):
                return match

    def environment(self, **variables):
        return {**os.environ, "NOTIFY_SOCKET": self.name, **variables}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.folder.cleanup()


@test
def it_is_ready_when_every_worker_listens(program):
    with Supervisor() as systemd, Server(program, workers=3, env=systemd.environment()) as server:
        systemd.next("READY=1")
        early = [each for each in systemd.heard if each.startswith("STATUS=")]
        assert early and all(each.startswith("STATUS=Starting: ") for each in early), early
        address = ":".join(map(str, server.address))
        systemd.next(f"STATUS=3 workers online, listening on {address}")
        assert server.wait_for_started(3)
        assert stopped_by(server) == (0, "")


@test
def it_is_never_ready_where_no_worker_can_listen(program):
    with Supervisor() as systemd, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run([program, f"--port={port}", "--workers=2"], capture_output=True,
                              env=systemd.environment(), timeout=PATIENCE)
        systemd.next("STOPPING=1")
        assert done.returncode == 1 and "READY=1" not in systemd.heard, systemd.heard


@test
def a_reload_says_when_it_began_and_when_it_is_over(program):
    with Supervisor() as systemd, Server(program, env=systemd.environment()) as server:
        systemd.next("READY=1")
        for _ in range(2):
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            server.send(signal.SIGHUP)
            began = int(systemd.next(r"RELOADING=1\nMONOTONIC_USEC=(\d+)")[1])
            assert before <= began <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            heard = len(systemd.heard)
            systemd.next("READY=1")
            assert any(each.startswith("STATUS=Reloading: ") for each in systemd.heard[heard:])
            server.line("Reloaded")
        assert len(server.started()) == 6, server.lines


@test
def a_stop_says_so_and_how_long_it_may_take(program):
    with Supervisor() as systemd, Server(program, env=systemd.environment()) as server:
        systemd.next("READY=1")
        server.send(signal.SIGTERM)
        systemd.next("STOPPING=1")
        systemd.next("EXTEND_TIMEOUT_USEC=35000000")  # 30 s for the drain, and 5
        systemd.next("STATUS=Stopping: .*")
        assert server.end() == (0, "")


@test
def a_supervisor_that_does_not_listen_stops_nothing(program):
    with Supervisor() as deaf, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        os.unlink(deaf.name)
        full = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        full.bind(deaf.name)
        client.setblocking(False)
        try:
            while True:
                client.sendto(b"X=1", deaf.name)
        except BlockingIOError:
            pass
        began = time.monotonic()
        with full, Server(program, workers=8, env=deaf.environment()) as server:
            assert server.get().status == 200
            status, errors = stopped_by(server)
            assert status == 0 and errors.count("\n") == 1, errors
        assert time.monotonic() - began < 8  # it has waited once, and not with each of the workers


@test
def the_watchdog_hears_that_the_primary_lives(program):
    with Supervisor() as systemd:
        with Server(program, env=systemd.environment(WATCHDOG_USEC="100000")) as server:
            for _ in range(5):
                systemd.next("WATCHDOG=1")
            assert stopped_by(server) == (0, "")


@test
def a_watchdog_of_another_process_hears_nothing(program):
    with Supervisor() as systemd:
        foreign = systemd.environment(WATCHDOG_USEC="1000", WATCHDOG_PID="1")
        with Server(program, env=foreign) as server:
            ended = stopped_by(server)
            assert ended == (0, ""), (ended, server.lines)
            systemd.next("STATUS=Stopping: 0 workers online")
            assert "WATCHDOG=1" not in systemd.heard


@test_by_proc
def workers_do_not_know_of_the_supervisor(program):
    with Supervisor() as systemd:
        own = systemd.environment(WATCHDOG_USEC="60000000", WATCHDOG_PID="1", PRONG_KEPT="1")
        with Server(program, env=own) as server:
            for worker in server.wait_for_started(2):
                known = pathlib.Path(f"/proc/{worker}/environ").read_bytes()
                assert b"PRONG_KEPT=1" in known
                assert b"NOTIFY_SOCKET" not in known and b"WATCHDOG_" not in known


@test_by_proc  # which is where abstract sockets are, too
def an_abstract_socket_is_found(program):
    with Supervisor(abstract=True) as systemd:
        with Server(program, env=systemd.environment()) as server:
            systemd.next("READY=1")
            assert stopped_by(server) == (0, "")


@test
def a_socket_that_is_of_no_use_is_one_line_and_does_no_harm(program):
    for name in ("/nowhere/notify", "notify", "@", "vsock:2:1234", "/" + "x" * 200):
        with Server(program, env={**os.environ, "NOTIFY_SOCKET": name}) as server:
            assert server.get().status == 200
            status, errors = stopped_by(server)
            assert status == 0, (name, status)
            assert errors.count("\n") == 1 and f"NOTIFY_SOCKET={name} " in errors, (name, errors)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
