#!/usr/bin/env python3
# Tests hello_http from outside: its lines, its signals, its answers under load.
#   hello_http_test.py --list            prints the names of the tests
#   hello_http_test.py PROGRAM [NAME]    runs all tests, or one
# SPDX-License-Identifier: BSL-1.0
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

from runner import Skip, main, test, test_by_posix, test_by_proc
from server import EMULATOR, HAS_PROC, ON_WINDOWS, STOP_SIGNALS
from server import Load, Server, answer_of, is_running, kill, read_all, stopped_by, until


def run(program, *arguments):
    command = [*EMULATOR, program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


def one_line(text):
    return text.endswith("\n") and text.count("\n") == 1


# --- What it prints, and its exit status --------------------------------------------------------


@test
def help_and_version_are_printed(program):
    for option, words in (("--help", "--workers"), ("--version", "hello_http ")):
        status, out, err = run(program, option)
        assert status == 0 and words in out and not err, (out, err)


@test
def a_bad_option_is_one_line_and_status_2(program):
    bad = "--port=70000 --port=x --workers=0 --workers=-1 --workers=many --address=nowhere"
    for option in bad.split() + ["--scheduling=random", "--bogus", "stray", "--port"]:
        status, out, err = run(program, option)
        name = option.partition("=")[0]
        assert (status, out) == (2, "") and one_line(err) and name in err, (option, status, err)


@test
def a_port_in_use_is_one_line_and_status_1(program):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, out, err = run(program, f"--port={port}", "--workers=4")
    assert status == 1 and "listening" not in out, (status, out)
    reason = ".+" if ON_WINDOWS else "Address already in use"
    expected = rf"hello_http: cannot listen on 127\.0\.0\.1:{port}: {reason}\n"
    assert re.fullmatch(expected, err), err


@test
def an_address_of_another_machine_is_one_line_and_status_1(program):
    status, out, err = run(program, "--port=0", "--address=203.0.113.1", "--workers=4")
    assert status == 1 and "listening" not in out, (status, out)
    assert one_line(err) and "203.0.113.1" in err, err
    assert ON_WINDOWS or "assign" in err, err


@test
def an_IPv6_address_is_printed_in_brackets(program):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        raise Skip(f"no IPv6 here: {error}") from error
    with Server(program, address="::1") as server:
        assert server.get().status == 200
        assert server.count(r"listening on http://\[::1\]:\d+") == 1


@test_by_proc
def auto_starts_as_many_workers_as_CPUs_may_be_used(program):
    one = {min(os.sched_getaffinity(0))}
    pinned = lambda: os.sched_setaffinity(0, one)
    with Server(program, workers="auto", preexec_fn=pinned) as server:
        assert {server.get().worker for _ in range(10)} == set(server.started())
        assert stopped_by(server)[0] == 0 and len(server.started()) == 1, server.lines


@test
def it_serves_on_when_nobody_reads_what_it_prints(program):
    with Server(program) as server:
        known = set(server.wait_for_started(2))
        read_end = server.process.stdout.fileno()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, read_end)  # the pipe has no reader any more, once a pending read ends
        os.close(null)
        for _ in range(4):
            victim = server.get().worker
            known.add(victim)
            kill(victim)
            assert until(lambda: server.get().worker not in known)
        assert stopped_by(server) == (0, "")


# --- What it answers ----------------------------------------------------------------------------


@test
def every_worker_answers_in_turn(program):
    with Server(program, "--scheduling=round_robin", workers=4) as server:
        workers = server.wait_for_started(4)
        answers = []

        def ask(count):
            answers.extend(server.get().worker for _ in range(count))

        def spread():
            counts = [answers.count(worker) for worker in workers]
            return max(counts) - min(counts)

        ask(400)
        # A worker that the system lets wait misses its turn, and catches up as soon as it runs
        # again. Chance would have it that they are 20 apart, and would not bring them together.
        for _ in range(100):
            if spread() <= 1:
                break
            ask(1)
        assert spread() <= 1, answers


@test
def workers_that_accept_themselves_answer_too(program):
    with Server(program, "--scheduling=shared") as server, Load(server, keep_alive=False) as load:
        load.wait_for_answers(500)
    assert not load.failures, load.failures


