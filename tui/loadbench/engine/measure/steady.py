"""Decide whether a cell has settled.

The rule is that of Triton's perf_analyzer: three successive windows must agree within a
tolerance in throughput and in latency
(https://github.com/triton-inference-server/perf_analyzer, docs/inference_load_modes.md and
docs/measurements_metrics.md). In addition, each window needs a minimum of completed requests.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from loadbench.engine.journal.events import Sample
from loadbench.engine.measure.buckets import merge, num_successes, percentile, successes
from loadbench.engine.profile.model import SETTLE_WINDOWS

TOLERANCE = 0.10
"""Maximum relative difference of a window from the mean of the windows."""
MIN_COMPLETIONS = 30
"""Minimum number of successful requests per window."""


@dataclass(frozen=True, slots=True)
class Steadiness:
    """Result of the check whether the last windows agree."""

    is_steady: bool
    reason: str = ""
    """The first figure that differs between the windows, as a noun phrase. Empty if steady."""


def steadiness(samples: Sequence[Sample], window_s: float) -> Steadiness:
    """Check whether the newest samples are steady.

    Args:
        samples: One per second in ascending order, all at the target number of users.
        window_s: Length of a window in seconds, rounded to whole samples.

    Returns:
        Steady if the last three windows agree within 10 % in throughput and in median latency, and
        each has at least 30 completions.
    """
    length = max(1, round(window_s))
    needed = length * SETTLE_WINDOWS
    if len(samples) < needed:
        return Steadiness(False, f"fewer than {SETTLE_WINDOWS} windows of {length} s")
    newest = samples[-needed:]
    windows = [
        [sample.requests for sample in newest[start : start + length]]
        for start in range(0, needed, length)
    ]
    counts = [sum(map(num_successes, window)) for window in windows]
    if min(counts) < MIN_COMPLETIONS:
        return Steadiness(
            False,
            f"{min(counts)} completions in {length} s, minimum {MIN_COMPLETIONS} "
            "(increase settle.window)",
        )
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


def _agree(values: Sequence[float]) -> bool:
    """Return whether all values are within the tolerance of their mean."""
    mean = sum(values) / len(values)
    return all(abs(value - mean) <= TOLERANCE * mean for value in values)
