"""Request counts: latency histograms by name, sums of stages, errors by message."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from loadbench.in_locust.clean import RequestEvent
from loadbench.in_locust.names import OTHER_REQUESTS, Name, bytes_of

MAX_ERRORS = 20
"""Maximum number of distinct error messages. Further messages are counted together."""
OTHER_FAILURES = "other failures"
"""Stands for all further error messages."""

MAX_SECOND_NAME_BYTES = 1_200
"""Maximum size of the names of one second in the journal, with the structure around each. With its
containers and histograms, a second then needs about `engine.run.space.SAMPLE_BYTES`."""
MAX_SECOND_ERROR_BYTES = 600
"""Maximum size of the error messages of one second in the journal."""
_ENTRY_BYTES = 40
"""Approximate size of the structure around a name or an error message in the journal."""
_STAGES_BYTES = 110
"""Approximate size of the stages of a name."""
T = TypeVar("T")


@dataclass(slots=True)
class RequestCounts:
    """Requests of one name: the latencies of successes and failures, and those without one."""

    successes: Counter[float] = field(default_factory=Counter)
    failures: Counter[float] = field(default_factory=Counter)
    undelayed: Counter[float] = field(default_factory=Counter)
    """Latencies of successes without the delay by the load generator, if it is known."""
    untimed_successes: int = 0
    untimed_failures: int = 0
    staged: int = 0
    """Number of successes that reported stages."""
    stages: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Sums of their latencies and stages in ms."""

    def succeed(self, bucket: float | None) -> None:
        """Count a successful request, in the bucket of its latency. None: it has no latency."""
        if bucket is None:
            self.untimed_successes += 1
        else:
            self.successes[bucket] = self.successes.get(bucket, 0) + 1

    def fail(self, bucket: float | None) -> None:
        """Count a failed request, in the bucket of its latency. None: it has no latency."""
        if bucket is None:
            self.untimed_failures += 1
        else:
            self.failures[bucket] = self.failures.get(bucket, 0) + 1

    def add_stages(self, latency_ms: float, stages: Mapping[str, float]) -> None:
        """Add the stages of a success."""
        self.staged += 1
        sums = self.stages
        sums["latency_ms"] += latency_ms
        for stage, duration_ms in stages.items():
            sums[stage] += duration_ms

    def add_sums(self, other: "RequestCounts") -> None:
        """Add the stages of another name."""
        self.staged += other.staged
        for stage, duration_ms in other.stages.items():
            self.stages[stage] += duration_ms

    def add(self, other: "RequestCounts") -> None:
        """Add the requests of another name."""
        self.successes.update(other.successes)
        self.failures.update(other.failures)
        self.undelayed.update(other.undelayed)
        self.untimed_successes += other.untimed_successes
        self.untimed_failures += other.untimed_failures
        self.add_sums(other)

    @property
    def number(self) -> int:
        """Number of requests."""
        timed = self.successes.total() + self.failures.total()
        return timed + self.untimed_successes + self.untimed_failures

    def as_json(self) -> dict[str, Any]:
        """Return the counts in the format of the journal."""
        untimed = {
            "untimed_successes": self.untimed_successes,
            "untimed_failures": self.untimed_failures,
        }
        return {
            "successes": sorted(self.successes.items()),
            "failures": sorted(self.failures.items()),
            **({"undelayed": sorted(self.undelayed.items())} if self.undelayed else {}),
            **{name: number for name, number in untimed.items() if number},
        }

    def stages_as_json(self) -> dict[str, Any]:
        """Return the stages in the format of the journal."""
        sums = {key: round(value, 3) for key, value in self.stages.items()}
        return {"count": self.staged, **sums}


