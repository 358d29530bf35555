#!/usr/bin/env python3
# Checks that what docs/from-node.md shows of prong is code that was compiled and run: each block of
# C++ stands word for word, but for its indentation, in one of the examples, and each example that
# was written for the page is in it.
#   ci/snippets.py [folder]     checks the repository, or another tree like it
#   ci/snippets.py --self-test  plants what must be found and expects to find it
# SPDX-License-Identifier: BSL-1.0
"""Usage: ci/snippets.py [folder] | --self-test"""

import pathlib
import re
import tempfile
import textwrap

from checks import ROOT, run

PAGE = "docs/from-node.md"
OF_THE_PAGE = "from_node"


def stands_in(source, block):
    """Whether the lines of the block follow each other in the source, all moved by as much."""
    lines, count = source.splitlines(), len(block.splitlines())
    windows = ("\n".join(lines[at : at + count]) + "\n" for at in range(len(lines) - count + 1))
    return any(textwrap.dedent(window) == block for window in windows)


def violations(root=ROOT):
    """One line for each block that is in no example, and each example that is not shown."""
    page = (root / PAGE).read_text(encoding="utf-8")
    programs = sorted((root / "examples").rglob("*.cpp"))
    sources = {path: path.read_text(encoding="utf-8") for path in programs}
    unshown = {path for path in sources if path.parent.name == OF_THE_PAGE}
    for match in re.finditer(r"^```cpp\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        holders = {path for path, text in sources.items() if stands_in(text, match[1])}
        unshown -= holders
        if not holders:
            line = page.count("\n", 0, match.start()) + 1
            yield f"{PAGE}:{line}: no example has this code"
    for path in sorted(unshown):
        yield f"{path.relative_to(root).as_posix()}: {PAGE} shows nothing of it"


# An example, a page, and a word of what must be found; None where nothing may be.
SOURCE = "int main() {\n  if (a) {\n    b();\n\n    c();\n  }\n}\n"
PLANTED = [
    (SOURCE, "```cpp\nif (a) {\n  b();\n\n  c();\n}\n```\n", None),
    (SOURCE, "```js\nfork();\n```\n\n```cpp\nb();\n\nc();\n```\n", None),
    (SOURCE, "```cpp\nif (a) {\n```\n\n```cpp\nb(1);\n```\n", f"{PAGE}:5: no example"),
    (SOURCE, "```cpp\nb();\nc();\n```\n", "no example"),
    (SOURCE, "```cpp\nif (a) {\n    b();\n```\n", "no example"),
    (SOURCE, "```cpp\nb();\n\nc()\n```\n", "no example"),
    (SOURCE, "```js\nfork();\n```\n", f"examples/{OF_THE_PAGE}/a.cpp: {PAGE} shows nothing"),
]


def self_test():
    """One line for each violation that is not found, or wrongly."""
    for number, (source, page, what) in enumerate(PLANTED, 1):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, text in (f"examples/{OF_THE_PAGE}/a.cpp", source), (PAGE, page):
                (root / path).parent.mkdir(parents=True)
                (root / path).write_text(text, encoding="utf-8")
            found = list(violations(root))
        if what is None:
            yield from (f"wrongly found in {number}: {line}" for line in found)
        elif not any(what in line for line in found):
            yield f"missed: {what} in {number}"


if __name__ == "__main__":
    run(__doc__, violations, self_test=self_test)
