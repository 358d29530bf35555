#!/usr/bin/env python3
# Checks .github/workflows: the keys, that actions are pinned, that nothing may write, and that each
# leg of a matrix calls a stage that exists, and each stage is called. GitHub says the rest.
#   ci/workflow.py [folder]     checks the repository, or another tree like it
#   ci/workflow.py --self-test  breaks each rule and expects to find it
# SPDX-License-Identifier: BSL-1.0
"""Usage: ci/workflow.py [folder] | --self-test"""

import copy
import re

import yaml

from checks import ROOT, run

KEYS = {
    "workflow": "name on permissions concurrency env defaults jobs",
    "job": "name needs if runs-on container strategy timeout-minutes env steps",
    "strategy": "fail-fast max-parallel matrix",
    "step": "name id if uses with run shell env timeout-minutes",
    "concurrency": "group cancel-in-progress",
}
RUNNERS = ["ubuntu-22.04", "ubuntu-24.04", "windows-2022", "windows-2025", "macos-14", "macos-15"]
SHELLS = ["bash", "pwsh"]
PINNED = re.compile(r"[\w.-]+/[\w./-]+@(v\d+|[0-9a-f]{40})")
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
KNOWN = re.compile(r"(github\.(ref|sha|workspace)|matrix\.\w+|hashFiles\('[\w./]+'\))")
CALL = re.compile(r"(\w+=\S+ )*(?P<script>ci/[\w.]+)(?P<stages>( [\w-]+)+)")


def stages_of(root):
    """The stages of each script: the functions of ci/test, and what ci/test.ps1 takes."""
    shell = (root / "ci/test").read_text(encoding="utf-8")
    power = (root / "ci/test.ps1").read_text(encoding="utf-8")
    accepted = re.search(r"ValidateSet\(([^)]*)\)", power)[1]
    return {
        "ci/test": re.findall(r"^run_([\w-]+)\(\)", shell, re.MULTILINE),
        "ci/test.ps1": re.findall(r"[\w-]+", accepted),
    }


def unknown_keys(kind, found):
    for key in found:
        if key not in KEYS[kind].split():
            yield f"a {kind} has no key '{key}'"


def legs_of(job):
    """One dictionary for each leg of the matrix, as GitHub multiplies it."""
    matrix = dict(job.get("strategy", {}).get("matrix", {}))
    included = matrix.pop("include", [])
    legs = [{}]
    for key, values in matrix.items():
        legs = [{**leg, key: value} for leg in legs for value in values]
    return included if legs == [{}] and included else legs + included


def filled(text, leg):
    """The text as it is in one leg of the matrix."""
    value = lambda match: str(leg.get(match[1].removeprefix("matrix."), match[0]))
    return EXPRESSION.sub(value, str(text))


def expressions(part, legs):
    """What is wrong with the ${{ }} of a part of a job."""
    text = yaml.safe_dump(part, width=10**6)
    for inside in EXPRESSION.findall(text):
        inside = inside.replace("''", "'")  # as YAML writes it
        if not KNOWN.fullmatch(inside):
            yield f"the expression '{inside}' is unknown here"
        elif inside.startswith("matrix.") and not any(inside[7:] in leg for leg in legs):
            yield f"no leg of the matrix has '{inside[7:]}'"


def check_step(step, legs, stages, called):
    yield from unknown_keys("step", step)
    if ("run" in step) == ("uses" in step):
        yield "a step either runs or uses something"
    if "uses" in step and not PINNED.fullmatch(step["uses"]):
        yield f"'{step['uses']}' is not pinned to a major version or a commit"
    if "run" not in step:
        return
    if step.get("shell") not in SHELLS:
        yield f"a step that runs something names its shell: {' or '.join(SHELLS)}"
    for command in {filled(step["run"], leg) for leg in legs}:
        call = CALL.fullmatch(command)
        if not call or call["script"] not in stages:
            yield f"'{command}' is no call of {' or '.join(stages)} with stages"
            continue
        for stage in call["stages"].split():
            called.add((call["script"], stage))
            if stage not in stages[call["script"]]:
                yield f"{call['script']} has no stage '{stage}'"


def check_job(job, jobs, stages, called):
    yield from unknown_keys("job", job)
    yield from unknown_keys("strategy", job.get("strategy", {}))
    legs = legs_of(job)
    for runner in sorted({filled(job.get("runs-on"), leg) for leg in legs}):
        if runner not in RUNNERS:
            yield f"the runner '{runner}' is unknown"
    if not isinstance(job.get("timeout-minutes"), int):
        yield "timeout-minutes is missing"
    needs = job.get("needs", [])
    for needed in [needs] if isinstance(needs, str) else needs:
        if needed not in jobs:
            yield f"it needs '{needed}', which is no job"
    yield from expressions(job, legs)
    if not job.get("steps"):
        yield "it has no steps"
    for step in job.get("steps", []):
        yield from check_step(step, legs, stages, called)


