"""Rates of requests, estimated from what users do: their think time and their tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loadbench.engine.journal.request_names import is_named
from loadbench.engine.measure.sampling.backed import SampleNeed
from loadbench.engine.profile.sections.goals import Goals

RequestKey = tuple[str, str]
"""Method and name of requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPattern:
    """What the users of one class do in a loop: a task, then a pause."""

    name: str
    """Name of the class."""
    weight: float = 1.0
    fixed_count: int = 0
    """Number of users of this class, independent of the weights. 0: the weight decides."""
    pause_s: float = 0.0
    """Mean pause after a task in seconds."""
    min_cycle_s: float = 0.0
    """Minimum time from one task to the next in seconds."""
    requests: Mapping[RequestKey, float] = field(default_factory=dict)
    """Mean number of requests per task, by method and name."""
    unknown: str = ""
    """Why the pause is unknown. Empty if it is known."""
    unknown_requests: str = ""
    """Why the requests are unknown. Empty if they are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateEstimate:
    """Estimated samples per second."""

    rate: float | None = None
    """None if it is unknown."""
    unknown: str = ""
    """Why it is unknown, as a clause. Empty if it is known."""
    is_maximum: bool = False
    """Whether the rate may be lower, because a latency is unknown."""


def rate_of_users(
    patterns: Sequence[UserPattern], users: int, need: SampleNeed, goals: Goals, main: str | None
) -> RateEstimate:
    """Estimate the samples per second that users collect for a percentile.

    The time from one task to the next is the pause and the latencies of the requests. A latency is
    the limit of the goal, because a cell that meets its goal has a lower one.

    Args:
        patterns: The user classes.
        users: Number of users of all classes.
        need: The percentile.
        goals: The goals of the profile.
        main: Name of the main request, to which the goals for all requests apply. None: all.
    """
    if need.is_measurement:
        return RateEstimate(unknown=f"no earlier run has values of {need.name}")
    if not patterns:
        return RateEstimate(unknown="no user classes were found")
    rate, is_maximum = 0.0, False
    for one, number in zip(patterns, _users_of(patterns, users), strict=True):
        if not number:
            continue
        if one.unknown:
            return RateEstimate(unknown=one.unknown)
        if one.unknown_requests and need.name:
            return RateEstimate(unknown=one.unknown_requests)
        # If the requests of a task are unknown, it is assumed to send one.
        requests = one.requests or {("", ""): 1.0}
        latency_s, is_known = _latency_s(requests, goals, main)
        cycle_s = max(one.min_cycle_s, one.pause_s + latency_s)
        if not cycle_s:
            return RateEstimate(unknown="without think time and goals, it depends on the latency")
        per_task = sum(amount for key, amount in requests.items() if is_named(*key, need.name))
        rate += number * per_task / cycle_s
        is_maximum |= not is_known
    if not rate:
        return RateEstimate(unknown=f"no task sends {need.subject}")
    return RateEstimate(rate=rate, is_maximum=is_maximum)


def _users_of(patterns: Sequence[UserPattern], users: int) -> list[float]:
    """Return the mean number of users of each class, as Locust distributes them."""
    left = float(users)
    fixed = []
    for one in patterns:
        fixed.append(min(left, one.fixed_count))
        left -= fixed[-1]
    total = sum(one.weight for one in patterns if not one.fixed_count)
    return [
        number if one.fixed_count else (left * one.weight / total if total else 0.0)
        for one, number in zip(patterns, fixed, strict=True)
    ]


def _latency_s(
    requests: Mapping[RequestKey, float], goals: Goals, main: str | None
) -> tuple[float, bool]:
    """Return the latency of all requests of a task in seconds, and whether any limit is known.

    Requests without a goal take as long as the slowest with one.
    """
    limits = [_limit_of(key, goals, main) for key in requests]
    slowest = max((limit for limit in limits if limit), default=None)
    if slowest is None:
        return 0.0, False
    pairs = zip(requests.values(), limits, strict=True)
    return sum(amount * (limit or slowest) for amount, limit in pairs) / 1000, True


def _limit_of(key: RequestKey, goals: Goals, main: str | None) -> float | None:
    """Return the limit of the mean latency of requests in ms, or None if they have no goal."""
    for name, limits in goals.requests.items():
        if is_named(*key, name) and (limit := _limit_ms(limits)):
            return limit
    if not is_named(*key, main):
        return None
    return _limit_ms({name.removesuffix("_ms"): limit for name, limit in goals})


def _limit_ms(limits: Mapping[str, Any]) -> float | None:
    """Return the limit of the lowest high percentile with a goal, or else of p50."""
    return next((limit for key in ("p90", "p95", "p99", "p50") if (limit := limits.get(key))), None)
