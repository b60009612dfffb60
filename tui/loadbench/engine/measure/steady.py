"""When a cell counts as steady.

The rule is that of Triton's perf_analyzer: three successive windows must agree within a
tolerance in throughput and in latency
(https://github.com/triton-inference-server/perf_analyzer, docs/inference_load_modes.md and
docs/measurements_metrics.md). Each window must also hold enough completions to say anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from loadbench.engine.journal.events import Sample
from loadbench.engine.measure.buckets import count, merge, percentile, successes
from loadbench.engine.profile.model import SETTLE_WINDOWS

TOLERANCE = 0.10
MIN_COMPLETIONS = 30


@dataclass(frozen=True, slots=True)
class Steadiness:
    """Whether the last windows agree, and what does not where they do not."""

    steady: bool
    why_not: str = ""


def steadiness(samples: Sequence[Sample], window_s: float) -> Steadiness:
    """Judge the newest samples.

    Args:
        samples: One a second, all at the target number of users, ascending.
        window_s: The length of a window in seconds, rounded to whole samples.

    Returns:
        Steady when the last three windows agree within 10 % in successful rate and in median
        latency, with at least 30 completions in each.
    """
    length = max(1, round(window_s))
    needed = length * SETTLE_WINDOWS
    if len(samples) < needed:
        return Steadiness(False, f"fewer than {SETTLE_WINDOWS} windows of {length} s")
    newest = samples[-needed:]
    windows = [
        merge(successes(sample.requests) for sample in newest[start : start + length])
        for start in range(0, needed, length)
    ]
    counts = [count(window) for window in windows]
    if min(counts) < MIN_COMPLETIONS:
        return Steadiness(
            False,
            f"{min(counts)} completions in {length} s, {MIN_COMPLETIONS} are needed "
            "(a longer settle.window holds more)",
        )
    if not _agree(counts):
        rates = " / ".join(f"{number / length:.3g}" for number in counts)
        return Steadiness(False, f"the rate still moves: {rates} req/s")
    medians = [percentile(window, 0.5) or 0.0 for window in windows]
    if not _agree(medians):
        shown = " / ".join(f"{median:.3g}" for median in medians)
        return Steadiness(False, f"the median still moves: {shown} ms")
    return Steadiness(True)


def _agree(values: Sequence[float]) -> bool:
    """Return whether all values are within the tolerance of their mean."""
    mean = sum(values) / len(values)
    return all(abs(value - mean) <= TOLERANCE * mean for value in values)
