"""A process that computes and sleeps in random bursts.

    python bench/truth_other_process.py SEED

It inherits the core of the process that starts it, and ends on SIGTERM. Bursts last from about one
time slice of Linux (`sysctl_sched_base_slice` in kernel/sched/fair.c: 0.7 ms times 1 + log2 of the
number of cores) to many, as a compiler or the encoding of an image uses. Every two seconds the
process draws the share of time that it needs, so that few windows have the same load.
"""

import random
import sys
import time

BURST_S = (0.001, 0.020)
SHARE = (0.1, 0.6)
SECTION_S = 2.0
"""Time with the same share. The shortest windows, of 3 s, have parts of several."""


def main() -> None:
    """Compute and sleep forever."""
    generator = random.Random(int(sys.argv[1]))
    while True:
        share, end = generator.uniform(*SHARE), time.monotonic() + SECTION_S
        while time.monotonic() < end:
            burst_s = generator.uniform(*BURST_S)
            until = time.process_time() + burst_s
            while time.process_time() < until:
                pass
            time.sleep(burst_s * (1 - share) / share)


if __name__ == "__main__":
    main()
