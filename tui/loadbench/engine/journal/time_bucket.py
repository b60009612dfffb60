"""Merge ten older seconds of an attempt into one compressed value."""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, field
from itertools import accumulate, pairwise
from typing import TypeVar

from loadbench.engine.journal.events import (
    Buckets,
    Container,
    ErrorCount,
    Measurement,
    Requests,
    Sample,
    Stages,
)

BUCKET_S = 10
MAX_ERROR_KINDS = 50
"""Maximum number of distinct errors counted separately. Further errors share one entry."""
_OTHER_ERRORS = "other failures"
T = TypeVar("T")
_STAGES = ("latency_ms", "total_ms", "queue_ms", "decode_ms", "infer_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerRange:
    """Minimum and maximum usage of a container over some seconds. Unknown values are None."""

    name: str
    min_cpu_cores: float | None
    max_cpu_cores: float | None
    min_memory_bytes: int | None
    max_memory_bytes: int | None
    max_vram_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketContents:
    """Requests completed, values reported and resources used in ten seconds."""

    requests: tuple[Requests, ...]
    measurements: tuple[Measurement, ...]
    stages: Stages
    errors: tuple[ErrorCount, ...]
    """At most `MAX_ERROR_KINDS` errors, plus one entry for all others."""
    containers: tuple[ContainerRange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeBucket:
    """Ten merged seconds: sums of counts, and the range of successes, users and container usage.

    Other fields of a `Sample`, such as those of the load generator, are dropped.
    """

    second: int
    """First second of the bucket."""
    users: int
    """Maximum number of users."""
    min_users: int
    """Minimum number of users."""
    min_successes: int
    """Minimum number of successes per second."""
    max_successes: int
    """Maximum number of successes per second."""
    packed: bytes
    """Compressed contents, about 1 kB, and 0.3 kB for each measurement."""

    @property
    def requests(self) -> tuple[Requests, ...]:
        """Completed requests, in the format of `Sample.requests`."""
        return self.unpacked().requests

    def unpacked(self) -> BucketContents:
        """Decompress the contents."""
        contents = json.loads(zlib.decompress(self.packed))
        return BucketContents(
            requests=tuple(
                Requests(
                    method=method,
                    name=name,
                    successes=_unpack(good),
                    failures=_unpack(bad),
                    untimed_successes=untimed_good,
                    untimed_failures=untimed_bad,
                    stages=Stages(**stages) if stages else None,
                )
                for method, name, good, bad, untimed_good, untimed_bad, stages in contents[
                    "requests"
                ]
            ),
            measurements=tuple(
                Measurement(
                    kind=kind, name=name, unit=unit, values=_unpack(values), failures=failures
                )
                for kind, name, unit, values, failures in contents["measurements"]
            ),
            stages=Stages(**contents["stages"]),
            errors=tuple(ErrorCount(error=text, count=n) for text, n in contents["errors"]),
            containers=tuple(ContainerRange(**fields) for fields in contents["containers"]),
        )


class _StageSums:
    def __init__(self) -> None:
        self._count = 0
        self._sums = dict.fromkeys(_STAGES, 0.0)

    def add(self, stages: Stages) -> None:
        self._count += stages.count
        for name in _STAGES:
            self._sums[name] += getattr(stages, name)

    @property
    def stages(self) -> Stages:
        return Stages(count=self._count, **self._sums)


@dataclass(slots=True)
class _RequestCounts:
    successes: Counter[float] = field(default_factory=Counter)
    failures: Counter[float] = field(default_factory=Counter)
    untimed_successes: int = 0
    untimed_failures: int = 0
    stages: _StageSums | None = None


@dataclass(slots=True)
class _MeasurementCounts:
    values: Counter[float] = field(default_factory=Counter)
    failures: int = 0


class MeasurementTotals:
    """Running totals of measurements by type, name and unit."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], _MeasurementCounts] = {}

    def add(self, measurements: Iterable[Measurement]) -> None:
        """Add the measurements of one sample or bucket."""
        for one in measurements:
            identity = (one.kind, one.name, one.unit)
            counts = self._counts.setdefault(identity, _MeasurementCounts())
            _add_buckets(counts.values, one.values)
            counts.failures += one.failures

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """Measurements in order of their first event."""
        return tuple(
            Measurement(
                kind=kind,
                name=name,
                unit=unit,
                values=tuple(sorted(counts.values.items())),
                failures=counts.failures,
            )
            for (kind, name, unit), counts in self._counts.items()
        )


class RequestTotals:
    """Running totals of requests, measurements, stages and errors over samples and buckets."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], _RequestCounts] = {}
        self._measurements = MeasurementTotals()
        self._stages = _StageSums()
        self._errors: Counter[str] = Counter()

    def add(self, part: Sample | TimeBucket) -> None:
        """Add one sample or bucket."""
        contents = part.unpacked() if isinstance(part, TimeBucket) else part
        for request in contents.requests:
            key = (request.method, request.name)
            counts = self._counts.setdefault(key, _RequestCounts())
            _add_buckets(counts.successes, request.successes)
            _add_buckets(counts.failures, request.failures)
            counts.untimed_successes += request.untimed_successes
            counts.untimed_failures += request.untimed_failures
            if request.stages:
                counts.stages = counts.stages or _StageSums()
                counts.stages.add(request.stages)
        self._measurements.add(contents.measurements)
        self._stages.add(contents.stages)
        for error in contents.errors:
            is_new = error.error not in self._errors
            is_full = len(self._errors) >= MAX_ERROR_KINDS
            self._errors[_OTHER_ERRORS if is_new and is_full else error.error] += error.count

    @property
    def requests(self) -> tuple[Requests, ...]:
        """Histograms by method and name, in order of their first request."""
        return tuple(
            Requests(
                method=method,
                name=name,
                successes=tuple(sorted(counts.successes.items())),
                failures=tuple(sorted(counts.failures.items())),
                untimed_successes=counts.untimed_successes,
                untimed_failures=counts.untimed_failures,
                stages=counts.stages.stages if counts.stages else None,
            )
            for (method, name), counts in self._counts.items()
        )

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """Measurements in order of their first event."""
        return self._measurements.measurements

    @property
    def stages(self) -> Stages:
        """Stage times summed over all successful requests."""
        return self._stages.stages

    @property
    def errors(self) -> tuple[ErrorCount, ...]:
        """Errors, most frequent first."""
        return tuple(ErrorCount(error=text, count=n) for text, n in self._errors.most_common())


def bucket_of(samples: Sequence[Sample]) -> TimeBucket:
    """Merge successive seconds into a bucket."""
    totals = RequestTotals()
    for sample in samples:
        totals.add(sample)
    successes = [
        sum(
            request.untimed_successes + sum(n for _, n in request.successes)
            for request in sample.requests
        )
        for sample in samples
    ]
    readings = [container for sample in samples for container in sample.containers]
    contents = {
        "requests": [
            (
                *(request.method, request.name, _pack(request.successes), _pack(request.failures)),
                *(request.untimed_successes, request.untimed_failures),
                asdict(request.stages) if request.stages else None,
            )
            for request in totals.requests
        ],
        "measurements": [
            (one.kind, one.name, one.unit, _pack(one.values), one.failures)
            for one in totals.measurements
        ],
        "stages": asdict(totals.stages),
        "errors": [astuple(error) for error in totals.errors],
        "containers": [asdict(container) for container in merge_ranges((), readings)],
    }
    return TimeBucket(
        second=samples[0].second,
        users=max(sample.users for sample in samples),
        min_users=min(sample.users for sample in samples),
        min_successes=min(successes),
        max_successes=max(successes),
        packed=zlib.compress(json.dumps(contents, separators=(",", ":")).encode()),
    )


def merge_ranges(
    ranges: Iterable[ContainerRange], newer: Iterable[Container | ContainerRange]
) -> tuple[ContainerRange, ...]:
    """Return the ranges of container usage, extended by newer readings or ranges."""
    found: dict[str, list[ContainerRange]] = {}
    for container in (*ranges, *newer):
        found.setdefault(container.name, []).append(_range_of(container))
    return tuple(_merged(name, each) for name, each in found.items())


def _range_of(container: Container | ContainerRange) -> ContainerRange:
    if isinstance(container, ContainerRange):
        return container
    return ContainerRange(
        name=container.name,
        min_cpu_cores=container.cpu_cores,
        max_cpu_cores=container.cpu_cores,
        min_memory_bytes=container.memory_bytes,
        max_memory_bytes=container.memory_bytes,
        max_vram_bytes=container.vram_bytes,
    )


def _merged(name: str, ranges: Sequence[ContainerRange]) -> ContainerRange:
    return ContainerRange(
        name=name,
        min_cpu_cores=min(_known(each.min_cpu_cores for each in ranges), default=None),
        max_cpu_cores=max(_known(each.max_cpu_cores for each in ranges), default=None),
        min_memory_bytes=min(_known(each.min_memory_bytes for each in ranges), default=None),
        max_memory_bytes=max(_known(each.max_memory_bytes for each in ranges), default=None),
        max_vram_bytes=max(_known(each.max_vram_bytes for each in ranges), default=None),
    )


def _known(values: Iterable[T | None]) -> list[T]:
    return [value for value in values if value is not None]


def _pack(histogram: Buckets) -> tuple[bool, list[float], list[int]]:
    """Convert a histogram to a form that compresses well.

    Latencies have at most two decimals, so the differences between
    them in hundredths of a ms are small integers. Any other values, such as those of measurements
    with another unit, are kept unchanged.
    """
    latencies, counts = [ms for ms, _ in histogram], [n for _, n in histogram]
    hundredths = [round(ms * 100) for ms in latencies]
    if [n / 100 for n in hundredths] != latencies:
        return False, latencies, counts
    return True, [after - before for before, after in pairwise([0, *hundredths])], counts


def _unpack(packed: tuple[bool, list[float], list[int]]) -> Buckets:
    is_hundredths, numbers, counts = packed
    latencies = [n / 100 for n in accumulate(numbers)] if is_hundredths else numbers
    return tuple(zip(latencies, counts, strict=True))


def _add_buckets(total: Counter[float], histogram: Buckets) -> None:
    for latency_ms, number in histogram:
        total[latency_ms] += number
