#!/usr/bin/env python3
# P1 and P3 alone, for whoever works on the hot path:
#   bench/quick_look.py [ROUNDS [SECONDS [OPTION-OF-BENCH-SERVER...]]]
# SPDX-License-Identifier: BSL-1.0
import sys

from measure import bench_server, interleaved, median, ratio, wrk_with_cpu

WORKERS = 4
rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
subjects = {
    "direct": bench_server("direct", WORKERS),
    "prong": bench_server("prong", WORKERS, *sys.argv[3:]),
    "hand_off": bench_server("hand_off", WORKERS),
    "single": bench_server("single", 1),
}
runs = interleaved(subjects, lambda server: wrk_with_cpu(server, seconds), rounds)
print(f"{'':10} {'conn/s':>8} {'primary ns':>11} {'workers ns':>11}")
for name, each in runs.items():
    print(f"{name:10} {median(each, 'per_second'):8.0f} {median(each, 'primary_ns'):11.0f}"
          f" {median(each, 'workers_ns'):11.0f}")
print(f"P1 conn/s, prong / direct: {ratio(runs, 'prong', 'direct', 'per_second'):.3f}")
print(f"P3 CPU of the primary, prong / hand_off: {ratio(runs, 'prong', 'hand_off', 'primary_ns'):.2f}")
