# What makes functions tests, for the files of this folder that hold many:
#   FILE --list            prints the names of the tests
#   FILE PROGRAM [NAME]    runs all tests on a program, or one
# SPDX-License-Identifier: BSL-1.0
import functools
import traceback

from server import HAS_PROC, ON_WINDOWS

TESTS = {}
SKIPPED = 77  # what ctest takes for skipped


class Skip(Exception):
    pass


def test(function):
    TESTS[function.__name__.replace("_", " ")] = function
    return function


def test_by_posix(function):
    """A test of what Windows does not have. tests/not_on_windows.txt names each."""
    return function if ON_WINDOWS else test(function)


def test_by_proc(function):
    """A test that looks into processes, or makes Linux do something to them."""

    @functools.wraps(function)
    def on_linux(program):
        if not HAS_PROC:
            raise Skip("there is no /proc here")
        function(program)

    return test_by_posix(on_linux)


def main(arguments):
    if arguments == ["--list"]:
        print(*TESTS, sep="\n")
        return 0
    program, names, statuses = arguments[0], arguments[1:] or list(TESTS), set()
    for name in names:
        try:
            TESTS[name](program)
            print(f"ok {name}", flush=True)
            statuses.add(0)
        except Skip as why:
            print(f"skipped {name}: {why}", flush=True)
            statuses.add(SKIPPED)
        except Exception:  # whatever went wrong, the other tests run
            print(f"not ok {name}\n{traceback.format_exc()}", flush=True)
            statuses.add(1)
    return 1 if 1 in statuses else min(statuses)