def violations(workflow, stages):
    """One line for each rule that the workflow breaks."""
    workflow = {"on" if key is True else key: value for key, value in workflow.items()}  # YAML 1.1
    called = set()
    yield from unknown_keys("workflow", workflow)
    for key in ("name", "on", "permissions", "concurrency", "jobs"):
        if key not in workflow:
            yield f"{key} is missing"
    if workflow.get("permissions") != {"contents": "read"}:
        yield "permissions are more or less than contents: read"
    yield from unknown_keys("concurrency", workflow.get("concurrency", {}))
    jobs = workflow.get("jobs", {})
    for name, job in jobs.items():
        for what in check_job(job, jobs, stages, called):
            yield f"job {name}: {what}"
    for script, names in stages.items():
        for stage in names:
            if (script, stage) not in called:
                yield f"nobody calls {script} {stage}"


GOOD = """
name: ci
on: {push: {branches: [main]}}
permissions: {contents: read}
concurrency: {group: "ci-${{ github.ref }}"}
jobs:
  a:
    strategy:
      matrix: {include: [{system: ubuntu-24.04, stages: one two}, {system: macos-15, stages: one}]}
    runs-on: ${{ matrix.system }}
    timeout-minutes: 10
    steps:
      - uses: actions/checkout@v4
      - {run: "X=1 ci/test ${{ matrix.stages }}", shell: bash}
  b:
    needs: a
    strategy: {matrix: {preset: [three, four]}}
    runs-on: windows-2022
    timeout-minutes: 10
    steps: [{run: "ci/test.ps1 ${{ matrix.preset }}", shell: pwsh}]
"""
STAGES = {"ci/test": ["one", "two"], "ci/test.ps1": ["three", "four"]}
# Where to put what into the good one, and a word of what must be found.
PLANTED = [
    (["permissions"], {"contents": "write"}, "permissions"),
    (["permissions"], None, "permissions is missing"),
    (["concurrency"], None, "concurrency is missing"),
    (["colour"], "red", "no key 'colour'"),
    (["concurrency", "colour"], "red", "no key 'colour'"),
    (["jobs", "a", "step"], [], "no key 'step'"),
    (["jobs", "a", "strategy", "colour"], "red", "no key 'colour'"),
    (["jobs", "a", "steps", 0, "colour"], "red", "no key 'colour'"),
    (["jobs", "a", "steps"], None, "no steps"),
    (["jobs", "a", "runs-on"], "amiga", "the runner 'amiga'"),
    (["jobs", "a", "strategy", "matrix", "include", 1, "system"], "tos", "the runner 'tos'"),
    (["jobs", "a", "timeout-minutes"], None, "timeout-minutes"),
    (["jobs", "b", "needs"], "z", "needs 'z'"),
    (["jobs", "a", "steps", 0, "uses"], "actions/checkout@main", "not pinned"),
    (["jobs", "a", "steps", 0, "run"], "ci/test one", "either runs or uses"),
    (["jobs", "a", "steps", 1, "shell"], None, "names its shell"),
    (["jobs", "a", "steps", 1, "run"], "make", "no call of"),
    (["jobs", "a", "steps", 1, "run"], "ci/deps one", "no call of"),
    (["jobs", "b", "strategy", "matrix", "preset", 0], "five", "no stage 'five'"),
    (["jobs", "b", "strategy", "matrix", "preset"], ["three"], "nobody calls ci/test.ps1 four"),
    (["jobs", "a", "name"], "${{ matrix.colour }}", "no leg of the matrix has 'colour'"),
    (["jobs", "a", "name"], "${{ secrets.x }}", "'secrets.x' is unknown"),
]


def self_test():
    good = yaml.safe_load(GOOD)
    wrong = [f"wrongly found: {what}" for what in violations(good, STAGES)]
    for path, value, expected in PLANTED:
        broken = copy.deepcopy(good)
        place = broken
        for key in path[:-1]:
            place = place[key]
        if value is None:
            del place[path[-1]]
        else:
            place[path[-1]] = value
        if not any(expected in what for what in violations(broken, STAGES)):
            wrong.append(f"missed: {expected}")
    return wrong


def check(root=ROOT):
    for file in sorted((root / ".github/workflows").glob("*.y*ml")):
        workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
        yield from (f"{file.name}: {what}" for what in violations(workflow, stages_of(root)))


if __name__ == "__main__":
    run(__doc__, check, self_test=self_test)
