"""Decide whether a cell has settled.

The rule is that of Triton's perf_analyzer: three successive windows must agree within a
tolerance in throughput and in latency
(https://github.com/triton-inference-server/perf_analyzer, docs/inference_load_modes.md and
docs/measurements_metrics.md). In addition, each window needs a minimum of completed requests. If
there are fewer, such as with think time, the windows are longer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from loadbench.engine.journal.events import Requests, Sample
from loadbench.engine.measure.buckets import merge, num_successes, percentile, successes
from loadbench.engine.measure.main_request import of_name
from loadbench.engine.profile.model import SETTLE_WINDOWS, Settle

TOLERANCE = 0.10
"""Maximum relative difference of a window from the mean of the windows."""
MIN_COMPLETIONS = 30
"""Minimum number of successful requests per window."""
MAX_EXTENSION = 10
"""Maximum settle time, as a multiple of `settle.max`, if windows must be longer than
`settle.window`. With the default of 30 s, 0.3 req/s are enough for three windows. At lower rates,
the 200 requests for p95 would take more than eleven minutes after that."""
_ATTEMPTS = 2
"""Settle time in multiples of three windows, as in the default of `settle.max`."""


@dataclass(frozen=True, slots=True)
class Steadiness:
    """Result of the check whether the last windows agree."""

    is_steady: bool
    reason: str = ""
    """The first figure that differs between the windows, as a noun phrase. Empty if steady."""


def steadiness(samples: Sequence[Sample], window_s: float, name: str | None = None) -> Steadiness:
    """Check whether the newest samples are steady.

    Args:
        samples: One per second in ascending order, all at the target number of users.
        window_s: Minimum length of a window in seconds, rounded to whole samples.
        name: Name of the requests that count, as for `of_name`. None: all requests.

    Returns:
        Steady if the last three windows agree within 10 % in throughput and in median latency.
        They have the shortest length for which each has at least 30 completions.
    """
    shortest = _whole(window_s)
    counted = [of_name(sample.requests, name) for sample in samples]
    length = _window_length([num_successes(second) for second in counted], shortest)
    if length is None:
        return Steadiness(False, _too_few(counted, shortest, name))
    windows = [
        counted[start : start + length]
        for start in range(len(counted) - SETTLE_WINDOWS * length, len(counted), length)
    ]
    counts = [sum(map(num_successes, window)) for window in windows]
    if not _agree(counts):
        rates = " / ".join(f"{number / length:.3g}" for number in counts)
        return Steadiness(
            False, f"unsteady throughput {rates} req/s (tolerance {100 * TOLERANCE:g} %)"
        )
    medians = [percentile(merge(map(successes, window)), 0.5) or 0.0 for window in windows]
    if not _agree(medians):
        shown = " / ".join(f"{median:.3g}" for median in medians)
        return Steadiness(False, f"unsteady median {shown} ms (tolerance {100 * TOLERANCE:g} %)")
    return Steadiness(True)


def mean_rate(samples: Sequence[Sample], name: str | None = None) -> float:
    """Return the mean rate of successful requests per second, with arguments as above."""
    total = sum(num_successes(of_name(sample.requests, name)) for sample in samples)
    return total / len(samples) if samples else 0.0


def needed_window_s(rate: float, window_s: float) -> int | None:
    """Return the window length in seconds that has enough completions at a rate.

    Args:
        rate: Successful requests per second.
        window_s: Minimum length of a window in seconds.

    Returns:
        Whole seconds, or None if there are no completions.
    """
    return max(_whole(window_s), math.ceil(MIN_COMPLETIONS / rate)) if rate else None


def settle_limit_s(settle: Settle, needed_s: int | None, longest_s: float) -> float:
    """Return the maximum settle time in seconds.

    Args:
        settle: The settings.
        needed_s: The needed window length, from `needed_window_s`.
        longest_s: Maximum length in seconds of all windows together.

    Returns:
        `settle.max`, or more if windows must be longer than `settle.window` and have enough
        completions within `MAX_EXTENSION` times `settle.max`.
    """
    extended_s = MAX_EXTENSION * settle.max
    if needed_s is None or needed_s <= _whole(settle.window):
        return settle.max
    if SETTLE_WINDOWS * needed_s > min(extended_s, longest_s):
        return settle.max
    return min(extended_s, max(settle.max, _ATTEMPTS * SETTLE_WINDOWS * needed_s))


def _whole(window_s: float) -> int:
    return max(1, round(window_s))


def _window_length(counts: Sequence[int], shortest: int) -> int | None:
    """Return the shortest length for which the newest windows have enough completions, or None.

    Args:
        counts: Completions of each second.
        shortest: Minimum length in seconds.
    """
    totals = list(accumulate(counts, initial=0))
    for length in range(shortest, len(counts) // SETTLE_WINDOWS + 1):
        ends = range(len(counts) - SETTLE_WINDOWS * length, len(totals), length)
        if min(totals[end] - totals[start] for start, end in pairwise(ends)) >= MIN_COMPLETIONS:
            return length
    return None


def _too_few(counted: Sequence[Sequence[Requests]], shortest: int, name: str | None) -> str:
    if len(counted) < SETTLE_WINDOWS * shortest:
        return f"fewer than {SETTLE_WINDOWS} windows of {shortest} s"
    total = sum(map(num_successes, counted))
    minimum = f"{SETTLE_WINDOWS} windows with {MIN_COMPLETIONS} each"
    of = f" of {name}" if name else ""
    return f"{total} completions{of} in {len(counted)} s, minimum {minimum}"


def _agree(values: Sequence[float]) -> bool:
    """Return whether all values are within the tolerance of their mean."""
    mean = sum(values) / len(values)
    return all(abs(value - mean) <= TOLERANCE * mean for value in values)
