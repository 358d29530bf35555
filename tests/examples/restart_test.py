#!/usr/bin/env python3
# Tests the example that stops and reloads as its terminal says: restart_test.py PROGRAM
# SPDX-License-Identifier: BSL-1.0
import re
import signal
import socket
import subprocess
import sys

from server import EMULATOR, ON_WINDOWS, OWN_GROUP, PATIENCE, STOP_SIGNALS


def next_port(program):
    """Where the next worker listens."""
    for line in program.stdout:
        if match := re.fullmatch(r"worker \d+ listens on 0\.0\.0\.0:(\d+)\n", line):
            return int(match[1])
    raise AssertionError("it ended")


def reloads_and_stops(program):
    command = [*EMULATOR, program, "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **OWN_GROUP)
    try:
        ports = {next_port(server) for _ in range(2)}
        client = socket.create_connection(("127.0.0.1", *ports), timeout=PATIENCE)
        with client:
            client.sendall(b"before")
            assert client.recv(6, socket.MSG_WAITALL) == b"before"
            if not ON_WINDOWS:  # a console has no signal that asks for a reload
                server.send_signal(signal.SIGHUP)
                ports |= {next_port(server) for _ in range(2)}
            server.send_signal(STOP_SIGNALS[0])
            client.sendall(b"after")  # its worker goes on until it has left
            assert client.recv(5, socket.MSG_WAITALL) == b"after"
        rest = server.stdout.read()
        assert server.wait(PATIENCE) == 0
        assert len(ports) == 1 and "exited with status 0" in rest, (ports, rest)
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    reloads_and_stops(sys.argv[1])
