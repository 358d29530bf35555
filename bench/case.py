# One case of the benchmark: what it has measured, and what that says of our targets.
# SPDX-License-Identifier: BSL-1.0
import dataclasses
import statistics

from servers import Failed


@dataclasses.dataclass
class Effort:
    """How long the cases measure."""

    rounds: int
    seconds: float  # of each run
    arrivals: float  # seconds, where connections arrive slowly
    arrival_rounds: int


FULL = Effort(rounds=9, seconds=2, arrivals=8, arrival_rounds=5)
QUICK = Effort(rounds=2, seconds=1, arrivals=2, arrival_rounds=1)


@dataclasses.dataclass
class Row:
    """A line of the table. `value` is None if it could not be measured, and `remark` says why;
    else it gives the absolute numbers."""

    name: str  # P1 and so on
    what: str
    value: float | None
    remark: str
    target: tuple[str, float] | None = None  # ("<=", 1.5)
    race: bool = False  # without a target it is still good to be ahead

    @property
    def verdict(self):
        if self.value is None:
            return "not measured"
        if self.target is None:
            return "behind" if self.race and self.value < 1 else ""
        sign, limit = self.target
        reached = self.value >= limit if sign == ">=" else self.value <= limit
        return "reached" if reached else "missed"


@dataclasses.dataclass
class Chart:
    """Bars, in the order given: for each name the values of all runs."""

    title: str
    unit: str
    bars: dict[str, list[float]]


@dataclasses.dataclass
class Result:
    name: str  # of the files
    title: str
    rows: list[Row]
    runs: dict  # everything that was measured
    charts: list[Chart]
    notes: list[str] = dataclasses.field(default_factory=list)


class Runs(dict):
    """What was measured of each subject, one dictionary a run; of those that could not be measured
    `missing` says why."""

    def __init__(self, names):
        super().__init__({name: [] for name in names})
        self.missing = {}

    def attempt(self, name, what):
        """Calls `what`; a subject with which that fails is left out from then on."""
        try:
            return what()
        except Failed as why:
            del self[name]
            self.missing[name] = str(why)
            return None


def values(runs, key):
    """Of each subject the values of its runs, for a chart."""
    return {name: [each[key] for each in of] for name, of in runs.items() if of}


def median(runs, name, key):
    return statistics.median(each[key] for each in runs[name])


def ratio_row(name, what, runs, one, other, key, target=None, unit=""):
    """A row for `one` / `other`: the median of the rounds' ratios, because what changes from round
    to round changes both."""
    for each in (one, other):
        if each in runs.missing:
            return Row(name, what, None, runs.missing[each], target)
    value = statistics.median(a[key] / b[key] for a, b in zip(runs[one], runs[other]))
    remark = f"{median(runs, one, key):,.0f} / {median(runs, other, key):,.0f} {unit}"
    return Row(name, what, value, remark, target)
