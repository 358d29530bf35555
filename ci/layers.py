#!/usr/bin/env python3
# Checks who includes whom: the layers of docs/design.md, as a table of rules. Only what a file
# includes itself counts, not what comes with it.
#   ci/layers.py [folder]     checks the repository, or another tree like it
#   ci/layers.py --self-test  plants a violation of each rule and expects to find it
# SPDX-License-Identifier: BSL-1.0
"""Usage: ci/layers.py [folder] | --self-test"""

import pathlib
import re
import tempfile

from checks import ROOT, run

# What an include is: the first pattern that fits. `<x>` and `"x"` keep their brackets, because our
# own headers are in quotes and public ones are not.
KINDS = [
    (
        "values",
        r"<prong/(endpoint|error|event|listen_options|message|options|socket_handle)\.hpp>"
        r"|<prong/detail/config\.hpp>",
    ),
    ("detail", r"<prong/detail/.*\.hpp>"),
    ("public", r"<prong/.*\.hpp>"),
    ("frame", r'"common/wire/frame\.hpp"'),
    ("wire", r'"common/wire/.*"'),
    ("core", r'"common/core/.*"'),
    ("seam", r'"common/os/.*"'),
    ("shell", r'"common/[^/]*"'),
    ("posix", r'"posix/.*"'),
    ("win32", r'"win32/.*"'),
    ("support", r'"(support|sim|os|process|unit)/.*"'),
    ("baseline", r'"linux/[a-z0-9_]+\.hpp"'),
    ("beside", r'"[a-z0-9_]+\.hpp"'),  # in the same folder
    ("os", r"<csignal>|<boost/(process|asio/posix|asio/windows)[/.].*>"),
    ("endpoint", r"<boost/asio/(ip|generic|local)/.*>"),
    ("system", r"<boost/(system/.*|asio/error\.hpp|config\.hpp|version\.hpp)>"),
    ("asio", r"<boost/asio[/.].*>"),
    ("container", r"<boost/circular_buffer\.hpp>"),
    ("boost", r"<boost/.*>"),
    ("fmt", r"<fmt/.*>"),
    ("cli", r"<CLI/.*>"),
    ("test", r"<catch2/.*>"),
    ("std", r"<[a-z0-9_]+>"),
    ("os", r"<.*\.h>"),  # C's own headers too: they have C++ names
]

# Which files, what they may include, and the rule in words. The first line that fits a file counts.
LAYERS = [
    (
        r"include/prong/.*",
        "std asio endpoint system public values detail",
        "public headers: std, Boost.Asio, Boost.System and each other",
    ),
    (r"src/common/wire/.*", "std frame wire", "wire: std only"),
    (
        r"src/common/core/.*",
        "std core wire frame values system container endpoint",
        "core: public values, wire, Boost.System, containers, endpoints; no executor, no OS header",
    ),
    (
        r"src/common/os/.*",
        "std seam frame detail values asio endpoint system",
        "seam: wire/frame.hpp, Boost.Asio, prong/detail",
    ),
    (
        r"src/common/[^/]*",
        "std shell core wire frame seam public detail values asio endpoint system fmt",
        "shell: public, core, wire, seam, fmt; no system header",
    ),
    (
        r"src/posix/.*",
        "std posix seam frame detail values asio endpoint system boost fmt os",
        "posix: the seam, wire/frame.hpp, system headers; never core, shell or win32",
    ),
    (
        r"src/win32/.*",
        "std win32 seam frame detail values asio endpoint system boost fmt os",
        "win32: the seam, wire/frame.hpp, system headers; never core, shell or posix",
    ),
    (
        r"tests/sim/backend.*",
        "std support beside seam frame detail values asio endpoint system fmt",
        "simulated backend: the seam and wire/frame.hpp; never core, shell or a real backend",
    ),
    (
        r"examples/.*",
        "std beside public values asio endpoint system boost fmt cli",
        "examples: the public headers only, and none of prong/detail",
    ),
    (
        r"bench/linux/.*",
        "std beside baseline public values asio endpoint system fmt os",
        "benchmark on Linux: the public headers and system headers",
    ),
    (
        r"bench/.*",
        "std beside public values asio endpoint system fmt cli",
        "benchmark: the public headers only, and none of prong/detail",
    ),
    (
        r"tests/consume/.*",
        "std public values asio endpoint system boost",
        "a user's program: the public headers only",
    ),
]
FOLDERS = ["include", "src", "tests", "examples", "bench"]
INCLUDE = re.compile(r"\s*#\s*include\s*(\S+)")