@dataclass(slots=True)
class Tally:
    """Counts of the requests of one second or of the measurement window."""

    requests: dict[Name, RequestCounts] = field(default_factory=dict)
    """Counts by name. `NameLimit` bounds the number of names."""
    errors: Counter[str] = field(default_factory=Counter)

    def succeed(
        self,
        name: Name,
        bucket: float | None,
        latency_ms: float | None,
        stages: Mapping[str, float],
    ) -> None:
        """Count a successful request, in the bucket of its latency."""
        counts = self.requests.get(name) or self._added(name)
        if bucket is None:
            counts.untimed_successes += 1
        else:
            # Called twice per request, so this avoids another call.
            histogram = counts.successes
            histogram[bucket] = histogram.get(bucket, 0) + 1
        # Without a latency, the time in the network is unknown.
        if stages and latency_ms is not None:
            counts.add_stages(latency_ms, stages)

    def record(self, event: RequestEvent, bucket: float | None, error: str | None) -> None:
        """Count a request. Its error becomes the one under which it is counted.

        Args:
            event: The request.
            bucket: Bucket of its latency. None: it has no latency.
            error: Its error message. None: it was successful.
        """
        if error is None:
            self.succeed(event.key, bucket, event.latency_ms, event.stages)
        else:
            event.error = self.fail(event.key, bucket, error)

    def add_undelayed(self, name: Name, bucket: float) -> None:
        """Count the latency of a counted success without the delay by the load generator."""
        histogram = self.requests[name].undelayed
        histogram[bucket] = histogram.get(bucket, 0) + 1

    def fail(self, name: Name, bucket: float | None, error: str) -> str:
        """Count a failed request. Return the error message under which it is counted."""
        (self.requests.get(name) or self._added(name)).fail(bucket)
        if error not in self.errors and len(self.errors) >= MAX_ERRORS:
            error = OTHER_FAILURES
        self.errors[error] += 1
        return error

    def _added(self, name: Name) -> RequestCounts:
        return self.requests.setdefault(name, RequestCounts())

    def limited(
        self, frequency: Mapping[Name, int], is_main: Callable[[Name], bool] = lambda _: False
    ) -> "Tally":
        """Return the counts of a second with fewer names and errors, all others together.

        Args:
            frequency: Number of requests of the whole cell by name. The most frequent names are
                kept, so that they are the same in most seconds.
            is_main: Returns whether a name is that of the main requests, which are kept first.
        """
        kept_names = _within(
            MAX_SECOND_NAME_BYTES,
            sorted(self.requests, key=lambda name: (not is_main(name), -frequency.get(name, 0))),
            lambda name: bytes_of(name) + bool(self.requests[name].staged) * _STAGES_BYTES,
        )
        kept_errors = _within(
            MAX_SECOND_ERROR_BYTES,
            [error for error, _ in self.errors.most_common()],
            lambda error: len(error.encode()),
        )
        if len(kept_names) == len(self.requests) and len(kept_errors) == len(self.errors):
            return self
        short = Tally()
        others = RequestCounts()
        for name, counts in self.requests.items():
            if name in kept_names and name != OTHER_REQUESTS:
                short.requests[name] = counts
            else:
                others.add(counts)
        if others.number:
            short.requests[OTHER_REQUESTS] = others
        for error, number in self.errors.items():
            short.errors[error if error in kept_errors else OTHER_FAILURES] += number
        return short

    def as_json(self) -> dict[str, Any]:
        """Return the counts in the format of the journal."""
        total = RequestCounts()
        for counts in self.requests.values():
            total.add_sums(counts)
        return {
            "requests": [
                {"method": method, "name": name, **counts.as_json(), **_staged(counts)}
                for (method, name), counts in self.requests.items()
            ],
            "stages": total.stages_as_json(),
            "errors": [{"error": e, "count": n} for e, n in self.errors.most_common()],
        }


def _staged(counts: RequestCounts) -> dict[str, Any]:
    return {"stages": counts.stages_as_json()} if counts.staged else {}


def _within(max_bytes: int, items: Sequence[T], size: Callable[[T], int]) -> set[T]:
    """Return the first items that fit a size together, at least one."""
    kept: set[T] = set()
    for item in items:
        max_bytes -= size(item) + _ENTRY_BYTES
        if max_bytes < 0 and kept:
            break
        kept.add(item)
    return kept
