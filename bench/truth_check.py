"""What a run told beside what the server did: counts, percentiles, and the limits for them."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bench.truth_runs import Request, ToldByStock, ToldByTool
from loadbench.engine.measure.buckets import count, failures, percentile, successes, to_buckets

LIMITS = {0.5: (0.02, 1.0), 0.9: (0.02, 1.0), 0.95: (0.05, 2.0), 0.99: (0.05, 2.0)}
"""By percentile: the larger of this share of the truth and of these ms may be missing."""

EDGE_S = 0.0003
"""A moment this close to an edge of the window may be counted on either side."""

RATE_S = 0.001
"""How far the measured time may be off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A count beside the truth."""

    told: int
    sure: int
    ambiguous: int

    @property
    def exact(self) -> bool:
        """Whether it is right to the request, as far as that can be known."""
        return self.sure <= self.told <= self.sure + self.ambiguous

    def __str__(self) -> str:
        more = f"…{self.sure + self.ambiguous}" if self.ambiguous else ""
        return f"{self.told} of {self.sure}{more}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """A percentile beside the truth."""

    fraction: float
    told_ms: float
    truth_ms: float

    @property
    def miss(self) -> float:
        """The error over what is allowed: beyond 1 it is too large."""
        share, least_ms = LIMITS[self.fraction]
        return abs(self.told_ms - self.truth_ms) / max(share * self.truth_ms, least_ms)

    @property
    def error(self) -> str:
        """The error in percent, with a mark where it is too large."""
        off = 100 * (self.told_ms / self.truth_ms - 1)
        return f"{off:+.1f} %{'!' if self.miss > 1 else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything that a run told, beside the truth."""

    latencies: tuple[Latency, ...]
    counts: Mapping[str, Number]
    measured_off_s: float = 0.0

    @property
    def miss(self) -> float:
        """The worst error over what is allowed."""
        return max(latency.miss for latency in self.latencies)

    @property
    def exact(self) -> bool:
        """Whether counts and rate are right to the request."""
        return self.measured_off_s <= RATE_S and all(it.exact for it in self.counts.values())


def compare_tool(run: ToldByTool) -> Comparison:
    """Compare with the requests that were started in the measured window."""
    started = in_window(run, lambda request: request.started_s)
    completed = in_window(run, lambda request: request.ended_s)
    good, bad = successes(run.cell.requests), failures(run.cell.requests)
    begin_s, end_s = run.window
    return Comparison(
        latencies=latencies(dict(good), (it for it, _ in started)),
        counts={
            "successes": number(count(good), (sure for it, sure in started if it.good)),
            "failures": number(count(bad), (sure for it, sure in started if not it.good)),
            "completed": number(run.cell.completed, (sure for it, sure in completed if it.good)),
        },
        measured_off_s=abs(run.cell.measured_s - (end_s - begin_s)),
    )


def compare_stock(run: ToldByStock) -> Comparison:
    """Compare with all that the server answered; the latency with that of the successes."""
    answered = [it for it in run.requests if it.latency_ms is not None]
    total = number(count(run.histogram), (True for _ in answered))
    return Comparison(
        latencies=latencies(dict(run.histogram), answered), counts={"requests": total}
    )


def in_window(
    run: ToldByTool, moment: Callable[[Request], float | None]
) -> list[tuple[Request, bool]]:
    """Return the requests with that moment in the window, and whether that is sure."""
    begin_s, end_s = run.window
    found = []
    for request in run.requests:
        at = moment(request)
        if at is not None and begin_s - EDGE_S <= at < end_s + EDGE_S:
            found.append((request, begin_s + EDGE_S <= at < end_s - EDGE_S))
    return found


def number(told: int, sure: Iterable[bool]) -> Number:
    """Put a count beside the truth, for each request of which says whether it is sure."""
    known = Counter(sure)
    return Number(told=told, sure=known[True], ambiguous=known[False])


def latencies(told: Mapping[float, int], requests: Iterable[Request]) -> tuple[Latency, ...]:
    """Put percentiles beside those of the successes at the server, by the same rule of rank."""
    seen = Counter(it.latency_ms for it in requests if it.good and it.latency_ms is not None)
    return tuple(
        Latency(
            fraction=fraction,
            told_ms=percentile(to_buckets(told), fraction) or 0.0,
            truth_ms=percentile(to_buckets(seen), fraction) or 0.0,
        )
        for fraction in LIMITS
    )
