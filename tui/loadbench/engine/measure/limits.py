"""Limits of the verdict rules. docs/measurement.md gives the reason for each."""

from loadbench.engine.journal.events import Buckets
from loadbench.engine.measure.buckets import time_weighted_median
from loadbench.engine.measure.steady import TOLERANCE

MAX_FAILURE_RATIO = 0.01
"""Ratio of failed requests to all requests at which the successes may not be representative, or at
which the setup of the users has failed."""

MAX_MEDIAN_RATIO = 5.0
"""Maximum ratio between the medians of two names of requests. Above it, the percentiles of all
requests together depend on how many there are of each rather than on the service."""

MAX_ELSEWHERE_RATIO = 0.01
"""Ratio of requests to other addresses to all requests at which the results may not describe the
replicas, as for failures."""

MIN_IN_FLIGHT_FACTOR = 2
"""Minimum mean number of requests in flight for each one that the replicas can process at a time,
so that there is always work for an idle replica."""
MIN_REQUESTS_PER_REPLICA = 20
"""Minimum number of requests for each replica. With fewer, the shares are a matter of chance."""
MAX_IDLE_SHARE = 0.05
"""Work of a replica, relative to the median of the working replicas, below which it is idle."""
MIN_BYTES_OF_WORK = 98
"""Bytes per request of its equal share from which on a replica is not idle: the smallest request
of HTTP/1.1 (18 bytes, RFC 9112) and an acknowledgement of the response, each with IPv4 and TCP
headers of 20 bytes (RFC 791, RFC 9293)."""
MIN_BYTES_PER_REQUEST = 40
"""Minimum number of bytes that all replicas together receive for each request: the headers of a
packet without data, 20 bytes for IPv4 (RFC 791, section 3.1) and 20 for TCP (RFC 9293, section
3.1)."""
MAX_ROUNDING_SHARE = 0.01
"""Maximum rounding error of received bytes, relative to the busiest replica. It is a fifth of
`MAX_IDLE_SHARE`, so that rounding neither hides nor causes a finding."""
MIN_WORKING_CORES = 0.05
"""Minimum CPU usage of the working replicas in cores, above their level before the load, at which
CPU usage is evidence of work."""
MAX_IDLE_CPU_SHARE = 0.5
"""Total CPU usage of an idle replica, relative to the median of the working replicas. A replica
that uses more may only have been measured during its start-up before the load."""

MAX_CLIENT_CPU_CORES = 0.8
"""Maximum CPU usage of one load generator in cores. Above this limit, its own queueing affects the
latency."""

MIN_USERS_SHARE = 0.95
"""Minimum share of users that are in a request or in a pause of the locustfile."""

MIN_BUSY_CORES = 0.3
"""CPU usage in cores below which Locust cannot be the cause of delayed users."""

REQUIRED_PERCENTILE = 0.95
"""The percentile that requires enough samples."""

MAX_ADDED = {
    **dict.fromkeys((0.5, 0.9), (0.02, 1.0)),
    **dict.fromkeys((0.95, 0.99, 0.999), (0.05, 2.0)),
}
"""Maximum latency added by the load generator, by percentile: as a share of the percentile, and in
ms. The larger of the two applies."""

WAY_MS = 0.05
"""Time on the way to a service on the same machine and back that neither side knows: at p50 and
p90, the stated delay was at most this much below that of the server's log in 95 % of the cells of
`bench.truth --grid --seed 28` without another process on Locust's core."""
SAMPLED_PERCENTILE = 0.999
"""From this percentile on, the limit applies only to percentiles with enough samples. Without them,
a single delayed request would decide."""

MIN_KNOWN_DELAYS = 0.999
"""Minimum share of latencies whose delay by the load generator is known. Otherwise, the delays are
estimated from event-loop lag."""

SHARED_MACHINE_FACTOR = 3.0
"""Factor applied to `MAX_ADDED` if the delay is estimated from event-loop lag and the service runs
on the same machine. Lag is sampled at all times, even while the service computes, but responses
arrive when it has just finished computing."""

MIN_STALL_MS = 500.0
"""Time in ms that a gap between responses must exceed to count as a stall."""
MIN_STALL_FACTOR = 5.0
"""Multiple of the time-weighted median gap that a stall must also exceed."""

MAX_CLIENT_STALL_MS = 500.0
"""Maximum event-loop lag of the load generator at any moment, in ms."""

MAX_THROTTLED = 0.1
"""Maximum share of scheduling periods in which a container is throttled by its CPU limit."""

MAX_SWAPPED_BYTES = 1_000_000
"""Maximum number of bytes read from and written to swap, summed."""
MAX_CLOCK_JUMP_MS = 100.0
"""Maximum jump of the wall clock relative to the monotonic clock, in ms. Slewing changes the clock
by less than 0.1 %."""

MAX_STOLEN_SHARE = 0.05
"""Maximum CPU steal as a share of the machine's cores."""
MAX_OTHERS_SHARE = 0.1
"""Maximum CPU usage of other processes as a share of the machine's cores. The limit is at least
`MAX_OTHERS_CORES`."""
MAX_OTHERS_CORES = 0.2
"""CPU usage in cores that background processes may cause on any machine."""


MAX_BUSY_SHARE = 0.9
"""Share of busy cores above which the machine counts as saturated."""


MAX_DRIFT = TOLERANCE
"""Maximum relative change of throughput or median between the first measurement of a cell and its
recheck. This is also the tolerance between settled windows."""


def max_gap_ms(gaps: Buckets) -> float:
    """Return the length in ms above which a gap between responses is a stall.

    Args:
        gaps: Histogram of the gaps between successive responses.
    """
    return max(MIN_STALL_MS, MIN_STALL_FACTOR * (time_weighted_median(gaps) or 0.0))


def max_others_cores(cores: int) -> float:
    """Return the maximum CPU usage of other processes in cores, given the machine's cores."""
    return max(MAX_OTHERS_CORES, MAX_OTHERS_SHARE * cores)
