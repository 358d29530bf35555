#!/usr/bin/env python3
# Tests the echo example, which is also the example of README.md:
#   echo_test.py echoes PROGRAM
#   echo_test.py is-in SOURCE README
# SPDX-License-Identifier: BSL-1.0
import pathlib
import socket
import subprocess
import sys

from server import EMULATOR, HAS_PROC, OWN_GROUP, PATIENCE, STOP_SIGNALS, until


def connection(port):
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    except ConnectionRefusedError:
        return None


def echoes(program):
    # Bound but not listening, this socket keeps the port for the example, which may share it; on
    # Linux only, elsewhere it has to give it back first.
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("0.0.0.0", 0))
        port = reserved.getsockname()[1]
        if not HAS_PROC:
            reserved.close()
        server = subprocess.Popen([*EMULATOR, program, str(port)], **OWN_GROUP)
        try:
            clients = []
            assert until(lambda: clients.append(connection(port)) or clients[-1])
            with clients[-1] as client:
                client.sendall(b"hello")
                assert client.recv(5, socket.MSG_WAITALL) == b"hello"
            server.send_signal(STOP_SIGNALS[0])
            assert server.wait(PATIENCE) == 0
        finally:
            server.kill()
            server.wait()


def is_in(source, readme):
    text = pathlib.Path(source).read_text(encoding="utf-8")
    assert f"```cpp\n{text}```\n" in pathlib.Path(readme).read_text(encoding="utf-8")


if __name__ == "__main__":
    {"echoes": echoes, "is-in": is_in}[sys.argv[1]](*sys.argv[2:])
