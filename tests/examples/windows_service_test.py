#!/usr/bin/env python3
# Tests windows_service as a service: the service control manager starts it, asks it, and stops it.
# PRONG_EMULATOR in the environment is what runs programs for Windows where this is none.
#   windows_service_test.py --list            prints the names of the tests
#   windows_service_test.py PROGRAM [NAME]    runs all tests, or one
# SPDX-License-Identifier: BSL-1.0
import contextlib
import http.client
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile

from runner import main, test
from server import EMULATOR, PATIENCE, Load, answer_of, read_all, until


class Service:
    """An installed service with a name of its own, and its log."""

    def __init__(self, program):
        self.program, self.name = program, f"prong_test_{os.getpid()}"
        self.folder = tempfile.TemporaryDirectory()
        self.log_file = pathlib.Path(self.folder.name, "log")
        assert self.succeeds("install", "--manual")

    def command(self, *arguments):
        command = [*EMULATOR, self.program, "--name", self.name, *arguments]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def run(self, *arguments):
        with self.command(*arguments) as process:
            out, errors = process.communicate(timeout=2 * PATIENCE)
            return process.returncode, out.strip(), errors.strip()

    def succeeds(self, *arguments):
        ended = self.run(*arguments)
        assert ended == (0, "", ""), ended
        return True

    def start(self, *arguments):
        path = f"Z:{self.log_file}".replace("/", "\\") if EMULATOR else str(self.log_file)
        return self.run("start", "--", "--log", path, *arguments)

    def log(self):
        return self.log_file.read_text().splitlines() if self.log_file.exists() else []

    def serve(self):
        """Starts it with two workers on a port of its own."""
        assert self.start("--port", "0", "--workers", "2") == (0, "", "")
        ready = re.fullmatch(r"ready: 2 workers online, listening on (.*):(\d+)", self.log()[-1])
        self.address = (ready[1], int(ready[2]))

    def connect(self):
        return socket.create_connection(self.address, timeout=PATIENCE)

    def client(self):
        return http.client.HTTPConnection(*self.address, timeout=PATIENCE)

    def worker(self):
        """Which worker answers."""
        with contextlib.closing(self.client()) as client:
            client.request("GET", "/")
            return answer_of(client).worker

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.run("stop")
        self.run("uninstall")
        self.folder.cleanup()


@test
def it_starts_with_arguments_serves_and_stops(program):
    with Service(program) as service:
        assert service.run("status") == (0, "stopped", "")
        service.serve()
        assert service.run("status") == (0, "running", "")
        assert service.worker()
        assert service.succeeds("stop")
        assert service.run("status") == (0, "stopped", "")
        service.serve()  # it can be started again
        assert service.worker() and service.succeeds("stop")


@test
def a_reload_replaces_the_workers_and_fails_no_request(program):
    with Service(program) as service:
        service.serve()
        old = set()
        assert until(lambda: old.add(service.worker()) or len(old) == 2)
        with Load(service, keep_alive=False, clients=4) as load:
            load.wait_for_answers(20)
            assert service.succeeds("reload")
            assert until(lambda: "reloaded" in service.log()), service.log()
            load.wait_for_answers(20)
        assert not load.failures, load.failures
        assert not {service.worker() for _ in range(10)} & old


@test
def it_writes_its_status_when_asked(program):
    with Service(program) as service:
        service.serve()
        assert service.run("status")[0] == 0
        text = "2 workers online, listening on %s:%d" % service.address
        assert until(lambda: text in service.log()), service.log()


@test
def a_stop_waits_for_the_request_in_progress(program):
    with Service(program) as service:
        service.serve()
        with service.connect() as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
            client.sendall(b"GET / HTTP/1.1\r\nHo")
            stop = service.command("stop")
            assert until(lambda: service.run("status")[1] == "stopping")
            assert stop.poll() is None
            client.sendall(b"st: a\r\n\r\n")
            answer = read_all(client)
            assert answer.startswith(b"HTTP/1.1 200 ") and b"Connection: close" in answer, answer
        assert stop.communicate(timeout=PATIENCE) == ("", "") and stop.returncode == 0
        assert service.run("status") == (0, "stopped", "")


@test
def a_port_in_use_is_the_error_of_the_start(program):
    with Service(program) as service, socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, out, errors = service.start("--port", port)
        assert status == 1 and not out and errors.startswith("windows_service start: "), errors
        why = errors.partition(": ")[2]
        assert service.log() == [f"cannot listen on 127.0.0.1:{port}: {why}"], service.log()
        assert service.run("status") == (0, f"stopped\nit ended with: {why}", "")


@test
def bad_options_of_a_start_are_its_error(program):
    with Service(program) as service:
        status, _, errors = service.start("--port", "many")
        assert (status, errors) == (1, "windows_service start: invalid option")


@test
def the_same_program_serves_on_a_console(program):
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    command = [*EMULATOR, program, "serve", "--port", "0", "--workers", "2"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          creationflags=flags) as server:
        assert server.stderr.readline().startswith("ready: 2 workers online, listening on ")
        server.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))
        assert server.wait(PATIENCE) == 0


@test
def a_service_that_does_not_exist_is_one_line_and_status_1(program):
    with Service(program) as service:
        assert service.succeeds("uninstall")
        for verb in ("start", "stop", "reload", "status", "uninstall"):
            status, out, errors = service.run(verb)
            assert (status, out) == (1, "") and "\n" not in errors, (verb, errors)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
