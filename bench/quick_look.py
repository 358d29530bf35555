#!/usr/bin/env python3
# P1 and P3 alone, for whoever works on the hot path:
#   bench/quick_look.py [ROUNDS [SECONDS [OPTION-OF-BENCH-SERVER...]]]
# SPDX-License-Identifier: BSL-1.0
import sys

from case import median, ratio_row
from measure import interleaved, wrk
from servers import ours

WORKERS = 4
rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
subjects = {
    "direct": ours("direct", WORKERS),
    "prong": ours("prong", WORKERS, *sys.argv[3:]),
    "hand_off": ours("hand_off", WORKERS),
    "single": ours("single", 1),
}
runs = interleaved(subjects, lambda server: wrk(server, seconds), rounds, lambda text: None)
print(f"{'':10} {'conn/s':>8} {'primary ns':>11} {'workers ns':>11}")
for name in runs:
    cells = [median(runs, name, key) for key in ("per_second", "primary_ns", "workers_ns")]
    print(f"{name:10} {cells[0]:8.0f} {cells[1]:11.0f} {cells[2]:11.0f}")
p1 = ratio_row("P1", "connections a second", runs, "prong", "direct", "per_second")
p3 = ratio_row("P3", "CPU of the primary", runs, "prong", "hand_off", "primary_ns")
print(f"P1, connections a second: {p1.value:.3f} of direct")
print(f"P3, CPU of the primary: {p3.value:.2f} of hand_off")
