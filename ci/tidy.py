#!/usr/bin/env python3
# Checks the habits that no compiler checks: sizes, the first lines of a file, no waiting by the
# clock in tests, no platform #if outside the platform folders.
#   ci/tidy.py [folder]     checks the repository, or another tree like it
#   ci/tidy.py --self-test  plants a violation of each rule and expects to find it
# SPDX-License-Identifier: BSL-1.0
"""Usage: ci/tidy.py [folder] | --self-test"""

import pathlib
import re
import tempfile

from checks import ROOT, run

COLUMNS = 100
FILE_LINES, TEST_LINES = 400, 500
FUNCTION_LINES = 60
SPDX = "SPDX-License-Identifier: BSL-1.0"

# What has comments that begin with `#`, beside programs without a suffix.
SCRIPTS = (".py", ".cmake", ".sh", ".ps1", ".yml")

# Where a platform may show. Everything else is one code for all.
PLATFORM_FILES = (
    r"include/prong/detail/native_socket\.hpp"
    r"|src/(posix|win32)/.*"
    r"|tests/support/.*_(posix|win32).*"
)
PLATFORM_IF = re.compile(
    r"\s*#\s*(el)?if.*\b(_WIN32|_WIN64|WIN32|__linux__|__APPLE__|__unix__|__\w+BSD__|_MSC_VER"
    r"|__MINGW\w*|__CYGWIN__|__GLIBC__|BOOST_ASIO_(HAS|WINDOWS)\w*|BOOST_(WINDOWS|POSIX)\w*"
    r"|PRONG_NO_LINUX_CALLS)\b"
)
SLEEP = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep|sleep|Sleep|SleepEx)\s*\(")
# Rings that open real sockets take any free port; in the others a port is only a number.
SOCKET_TESTS = r"tests/(os|process|examples|support)/.*|tests/[^/]*"
FIXED_PORT = re.compile(
    r"(v4\(\)|v6\(\)|loopback\(\)|any\(\)|address\w*(\([^)]*\))?)\s*,\s*[1-9]\d*\b"
    r"|(127\.0\.0\.1|::1\]|localhost|0\.0\.0\.0):[1-9]"
    r"|\bport\w*\s*[={(]\s*[1-9]\d*\b"
)
# No other system has them as macros, so nothing that runs would notice.
MACOS_MACRO = re.compile(r"::sig(add|del|empty|fill)set\(|::sigismember\(")
# Opens a block, but no function's.
NO_FUNCTION = re.compile(r"\b(if|for|while|switch|catch|do|else|try)\b")
SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b")


def without_text(code):
    """The code with comments and literals blanked out; line ends stay."""
    blank = lambda match: re.sub(r"[^\n]", " ", match[0])
    token = (
        r'//[^\n]*|/\*.*?\*/|R"(?P<end>[^()\s]*)\(.*?\)(?P=end)"|"(?:\\.|[^"\\\n])*"'
        r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"
    )
    return re.sub(token, blank, code, flags=re.DOTALL)


def first_branches(code):
    """The code without preprocessor lines, and of each #if only the first branch: two branches
    that open the same block would count it twice."""
    kept, skipping = [], []
    for line in re.sub(r"\\\n", "\n#~", code).split("\n"):
        directive = re.match(r"\s*#\s*(\w*)", line)
        if directive and directive[1].startswith("if"):
            skipping.append(False)
        elif directive and directive[1].startswith("el") and skipping:
            skipping[-1] = True
        elif directive and directive[1] == "endif" and skipping:
            skipping.pop()
        kept.append("" if directive or any(skipping) else line)
    return "\n".join(kept)


def functions(code):
    """The first line and the number of lines of each function: a block that opens after a `)` in
    no other function. A simple measure; code that clang-format laid out suits it."""
    code = first_branches(code)
    opened, inside, head, line, head_line = [], 0, "", 1, 1
    for character in code:
        if character == "{":
            is_function = ")" in head and not inside and not SCOPE.search(head.split("(")[0])
            is_function = is_function and not NO_FUNCTION.search(head.split("(")[0])
            opened.append(head_line if is_function else None)
            inside += is_function
        elif character == "}" and opened:
            start = opened.pop()
            if start is not None:
                inside -= 1
                yield start, line - start + 1
        if character in "{};":
            head = ""
        elif head or not character.isspace():
            head_line = head_line if head else line
            head += character
        line += character == "\n"


def check_opening(lines, is_script):
    """Every file says first what it is, and under which licence."""
    mark = "#" if is_script else "//"
    body = lines[1:] if lines and lines[0].startswith("#!") else lines
    comment = []
    for line in body:
        if not line.startswith(mark):
            break
        comment.append(line)
    if not comment or SPDX in comment[0]:
        yield 1, "the file does not begin with a comment that says what it is"
    if not any(SPDX in line for line in comment):
        yield 1, f"the first comment does not end with '{SPDX}'"


def check_lines(lines, path):
    in_tests = path.startswith("tests/")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            yield number, f"{len(line)} columns, the limit is {COLUMNS}"
        if "\t" in line:
            yield number, "a tab"
        if line != line.rstrip():
            yield number, "blanks at the end of the line"
        if PLATFORM_IF.match(line) and not re.fullmatch(PLATFORM_FILES, path):
            yield number, "a platform #if; it belongs below the seam, in src/posix or src/win32"
    limit = TEST_LINES if in_tests else FILE_LINES
    if len(lines) > limit:
        yield limit + 1, f"{len(lines)} lines, the limit is {limit}"


def check_code(text, path):
    code = without_text(text)
    if path.endswith(".hpp") and not re.search(r"^#pragma once$", code, re.MULTILINE):
        yield 1, "a header without #pragma once"
    for start, length in functions(code):
        if length > FUNCTION_LINES:
            yield start, f"a function of {length} lines, the limit is {FUNCTION_LINES}"
    for number, line in enumerate(code.splitlines(), 1):
        if MACOS_MACRO.search(line):
            yield number, "`::` before what is a macro on macOS"
    if not path.startswith("tests/"):
        return
    for number, line in enumerate(code.splitlines(), 1):
        if SLEEP.search(line):
            yield number, "a test sleeps; wait for what must happen"
    if re.fullmatch(SOCKET_TESTS, path):
        for number, line in enumerate(text.splitlines(), 1):
            if FIXED_PORT.search(line):
                yield number, "a fixed port; take port 0 and ask for the real one"


def files_of(root):
    folders = ("include", "src", "tests", "examples", "bench", "cmake", "ci", ".ci", ".github")
    for folder in folders:
        for file in sorted((root / folder).rglob("*")):
            is_script = file.suffix in SCRIPTS or file.name == "CMakeLists.txt"
            is_script = is_script or (folder in ("ci", ".ci") and not file.suffix)
            if file.is_file() and (is_script or file.suffix in (".hpp", ".cpp")):
                yield file, is_script
    if (root / "CMakeLists.txt").exists():
        yield root / "CMakeLists.txt", True


def violations(root=ROOT):
    """One line for each habit that is broken."""
    for file, is_script in files_of(root):
        path = file.relative_to(root).as_posix()
        text = file.read_text(encoding="utf-8")
        lines = text.splitlines()
        found = [*check_opening(lines, is_script), *check_lines(lines, path)]
        if not is_script:
            found += check_code(text, path)
        for number, what in sorted(found):
            yield f"{path}:{number}: {what}"


BEGIN = f"// A file.\n// {SPDX}\n"
LONG_BODY = "  work();\n" * FUNCTION_LINES
# Path, text, and a word of what must be found; None where nothing may be.
PLANTED = [
    ("src/a.cpp", BEGIN + "//" + "x" * COLUMNS + "\n", "columns"),
    ("src/b.cpp", BEGIN + "int b;\t\n", "a tab"),
    ("src/c.cpp", BEGIN + "int c; \n", "blanks"),
    ("src/d.cpp", BEGIN + "\n" * FILE_LINES, "lines, the limit"),
    ("tests/unit/d.cpp", BEGIN + "\n" * TEST_LINES, "lines, the limit"),
    ("src/e.cpp", f"// {SPDX}\nint e;\n", "what it is"),
    ("src/f.cpp", "// A file.\nint f;\n", "SPDX"),
    ("src/g.hpp", BEGIN + "int g;\n", "#pragma once"),
    ("src/h.cpp", BEGIN + "namespace n {\nvoid h(int x) {\n" + LONG_BODY + "}\n}\n", "function of"),
    ("tests/i.cpp", BEGIN + "void i() { std::this_thread::sleep_for(1s); }\n", "sleeps"),
    ("tests/os/j.cpp", BEGIN + "auto j = endpoint{tcp::v4(), 8080};\n", "fixed port"),
    ("tests/os/k.cpp", BEGIN + 'auto k = "127.0.0.1:8080";\n', "fixed port"),
    ("src/common/l.cpp", BEGIN + "#if defined(_WIN32)\n#endif\n", "platform #if"),
    ("tests/process/m.cpp", BEGIN + "#ifdef __linux__\n#endif\n", "platform #if"),
    ("ci/n", "#!/usr/bin/env bash\necho\n", "what it is"),
    ("src/posix/n.cpp", BEGIN + "void n() { ::sigfillset(&all); }\n", "macro on macOS"),
    ("src/posix/o.cpp", BEGIN + "#ifdef __linux__\n#endif\n", None),
    ("tests/unit/p.cpp", BEGIN + "auto p = endpoint{tcp::v4(), 8080};\n", None),
    ("tests/os/q.cpp", BEGIN + "auto q = endpoint{tcp::v4(), 0};  // no sleep()\n", None),
    ("src/s.cpp", BEGIN + "void s() {\n#if A\n  if (a) {\n#else\n  if (b) {\n#endif\n  }\n}\n"
     + "int t;\n" * FUNCTION_LINES + "void u() {}\n", None),
    ("src/r.cpp", BEGIN + "struct r {\n" + "  void f() { g(); }\n" * FUNCTION_LINES + "};\n", None),
]


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text, _ in PLANTED:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        found = list(violations(root))
    wrong = []
    for path, _, what in PLANTED:
        of_file = [line for line in found if line.startswith(path + ":")]
        if what is None:
            wrong += [f"wrongly found: {line}" for line in of_file]
        elif not any(what in line for line in of_file):
            wrong.append(f"missed: {what} in {path}")
    return wrong


if __name__ == "__main__":
    run(__doc__, violations, self_test=self_test)
