"""Limits of the verdict rules. docs/measurement.md gives the reason for each. Pure."""

from loadbench.engine.journal.events import Buckets
from loadbench.engine.measure.buckets import time_weighted_median
from loadbench.engine.measure.steady import TOLERANCE

MAX_FAILURE_RATIO = 0.01
"""Failed requests of all requests; from this ratio on, the successes may not be representative."""

MAX_CLIENT_CPU_CORES = 0.8
"""CPU cores of one load generator. Above, its own queueing shows in the latency."""

MIN_USERS_SHARE = 0.95
"""Share of the users that must be in a request or in a pause of the locustfile."""

MIN_BUSY_CORES = 0.3
"""CPU cores of Locust below which it cannot be the cause of delayed users."""

REQUIRED_PERCENTILE = 0.95
"""The percentile that needs enough samples."""

MAX_ADDED_LAG = {0.5: (0.02, 1.0), 0.9: (0.02, 1.0), 0.95: (0.05, 2.0), 0.99: (0.05, 2.0)}
"""By percentile: the latency that event-loop lag may add, as a share of the percentile and in ms.
The larger one applies."""

SHARED_MACHINE_FACTOR = 3.0
"""Factor on `MAX_ADDED_LAG` when our service runs on the same machine. Lag is sampled at all times,
even while the service computes, but responses arrive when it has just finished computing."""

MIN_STALL_MS = 500.0
"""Milliseconds without a response from which a gap may count as a stall ..."""
MIN_STALL_FACTOR = 5.0
"""... if it is also this many times the time-weighted median gap."""

MAX_CLIENT_STALL_MS = 500.0
"""Event-loop lag of the load generator at any moment, in ms."""

MAX_THROTTLED = 0.1
"""Share of the scheduling periods in which a container may be throttled by its CPU limit."""

MAX_SWAPPED_BYTES = 1_000_000
"""Bytes read from and written to swap."""
MAX_CLOCK_JUMP_MS = 100.0
"""Wall clock against monotonic clock, in ms. Clock slewing changes it by less than 0.1 %."""

MAX_STOLEN_SHARE = 0.05
"""CPU steal as a share of the machine's cores."""
MAX_OTHERS_SHARE = 0.1
"""CPU of other processes as a share of the machine's cores, at least `MAX_OTHERS_CORES`."""
MAX_OTHERS_CORES = 0.2
"""CPU cores that background processes use on any machine."""


MAX_BUSY_SHARE = 0.9
"""Share of the machine's cores above which the machine is saturated, by any processes."""


MAX_DRIFT = TOLERANCE
"""Relative change of throughput or median between the first measurement of a cell and its recheck;
the same as between settled windows."""


def max_gap_ms(gaps: Buckets) -> float:
    """Return the longest gap between responses that is not a stall, in ms.

    Args:
        gaps: Histogram of the gaps between successive responses.
    """
    return max(MIN_STALL_MS, MIN_STALL_FACTOR * (time_weighted_median(gaps) or 0.0))


def max_others_cores(cores: int) -> float:
    """Return the CPU cores that other processes may use on a machine with this many cores."""
    return max(MAX_OTHERS_CORES, MAX_OTHERS_SHARE * cores)
