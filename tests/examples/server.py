# Runs hello_http as a user would, and talks to it: what the tests of this folder share.
# SPDX-License-Identifier: BSL-1.0
import collections
import http.client
import os
import pathlib
import queue
import re
import signal
import socket
import subprocess
import threading
import time

# What runs programs for Windows where this is not Windows: Wine.
EMULATOR = [os.environ["PRONG_EMULATOR"]] if os.environ.get("PRONG_EMULATOR") else []
ON_WINDOWS = os.name == "nt" or bool(EMULATOR)
# Only Linux lets one look into processes.
HAS_PROC = not ON_WINDOWS and pathlib.Path("/proc/self/stat").exists()
if os.name == "nt":
    STOP_SIGNALS = (signal.CTRL_BREAK_EVENT,)
    OWN_GROUP = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # who gets the event
else:
    STOP_SIGNALS = (signal.SIGINT,) if EMULATOR else (signal.SIGTERM, signal.SIGINT)
    OWN_GROUP = {}
PATIENCE = 30.0  # seconds that anything may take before a test fails


def until(holds, seconds=PATIENCE):
    """Waits for what nobody announces. Returns whether it came."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def is_running(process):
    """Whether a process exists and has not ended; nobody may have reaped it yet."""
    if ON_WINDOWS:
        return process_tool("is-running", process)
    if not HAS_PROC:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        return True
    try:
        status = pathlib.Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def process_tool(what, process):
    """Asks Windows, which numbers processes in its own way, about one of them."""
    command = [*EMULATOR, os.environ["PRONG_PROCESS_TOOL"], what, str(process)]
    return subprocess.run(command, stdin=subprocess.DEVNULL).returncode == 0


def kill(process):
    if ON_WINDOWS:
        assert process_tool("kill", process)
    else:
        os.kill(process, signal.SIGKILL)


class Server:
    """A running hello_http on a port of its own."""

    def __init__(self, program, *arguments, workers=2, address="127.0.0.1", **settings):
        command = [*EMULATOR, program, "--port=0", f"--workers={workers}", f"--address={address}"]
        pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
        self.process = subprocess.Popen(
            command + list(arguments), text=True, **pipes, **OWN_GROUP, **settings
        )
        self.lines = []
        self.unread = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.primary = int(self.line(r"Primary (\d+) is running")[1])
        url = self.line(r"listening on http://(.*):(\d+)")
        self.address = (url[1].strip("[]"), int(url[2]))

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            self.unread.put(line.rstrip("\n"))
        self.unread.put(None)

    def line(self, pattern):
        """The next printed line that fits the pattern; lines before it are skipped."""
        while (text := self.unread.get(timeout=PATIENCE)) is not None:
            if match := re.fullmatch(pattern, text):
                return match
        raise AssertionError(f"no line '{pattern}' in {self.lines}")

    def count(self, pattern):
        return sum(bool(re.fullmatch(pattern, line)) for line in self.lines)

    def started(self):
        """The workers that have started, in order, the dead ones too."""
        found = (re.fullmatch(r"Worker (\d+) started", line) for line in list(self.lines))
        return [int(match[1]) for match in found if match]

    def wait_for_started(self, count):
        assert until(lambda: len(self.started()) >= count), self.lines
        return self.started()

    def send(self, number):
        self.process.send_signal(number)

    def end(self):
        """Waits for the end of the process; its exit status and what it wrote to stderr."""
        status = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        return status, self.process.stderr.read()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    # --- The client's side ----------------------------------------------------------------------

    def connect(self):
        return socket.create_connection(self.address, timeout=PATIENCE)

    def client(self):
        return http.client.HTTPConnection(*self.address, timeout=PATIENCE)

    def get(self, path="/", method="GET", body=None, headers=None):
        """One request on a connection of its own."""
        client = self.client()
        try:
            client.request(method, path, body, headers or {})
            return answer_of(client)
        finally:
            client.close()

    def exchange(self, text):
        """Sends bytes, and returns everything that comes back."""
        with self.connect() as client:
            client.sendall(text)
            return read_all(client)


class Answer:
    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.text = response.read().decode()
        self.closes = response.headers.get("Connection", "").lower() == "close"

    @property
    def worker(self):
        match = re.fullmatch(r"Hello from worker (\d+)\n", self.text)
        assert match, (self.status, self.text)
        return int(match[1])


def answer_of(client):
    return Answer(client.getresponse())


def read_all(client):
    received = b""
    while more := client.recv(65536):
        received += more
    return received


class Load:
    """Clients that send requests one after the other until the block ends."""

    def __init__(self, server, keep_alive, clients=8):
        self.server, self.keep_alive = server, keep_alive
        self.answered, self.failures = 0, collections.Counter()
        self.stop, self.lock = threading.Event(), threading.Lock()
        self.threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def _run(self):
        while not self.stop.is_set():
            client = self.server.client()
            try:
                client.connect()
                stays = True
                while stays and not self.stop.is_set():
                    client.request("GET", "/")
                    answer = answer_of(client)
                    assert answer.worker
                    stays = self.keep_alive and not answer.closes
                    with self.lock:
                        self.answered += 1
            except (OSError, http.client.HTTPException, AssertionError) as error:
                with self.lock:
                    self.failures[repr(error)] += 1
            finally:
                client.close()

    def wait_for_answers(self, count):
        """Waits until so many more requests have been answered."""
        target = self.answered + count
        assert until(lambda: self.answered >= target), self.failures

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def stopped_by(server, number=STOP_SIGNALS[0]):
    """Sends the signal, and returns the exit status once it has ended."""
    server.send(number)
    return server.end()
