# What the checks in this folder share: how they are called, and how they say what they have found.
# SPDX-License-Identifier: BSL-1.0

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run(usage, check, folders=(0, 1), **options):
    """Ends the program with 1 if something is wrong. `check` takes as many folders as `folders`
    allows, and each option none: self_test is --self-test. All give one line for each thing that
    is wrong."""
    arguments = sys.argv[1:]
    option = arguments[0].removeprefix("--").replace("-", "_") if len(arguments) == 1 else None
    if option in options and arguments[0].startswith("--"):
        wrong = list(options[option]())
    elif len(arguments) in folders and not any(each.startswith("-") for each in arguments):
        wrong = list(check(*map(pathlib.Path, arguments)))
    else:
        print(usage, file=sys.stderr)
        sys.exit(2)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)
