"""Ten seconds of an attempt as one packed value: what is kept of its older seconds."""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass
from itertools import accumulate, pairwise

from loadbench.engine.journal.events import (
    Buckets,
    Container,
    ErrorCount,
    Requests,
    Sample,
    Stages,
)

BUCKET_S = 10
MAX_ERROR_KINDS = 50
"""Kinds of error that are counted separately. Every message may differ, so the rest is one kind."""
_OTHER_ERRORS = "other failures"
_STAGES = ("latency_ms", "total_ms", "queue_ms", "decode_ms", "infer_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerRange:
    """The least and the most that a container used in a second. None: not known."""

    name: str
    min_cpu_cores: float | None
    max_cpu_cores: float | None
    min_memory_bytes: int | None
    max_memory_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketContents:
    """What ended in ten seconds, and what was used in them."""

    requests: tuple[Requests, ...]
    stages: Stages
    errors: tuple[ErrorCount, ...]
    """Of many kinds, the rest is one kind."""
    containers: tuple[ContainerRange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeBucket:
    """Ten seconds, merged: sums of counts; minimum and maximum of successes, users and containers.

    Other measurements of a `Sample`, such as those of the client, are not kept.
    """

    second: int
    """The first one."""
    users: int
    """The most at once."""
    min_users: int
    min_successes: int
    """In one second; so is the next."""
    max_successes: int
    packed: bytes
    """The contents, compressed: about a kilobyte."""

    @property
    def requests(self) -> tuple[Requests, ...]:
        """The requests that ended, as `Sample.requests`."""
        return self.unpacked().requests

    def unpacked(self) -> BucketContents:
        """Return the contents."""
        contents = json.loads(zlib.decompress(self.packed))
        return BucketContents(
            requests=tuple(
                Requests(method=method, name=name, successes=_unpack(good), failures=_unpack(bad))
                for method, name, good, bad in contents["requests"]
            ),
            stages=Stages(**contents["stages"]),
            errors=tuple(ErrorCount(error=it, count=n) for it, n in contents["errors"]),
            containers=tuple(ContainerRange(**it) for it in contents["containers"]),
        )


class RequestTotals:
    """Adds up requests, stages and errors of seconds."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], tuple[Counter[float], Counter[float]]] = {}
        self._stages: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()

    def add(self, part: Sample | TimeBucket) -> None:
        """Add one second, or ten."""
        ended = part.unpacked() if isinstance(part, TimeBucket) else part
        for it in ended.requests:
            good, bad = self._counts.setdefault((it.method, it.name), (Counter(), Counter()))
            _add_buckets(good, it.successes)
            _add_buckets(bad, it.failures)
        self._stages["count"] += ended.stages.count
        for name in _STAGES:
            self._stages[name] += getattr(ended.stages, name)
        for error in ended.errors:
            is_new = error.error not in self._errors
            is_full = len(self._errors) >= MAX_ERROR_KINDS
            self._errors[_OTHER_ERRORS if is_new and is_full else error.error] += error.count

    @property
    def requests(self) -> tuple[Requests, ...]:
        """The histograms by method and name, in the order of their first request."""
        return tuple(
            Requests(
                method=method,
                name=name,
                successes=tuple(sorted(good.items())),
                failures=tuple(sorted(bad.items())),
            )
            for (method, name), (good, bad) in self._counts.items()
        )

    @property
    def stages(self) -> Stages:
        """The sums."""
        return Stages(
            count=int(self._stages["count"]),
            **{name: float(self._stages[name]) for name in _STAGES},
        )

    @property
    def errors(self) -> tuple[ErrorCount, ...]:
        """What failed, the most frequent first."""
        return tuple(ErrorCount(error=it, count=n) for it, n in self._errors.most_common())


def bucket_of(samples: Sequence[Sample]) -> TimeBucket:
    """Return the bucket of successive seconds."""
    totals = RequestTotals()
    for sample in samples:
        totals.add(sample)
    successes = [sum(n for it in one.requests for _, n in it.successes) for one in samples]
    contents = {
        "requests": [
            (it.method, it.name, _pack(it.successes), _pack(it.failures)) for it in totals.requests
        ],
        "stages": asdict(totals.stages),
        "errors": [astuple(it) for it in totals.errors],
        "containers": [asdict(it) for it in _container_ranges(samples)],
    }
    return TimeBucket(
        second=samples[0].second,
        users=max(it.users for it in samples),
        min_users=min(it.users for it in samples),
        min_successes=min(successes),
        max_successes=max(successes),
        packed=zlib.compress(json.dumps(contents, separators=(",", ":")).encode()),
    )


def _container_ranges(samples: Iterable[Sample]) -> Iterable[ContainerRange]:
    looks: dict[str, list[Container]] = {}
    for sample in samples:
        for it in sample.containers:
            looks.setdefault(it.name, []).append(it)
    for name, its in looks.items():
        cores = [it.cpu_cores for it in its if it.cpu_cores is not None]
        memory = [it.memory_bytes for it in its if it.memory_bytes is not None]
        yield ContainerRange(
            name=name,
            min_cpu_cores=min(cores, default=None),
            max_cpu_cores=max(cores, default=None),
            min_memory_bytes=min(memory, default=None),
            max_memory_bytes=max(memory, default=None),
        )


def _pack(histogram: Buckets) -> tuple[bool, list[float], list[int]]:
    """Return a histogram in a form that compresses well.

    Latencies have three digits, at most to 0.01 ms: steps between whole hundredths are small
    integers. Others are kept as they are.
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