@test
def a_connection_stays_open_for_more_requests(program):
    with Server(program) as server:
        client = server.client()
        workers = set()
        for path in ("/", "/?again", "/"):
            client.request("GET", path)
            workers.add(answer_of(client).worker)
        assert len(workers) == 1
        client.request("GET", "/", headers={"Connection": "close"})
        assert answer_of(client).closes
        pipelined = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        last = b"GET / HTTP/1.0\r\n\r\n"
        assert server.exchange(pipelined * 5 + last).count(b"Hello from worker") == 6


@test
def each_kind_of_request_has_its_status(program):
    with Server(program) as server:
        head = server.get(method="HEAD")
        assert head.status == 200 and head.text == "" and int(head.headers["Content-Length"]) > 18
        assert server.get("/nothing").status == 404
        refused = server.get(method="POST", body="text")
        assert refused.status == 405 and refused.headers["Allow"] == "GET, HEAD"
        assert server.get(method="POST", body="x" * 1_000_000).status == 413
        assert server.get(headers={"X": "x" * 10_000}).status == 431


@test
def a_bad_request_is_answered_400_and_closed(program):
    with Server(program) as server:
        for text in (b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /\r\n\r\n", b"\0" * 100):
            answer = server.exchange(text)
            assert answer.startswith(b"HTTP/1.1 400 ") and b"Connection: close" in answer, answer
        assert server.get().status == 200


@test_by_proc
def two_thousand_connections_leave_nothing_behind(program):
    def descriptors(server):
        return [len(os.listdir(f"/proc/{each}/fd")) for each in (server.primary, *server.started())]

    def status(process, field):  # in KiB
        text = pathlib.Path(f"/proc/{process}/status").read_text()
        return int(text.partition(field + ":")[2].split()[0])

    with Server(program) as server:
        processes = [server.primary, *server.wait_for_started(2)]
        for _ in range(500):
            server.get()
        before, memory = descriptors(server), [status(each, "VmRSS") for each in processes]
        for _ in range(2000):
            server.get()
        # Fewer is fine: the last connection may have been open still when we counted first.
        no_more = lambda: all(now <= then for now, then in zip(descriptors(server), before))
        assert until(no_more), (before, descriptors(server))
        if status(server.primary, "VmSize") < 2**30:  # no sanitizer, which keeps what is freed
            growth = [status(p, "VmRSS") - m for p, m in zip(processes, memory)]
            assert max(growth) < 1024, growth


# --- What dies ----------------------------------------------------------------------------------


@test
def killed_workers_are_replaced_under_load(program):
    clients, kills = 8, 8
    with Server(program, workers=3) as server:
        server.wait_for_started(3)
        with Load(server, keep_alive=False, clients=clients) as load:
            for killed in range(kills):
                load.wait_for_answers(50)
                victim = server.wait_for_started(3 + killed)[killed]
                kill(victim)
                how = "exited with status 1" if ON_WINDOWS else "was killed by signal 9"
                server.line(rf"Worker {victim} {how}; another is started")
            server.wait_for_started(3 + kills)
            load.wait_for_answers(200)
        # A dead worker takes those connections with it that it had taken: one a client.
        assert load.failures.total() <= clients * kills, load.failures
        assert not [each for each in load.failures if "Refused" in each], load.failures
        assert stopped_by(server) == (0, ""), server.lines


@test_by_proc
def workers_end_with_a_killed_primary_and_the_port_is_free(program):
    with Server(program, workers=4) as server:
        workers = server.wait_for_started(4)
        os.kill(workers[0], signal.SIGSTOP)
        server.send(signal.SIGKILL)
        assert until(lambda: not any(map(is_running, workers)), seconds=1.0)
        # Workers may see that end before it is complete: the listener goes with the last thread.
        assert server.end()[0] == -signal.SIGKILL
        socket.create_server(server.address).close()


# --- Reload -------------------------------------------------------------------------------------


def reload_under_load(program, keep_alive):
    with Server(program) as server:
        server.wait_for_started(2)
        with Load(server, keep_alive) as load:
            for _ in range(20):
                load.wait_for_answers(20)
                server.send(signal.SIGHUP)
                server.line("Reloaded")
            load.wait_for_answers(100)
        assert not load.failures, load.failures
        assert stopped_by(server) == (0, "") and len(server.started()) == 42, server.lines


@test_by_posix
def twenty_reloads_fail_no_new_connection(program):
    reload_under_load(program, keep_alive=False)


@test_by_posix
def twenty_reloads_fail_no_request_of_a_kept_connection(program):
    reload_under_load(program, keep_alive=True)


@test_by_posix
def a_reload_takes_the_program_that_lies_there_and_survives_a_broken_one(program):
    with tempfile.TemporaryDirectory() as folder:
        path, other = pathlib.Path(folder, "hello_http"), pathlib.Path(folder, "other")
        shutil.copy(program, path)
        with Server(path) as server:
            old = set(server.wait_for_started(2))
            other.write_text("#!/bin/sh\nexit 3\n")
            other.chmod(0o755)
            other.replace(path)
            server.send(signal.SIGHUP)
            server.line(r"Reload failed, .*")
            assert {server.get().worker for _ in range(20)} == old
            shutil.copy(program, other)
            other.replace(path)
            server.send(signal.SIGHUP)
            server.line("Reloaded")
            assert until(lambda: not any(map(is_running, old)))
            assert {server.get().worker for _ in range(20)} == set(server.started()[-2:])


# --- Stop ---------------------------------------------------------------------------------------


@test
def a_stop_waits_for_the_request_in_progress(program):
    for number in STOP_SIGNALS:
        with Server(program, *OBSERVABLE) as server, server.connect() as client:
            client.sendall(b"GET / HTTP/1.1\r\nHo")
            server.wait_for_started(2)
            stop_and_wait_for_drain(server, number, HAS_PROC and holder_of(client, server))
            client.sendall(b"st: a\r\n\r\n")
            answer = read_all(client)
            assert answer.startswith(b"HTTP/1.1 200 ") and b"Connection: close" in answer, answer
            assert server.end() == (0, "")


def holder_of(client, server):
    """The worker that has taken the connection. It says so only when it answers, so look for the
    socket among the descriptors of each."""
    port = f":{client.getsockname()[1]:04X}"

    def holders():
        rows = map(str.split, pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:])
        sockets = {f"socket:[{row[9]}]" for row in rows if row[2].endswith(port)}
        return [each for each in server.started() if sockets & links_of(each)]

    assert until(holders)
    return holders()[0]


