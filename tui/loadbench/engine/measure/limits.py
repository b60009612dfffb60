"""The limits of the rules for a verdict; docs/measurement.md gives the reason of each. Pure."""

from loadbench.engine.journal.events import Buckets
from loadbench.engine.measure.buckets import time_weighted_median
from loadbench.engine.measure.steady import TOLERANCE

FAILURE_RATIO = 0.01
"""From this ratio on the successes that are left may not be typical."""

MAX_CLIENT_CPU_CORES = 0.8
"""Beyond this share of a core the load generator's own queueing shows in the latency."""

MIN_USERS_SHARE = 0.95
"""Of the users, those that must be waiting for an answer or pausing as they should."""

MIN_BUSY_CORES = 0.3
"""Below this share of a core, Locust is not what keeps users from asking."""

MIN_SAMPLES_BEYOND = 0.95
"""The percentile that must have enough latencies behind it."""

MAX_LAG_MS = {0.5: (0.02, 1.0), 0.9: (0.02, 1.0), 0.95: (0.05, 2.0), 0.99: (0.05, 2.0)}
"""By percentile: what the lateness of Locust may add to it, as a share of it or in ms, whichever is
more."""

SHARED_FACTOR = 3.0
"""How many times that where our service computes on the same cores. Lateness is felt at any moment,
also while the service is at work; but answers come when it has just done some."""

STALL_MS = 500.0
"""A gap without any answer that may be worth telling, ..."""
STALL_FACTOR = 5.0
"""... if it is so many times the gap that a random moment falls into."""

CLIENT_STALL_MS = 500.0
"""Locust's process may not stand still for longer."""

MAX_THROTTLED = 0.1
"""Of the scheduling periods of a container, those in which its CPU limit may hold it back."""

MAX_SWAPPED_BYTES = 1_000_000
MAX_CLOCK_JUMP_MS = 100.0
"""Clocks that are steered move by less than a thousandth of the time that passes."""

MAX_STOLEN_SHARE = 0.05
"""Of the machine's cores."""
MAX_OTHERS_SHARE = 0.1
"""Of the machine's cores, but at least `MAX_OTHERS_CORES`: what a machine does anyway."""
MAX_OTHERS_CORES = 0.2


FULL_SHARE = 0.9
"""Of the machine's cores: busier than that, it is full, whoever that is."""


MAX_DRIFT = TOLERANCE
"""How far the rate or the median of a cell may move until it is measured again, relative to the
first time: what steady windows may differ by."""


def longest_gap_ms(gaps: Buckets) -> float:
    """Return how long nobody may be answered, given the gaps between answers, in ms."""
    return max(STALL_MS, STALL_FACTOR * (time_weighted_median(gaps) or 0.0))


def most_others_cores(cores: int) -> float:
    """Return what processes that are none of ours may use of a machine of so many cores."""
    return max(MAX_OTHERS_CORES, MAX_OTHERS_SHARE * cores)