def kind_of(included):
    for kind, pattern in KINDS:
        if re.fullmatch(pattern, included):
            return kind
    return "unknown"


def layer_of(path):
    for pattern, allowed, rule in LAYERS:
        if re.fullmatch(pattern, path):
            return allowed.split(), rule
    return None, None


def violations(root=ROOT):
    """One line for each include that the table forbids."""
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*.[ch]pp")):
            path = file.relative_to(root).as_posix()
            allowed, rule = layer_of(path)
            if allowed is None:
                continue
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                if match and (kind := kind_of(match[1])) not in allowed:
                    yield f"{path}:{number}: includes {match[1]} ({kind}); {rule}"


# Where to plant what: each is one violation, and each rule has at least one.
PLANTED = [
    ("include/prong/a.hpp", '"common/core/roster.hpp"'),
    ("include/prong/a.hpp", "<fmt/format.h>"),
    ("include/prong/a.hpp", "<sys/socket.h>"),
    ("src/common/wire/a.cpp", "<boost/system/error_code.hpp>"),
    ("src/common/wire/a.cpp", "<prong/error.hpp>"),
    ("src/common/core/a.hpp", "<boost/asio/io_context.hpp>"),
    ("src/common/core/a.hpp", "<prong/primary.hpp>"),
    ("src/common/core/a.hpp", '"common/os/channel.hpp"'),
    ("src/common/core/a.hpp", "<csignal>"),
    ("src/common/core/a.hpp", '"roster.hpp"'),
    ("src/common/os/a.hpp", '"common/wire/control.hpp"'),
    ("src/common/a.cpp", "<unistd.h>"),
    ("src/common/a.cpp", "<windows.h>"),
    ("src/common/a.cpp", "<boost/process/v2.hpp>"),
    ("src/common/a.cpp", '"posix/fd.hpp"'),
    ("src/posix/a.cpp", '"common/core/assert.hpp"'),
    ("src/posix/a.cpp", '"common/log.hpp"'),
    ("src/posix/a.cpp", '"win32/handle.hpp"'),
    ("src/win32/a.cpp", '"posix/fd.hpp"'),
    ("tests/sim/backend.cpp", '"common/primary.hpp"'),
    ("examples/a.cpp", "<prong/detail/async.hpp>"),
    ("bench/linux/a.cpp", '"common/os/channel.hpp"'),
    ("bench/a.cpp", "<unistd.h>"),
    ("tests/consume/a.cpp", '"common/wire/frame.hpp"'),
]
INNOCENT = [
    ("include/prong/b.hpp", "<boost/asio/async_result.hpp>"),
    ("src/common/wire/b.cpp", "<cstdint>"),
    ("src/common/core/b.hpp", "<boost/asio/generic/stream_protocol.hpp>"),
    ("src/common/b.cpp", '"common/core/primary_core.hpp"'),
    ("src/posix/b.cpp", "<sys/socket.h>"),
    ("examples/b.cpp", '"http_server.hpp"'),
    ("src/win32/b.cpp", "<winsock2.h>"),
]


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, included in PLANTED + INNOCENT:
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as out:
                out.write(f"#include {included}\n")
        found = list(violations(root))
    missed = [f"{p} {i}" for p, i in PLANTED if not any(p in f and i in f for f in found)]
    untested = [rule for _, _, rule in LAYERS if not any(rule in f for f in found)]
    wrong = [f for f in found if any(path in f for path, _ in INNOCENT)]
    for what, lines in (("missed", missed), ("untested", untested), ("wrongly found", wrong)):
        yield from (f"{what}: {line}" for line in lines)


if __name__ == "__main__":
    run(__doc__, violations, self_test=self_test)
