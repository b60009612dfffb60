"""The running totals of an attempt, added up as its samples arrive. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from loadbench.engine.journal.events import Buckets, ErrorCount, Phase, Requests, Sample, Stages
from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.buckets import to_buckets

MAX_ERROR_KINDS = 50
"""Kinds of error that are counted separately. Every message may differ, so the rest is one kind."""
_OTHER_ERRORS = "other failures"
_STAGES = ("latency_ms", "total_ms", "queue_ms", "decode_ms", "infer_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningTotals:
    """The totals over some seconds of an attempt."""

    is_measured: bool
    """True: over the measurement window so far. False: over everything before it."""
    seconds: int
    requests: tuple[Requests, ...]
    stages: Stages
    errors: tuple[ErrorCount, ...]
    """The most frequent first."""


@dataclass(slots=True)
class Accumulator:
    """Adds up one attempt at a time and reads every sample once."""

    _source: tuple[object, ...] = ()
    _seconds: int = 0
    _counts: dict[tuple[str, str], tuple[Counter[float], Counter[float]]] = field(
        default_factory=dict
    )
    _stages: Counter[str] = field(default_factory=Counter)
    _errors: Counter[str] = field(default_factory=Counter)

    def of(self, state: RunState) -> RunningTotals:
        """Return the totals of the current attempt.

        They cover the measurement window once it has begun, and all samples before that.

        Args:
            state: The run; its samples are those of the last call and later ones, or those of
                another attempt.
        """
        measured = state.samples_in(Phase.MEASURING)
        samples: Sequence[Sample] = measured or state.samples
        first = samples[0] if samples else None
        source = (first.cell, first.attempt, first.second, bool(measured)) if first else ()
        if source != self._source or len(samples) < self._seconds:
            self._source, self._seconds, self._counts = source, 0, {}
            self._stages, self._errors = Counter(), Counter()
        for sample in samples[self._seconds :]:
            self._add(sample)
        self._seconds = len(samples)
        return RunningTotals(
            is_measured=bool(measured),
            seconds=len(samples),
            requests=tuple(
                Requests(
                    method=method,
                    name=name,
                    successes=to_buckets(good),
                    failures=to_buckets(bad),
                )
                for (method, name), (good, bad) in self._counts.items()
            ),
            stages=Stages(
                count=int(self._stages["count"]),
                **{name: float(self._stages[name]) for name in _STAGES},
            ),
            errors=tuple(
                ErrorCount(error=error, count=count) for error, count in self._errors.most_common()
            ),
        )

    def _add(self, sample: Sample) -> None:
        for it in sample.requests:
            good, bad = self._counts.setdefault((it.method, it.name), (Counter(), Counter()))
            _add_buckets(good, it.successes)
            _add_buckets(bad, it.failures)
        self._stages["count"] += sample.stages.count
        for name in _STAGES:
            self._stages[name] += getattr(sample.stages, name)
        for error in sample.errors:
            is_new = error.error not in self._errors
            is_full = len(self._errors) >= MAX_ERROR_KINDS
            self._errors[_OTHER_ERRORS if is_new and is_full else error.error] += error.count


def _add_buckets(total: Counter[float], histogram: Buckets) -> None:
    for latency_ms, number in histogram:
        total[latency_ms] += number