def stop_and_wait_for_drain(server, number, worker):
    """A worker drains from the moment it gives up its channel. That another one has ended already
    says nothing of it: the stop may lie unread beside a request, which is then answered first.
    Where nobody can look into it, it has the port as well, which closes when all drain."""
    before = HAS_PROC and links_of(worker)
    server.send(number)
    assert until(lambda: links_of(worker) < before if HAS_PROC else is_closed(server))


OBSERVABLE = [] if HAS_PROC else ["--scheduling=shared"]


def is_closed(server):
    try:
        server.connect().close()
    except OSError:
        return True
    return False


def links_of(process):
    """What the descriptors of a process stand for."""
    links = set()
    for each in os.listdir(f"/proc/{process}/fd"):
        try:
            links.add(os.readlink(f"/proc/{process}/fd/{each}"))
        except FileNotFoundError:  # closed meanwhile
            pass
    return links


@test
def a_stop_gives_a_kept_connection_one_more_request(program):
    with Server(program, *OBSERVABLE) as server:
        client = server.client()
        client.request("GET", "/")
        first = answer_of(client)
        assert not first.closes
        stop_and_wait_for_drain(server, STOP_SIGNALS[0], first.worker)
        client.request("GET", "/")
        last = answer_of(client)
        assert last.closes and last.worker == first.worker
        assert server.end() == (0, "")


@test
def a_second_signal_stops_at_once(program):
    with Server(program) as server, server.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        workers = server.wait_for_started(2)
        server.send(STOP_SIGNALS[0])
        server.line(r"Stopping; .*")
        server.send(STOP_SIGNALS[0])
        assert server.end() == (1, "")
        assert not any(map(is_running, workers))


if __name__ == "__main__":
    if os.name == "posix":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main(sys.argv[1:]))
