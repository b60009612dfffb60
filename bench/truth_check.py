"""Compare the counts and percentiles of a run with the server's log, within limits."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bench.truth_runs import Request, StockResult, ToolResult
from loadbench.engine.measure.buckets import count, failures, percentile, successes, to_buckets

LIMITS = {0.5: (0.02, 1.0), 0.9: (0.02, 1.0), 0.95: (0.05, 2.0), 0.99: (0.05, 2.0)}
"""Maximum error by percentile: a fraction of the server's latency or a time in ms, if larger."""

EDGE_S = 0.0003
"""Tolerance in seconds: a time this close to an edge of the window may count on either side."""

MAX_WINDOW_ERROR_S = 0.001
"""Maximum error of the length of the window, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A reported count compared with the server's."""

    reported: int
    certain: int
    ambiguous: int
    """Requests at an edge of the window, which may or may not count."""

    @property
    def is_exact(self) -> bool:
        """Whether the count is exact, allowing for ambiguous requests."""
        return self.certain <= self.reported <= self.certain + self.ambiguous

    def __str__(self) -> str:
        upper = f"…{self.certain + self.ambiguous}" if self.ambiguous else ""
        return f"{self.reported} of {self.certain}{upper}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """A reported percentile compared with the server's."""

    fraction: float
    reported_ms: float
    server_ms: float

    @property
    def error_ratio(self) -> float:
        """Error divided by the maximum error; a value above 1 exceeds the limit."""
        share, min_ms = LIMITS[self.fraction]
        return abs(self.reported_ms - self.server_ms) / max(share * self.server_ms, min_ms)

    @property
    def error(self) -> str:
        """Error in percent, followed by `!` if it exceeds the limit."""
        percent = 100 * (self.reported_ms / self.server_ms - 1)
        return f"{percent:+.1f} %{'!' if self.error_ratio > 1 else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All results of a run compared with the server's log."""

    latencies: tuple[Latency, ...]
    counts: Mapping[str, Number]
    window_error_s: float = 0.0

    @property
    def error_ratio(self) -> float:
        """Largest error of a percentile, divided by its maximum error."""
        return max(latency.error_ratio for latency in self.latencies)

    @property
    def is_exact(self) -> bool:
        """Whether the counts and the length of the window are exact."""
        has_exact_window = self.window_error_s <= MAX_WINDOW_ERROR_S
        return has_exact_window and all(number.is_exact for number in self.counts.values())


def compare_tool(run: ToolResult) -> Comparison:
    """Compare the tool's results with the requests in the measurement window."""
    started = in_window(run, lambda request: request.started_s)
    completed = in_window(run, lambda request: request.ended_s)
    good, bad = successes(run.cell.requests), failures(run.cell.requests)
    begin_s, end_s = run.window
    return Comparison(
        latencies=latencies(dict(good), (request for request, _ in started)),
        counts={
            "successes": number(
                count(good), (is_certain for request, is_certain in started if request.is_success)
            ),
            "failures": number(
                count(bad),
                (is_certain for request, is_certain in started if not request.is_success),
            ),
            "completed": number(
                run.cell.completed,
                (is_certain for request, is_certain in completed if request.is_success),
            ),
        },
        window_error_s=abs(run.cell.measured_s - (end_s - begin_s)),
    )


def compare_stock(run: StockResult) -> Comparison:
    """Compare the results of stock Locust with all requests that the server answered."""
    answered = [request for request in run.requests if request.latency_ms is not None]
    total = number(count(run.histogram), (True for _ in answered))
    return Comparison(
        latencies=latencies(dict(run.histogram), answered), counts={"requests": total}
    )


def in_window(
    run: ToolResult, moment: Callable[[Request], float | None]
) -> list[tuple[Request, bool]]:
    """Return the requests whose `moment` lies in the window, and whether that is certain."""
    begin_s, end_s = run.window
    found = []
    for request in run.requests:
        at = moment(request)
        if at is not None and begin_s - EDGE_S <= at < end_s + EDGE_S:
            found.append((request, begin_s + EDGE_S <= at < end_s - EDGE_S))
    return found


def number(reported: int, certainties: Iterable[bool]) -> Number:
    """Compare a count with the server's, given for each request whether it certainly counts."""
    counted = Counter(certainties)
    return Number(reported=reported, certain=counted[True], ambiguous=counted[False])


def latencies(reported: Mapping[float, int], requests: Iterable[Request]) -> tuple[Latency, ...]:
    """Compare percentiles with those of the server's successes; both are nearest-rank."""
    served = Counter(
        request.latency_ms
        for request in requests
        if request.is_success and request.latency_ms is not None
    )
    return tuple(
        Latency(
            fraction=fraction,
            reported_ms=percentile(to_buckets(reported), fraction) or 0.0,
            server_ms=percentile(to_buckets(served), fraction) or 0.0,
        )
        for fraction in LIMITS
    )
