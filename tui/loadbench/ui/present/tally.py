"""What an attempt has come to so far, added up as its samples come. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from loadbench.engine.journal.events import Buckets, ErrorCount, Phase, Requests, Sample, Stages
from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.buckets import to_buckets

MOST_ERRORS = 50
"""Kinds of failure that are told apart; messages may all be different."""
_STAGES = ("latency_ms", "total_ms", "queue_ms", "decode_ms", "infer_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The sums over some seconds of an attempt."""

    measured: bool
    """They are of the measuring phase; else of everything before it."""
    seconds: int
    requests: tuple[Requests, ...]
    stages: Stages
    errors: tuple[ErrorCount, ...]


@dataclass(slots=True)
class Adder:
    """Adds up one attempt at a time, every sample once."""

    _whose: tuple[object, ...] = ()
    _seconds: int = 0
    _counts: dict[tuple[str, str], tuple[Counter[float], Counter[float]]] = field(
        default_factory=dict
    )
    _stages: Counter[str] = field(default_factory=Counter)
    _errors: Counter[str] = field(default_factory=Counter)

    def of(self, state: RunState) -> Tally:
        """Return the sums over the measuring phase of the current attempt, before it over all."""
        measured = state.samples_in(Phase.MEASURING)
        samples: Sequence[Sample] = measured or state.samples
        first = samples[0] if samples else None
        whose = (first.cell, first.attempt, first.second, bool(measured)) if first else ()
        if whose != self._whose or len(samples) < self._seconds:
            self._whose, self._seconds, self._counts = whose, 0, {}
            self._stages, self._errors = Counter(), Counter()
        for sample in samples[self._seconds :]:
            self._add(sample)
        self._seconds = len(samples)
        return Tally(
            measured=bool(measured),
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
            errors=tuple(ErrorCount(error=it, count=n) for it, n in self._errors.most_common()),
        )

    def _add(self, sample: Sample) -> None:
        for it in sample.requests:
            good, bad = self._counts.setdefault((it.method, it.name), (Counter(), Counter()))
            _count(good, it.successes)
            _count(bad, it.failures)
        self._stages["count"] += sample.stages.count
        for name in _STAGES:
            self._stages[name] += getattr(sample.stages, name)
        for error in sample.errors:
            new = error.error not in self._errors and len(self._errors) >= MOST_ERRORS
            self._errors["other failures" if new else error.error] += error.count


def _count(into: Counter[float], histogram: Buckets) -> None:
    for latency_ms, number in histogram:
        into[latency_ms] += number
