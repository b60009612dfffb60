"""Counts requests per second and over the measurement window."""

import time
from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Any

from loadbench.engine.measure.buckets import bucket_ms
from loadbench.in_locust.clean import RequestEvent
from loadbench.in_locust.tally import Histograms, Tally

Clock = Callable[[], float]

MAX_ADDRESSES = 1_000
"""Maximum number of addresses for which requests are counted apart."""
OTHER_ADDRESSES = ""
"""Stands for all further addresses."""


@dataclass(slots=True)
class Window:
    """The measurement window of a cell. Times are from the monotonic clock."""

    begin_s: float
    end_s: float
    cpu_begin_s: float
    clock_offset_s: float
    """Difference between wall clock and monotonic clock at the last check."""
    fewest_users: int
    cpu_end_s: float | None = None
    completed: int = 0
    aborted: int = 0
    tally: Tally = field(default_factory=Tally)
    replicas: dict[str, Histograms] = field(default_factory=dict)
    """Latencies by the base URL of the replica. Empty if there are no replicas."""
    in_flight_s: float = 0.0
    thinking_s: float = 0.0
    waiting_since_s: float = 0.0
    """Start of the current gap: the last response, or the first request after an idle period."""
    open_at_end: bool = False
    """Whether a request was in flight at the end of the window."""
    cpu_read_s: float = 0.0
    """Time at which `cpu_end_s` was read."""
    gaps: Counter[float] = field(default_factory=Counter)
    lag: Counter[float] = field(default_factory=Counter)
    clock_jump_s: float = 0.0

    def __post_init__(self) -> None:
        self.waiting_since_s = self.begin_s

    def __contains__(self, moment_s: float) -> bool:
        return self.begin_s <= moment_s < self.end_s

    def add_to_replica(self, address: str, bucket: float, *, success: bool) -> None:
        """Count a request by the base URL to which it went."""
        if address not in self.replicas and len(self.replicas) >= MAX_ADDRESSES:
            address = OTHER_ADDRESSES
        histograms = self.replicas.setdefault(address, (Counter(), Counter()))
        histograms[0 if success else 1][bucket] += 1

    def overlap_s(self, from_s: float, to_s: float) -> float:
        """Return the overlap of a time span with the window, in seconds."""
        return max(0.0, min(to_s, self.end_s) - max(from_s, self.begin_s))

    def add_response(self, responded_s: float, *, success: bool) -> None:
        """Count a response that arrived in the window, and the gap before it."""
        gap_s = responded_s - self.waiting_since_s
        if gap_s > 0:
            gap = bucket_ms(gap_s * 1000)
            self.gaps[gap] = self.gaps.get(gap, 0) + 1
            self.waiting_since_s = responded_s
        self.completed += success

    def add_in_flight(self, from_s: float, to_s: float) -> bool:
        """Add the time that a request was in flight. Return whether it started in the window."""
        begin_s, end_s = self.begin_s, self.end_s
        if begin_s <= from_s and to_s < end_s:
            self.in_flight_s += to_s - from_s
            return True
        self.in_flight_s += self.overlap_s(from_s, to_s)
        self.open_at_end |= from_s < end_s <= to_s
        return begin_s <= from_s < end_s


class Recorder:
    """Counts the requests of one cell at a time.

    Args:
        clock: Monotonic clock, in seconds.
        cpu_seconds: CPU time of this process, in seconds.
        wall: Wall clock, in seconds since the epoch.
    """

    def __init__(
        self,
        clock: Clock = time.monotonic,
        cpu_seconds: Clock = time.process_time,
        wall: Clock = time.time,
    ) -> None:
        self._clock = clock
        self._cpu_seconds = cpu_seconds
        self._wall = wall
        self.users: Container[object] = ()
        """Greenlets of all current users."""
        self._in_flight = 0
        self.begin("")

    def now(self) -> float:
        """Return the monotonic time, in seconds."""
        return self._clock()

    def begin(self, cell: str) -> None:
        """Reset all counts for a new cell."""
        self.cell = cell
        self.spawned = False
        self.user_classes: list[dict[str, Any]] = []
        """Users of each class when all had been started."""
        self.window: Window | None = None
        self._origin_s = self._clock()
        self._cpu_s = self._cpu_seconds()
        self._lag_s = 0.0
        self._open: dict[int, Tally] = {}
        self._closed: list[dict[str, Any]] = []
        self._discarded = 0

    def measure(self, seconds: float, *, users: int) -> float:
        """Open the measurement window.

        Args:
            seconds: Length of the window.
            users: Current number of users.

        Returns:
            Start of the window in seconds since the start of the cell.
        """
        now = self._clock()
        self.window = Window(
            now,
            now + seconds,
            self._cpu_seconds(),
            clock_offset_s=self._wall() - now,
            fewest_users=users,
        )
        return self._begin_s(self.window)

    def record(self, event: RequestEvent, address: str | None = None) -> bool:
        """Count a completed request.

        Args:
            event: The request.
            address: Base URL of the replica to which it went. None if there are no replicas.

        Returns:
            Whether Locust should also count the request: always before the window is opened;
            afterwards, only if the request started in the window.
        """
        now, latency_ms, key, error = self._clock(), event.latency_ms, event.key, event.error
        bucket = bucket_ms(latency_ms)
        second, window = self._second(now), self.window
        measured = None
        if window:
            # User code may run between the response and this call. The start is therefore computed
            # from the reported start time, converted to the monotonic clock.
            start_s = event.start_time_s
            started = now - (self._wall() - start_s if start_s else latency_ms / 1000)
            responded = started + latency_ms / 1000
            if now < window.end_s:
                window.add_response(responded, success=error is None)
            if window.add_in_flight(started, responded):
                measured = window.tally
                if address is not None:
                    window.add_to_replica(address, bucket, success=error is None)
        for tally in (second, measured) if measured else (second,):
            if error is None:
                tally.succeed(key, bucket, latency_ms, event.stages)
            else:
                tally.fail(key, bucket, error)
        return window is None or measured is not None

    def abort(self, started: float) -> None:
        """Count a request that was aborted before its response arrived."""
        if self.window:
            self.window.aborted += self.window.add_in_flight(started, self._clock())

    def begin_request(self) -> float:
        """Count a request as in flight. Return its start time, for `abort`."""
        now = self._clock()
        if not self._in_flight and self.window:
            # No request was waiting since the last response.
            self.window.waiting_since_s = now
        self._in_flight += 1
        return now

    def end_request(self) -> None:
        """Count a request as no longer in flight."""
        self._in_flight -= 1

    def record_pause(self, started: float, seconds: float) -> None:
        """Add a user's pause that has just ended.

        Args:
            started: Monotonic start time.
            seconds: Intended length.
        """
        if self.window:
            until = min(started + seconds, self._clock())
            self.window.thinking_s += self.window.overlap_s(started, until)

    def record_lag(self, due: float) -> None:
        """Record the lag of the timer event that is being handled, given its monotonic due time."""
        lag_s = max(0.0, self._clock() - due)
        self._lag_s = max(self._lag_s, lag_s)
        # The due time decides, because the event loop may be blocked until after the window.
        if self.window and due in self.window:
            self.window.lag[bucket_ms(round(lag_s * 1000, 1))] += 1

    def close_seconds(self, users: int) -> float:
        """Close all elapsed seconds. Must be called at least once a second.

        Args:
            users: Current number of users.

        Returns:
            Seconds until the next call is due.
        """
        now, cpu = self._clock(), self._cpu_seconds()
        elapsed = now - self._origin_s
        first, last = self._next_second, int(elapsed)
        # If several seconds have elapsed, they share the CPU time equally.
        cores = (cpu - self._cpu_s) / max(1, last - first)
        for second in range(first, last):
            tally = self._open.pop(second, None) or Tally()
            self._closed.append(
                {
                    "second": second,
                    "users": users,
                    "clients": [_client(cores, self._lag_s)],
                    **tally.as_json(),
                }
            )
        if last > first:
            self._cpu_s, self._lag_s = cpu, 0.0
        self._watch_window(now, cpu, users)
        return last + 1 - elapsed

    def seconds(self, since: int) -> list[dict[str, Any]]:
        """Return the closed seconds from number `since` onwards and discard earlier ones."""
        del self._closed[: max(0, since - self._discarded)]
        self._discarded = max(self._discarded, since)
        return self._closed

    def remaining_s(self) -> float | None:
        """Return the remaining seconds of the measurement window, or None if it is not open yet."""
        return max(0.0, self.window.end_s - self._clock()) if self.window else None

    def result(self) -> dict[str, Any] | None:
        """Return the results of the measurement window, or None if it has not been opened."""
        window = self.window
        if window is None:
            return None
        length_s = min(window.end_s, self._clock()) - window.begin_s
        cpu_end_s, cpu_read_s = window.cpu_end_s, window.cpu_read_s
        if cpu_end_s is None:
            cpu_end_s, cpu_read_s = self._cpu_seconds(), self._clock()
        cores = (cpu_end_s - window.cpu_begin_s) / max(cpu_read_s - window.begin_s, 1e-3)
        return {
            "measured_s": round(length_s, 3),
            "circumstances": self._conditions(window, length_s),
            "completed": window.completed,
            "aborted": window.aborted,
            "fewest_users": window.fewest_users,
            "clients": [_client(cores, max(window.lag, default=0.0) / 1000)],
            "replicas": [
                {
                    "host": host,
                    "successes": sorted(successes.items()),
                    "failures": sorted(failures.items()),
                }
                for host, (successes, failures) in window.replicas.items()
            ],
            **window.tally.as_json(),
        }

    def _conditions(self, window: Window, length_s: float) -> dict[str, Any]:
        end_s = window.begin_s + length_s
        gaps = Counter(window.gaps)
        if window.open_at_end:
            gaps[bucket_ms(max(0.0, end_s - window.waiting_since_s) * 1000)] += 1
        per_s = 1 / max(length_s, 1e-3)
        return {
            "begin_s": self._begin_s(window),
            "in_flight": round(window.in_flight_s * per_s, 3),
            "thinking": round(window.thinking_s * per_s, 3),
            "gaps": sorted(gaps.items()),
            "lag": sorted(window.lag.items()),
            "clock_jump_ms": round(window.clock_jump_s * 1000, 1),
        }

    def _begin_s(self, window: Window) -> float:
        return round(window.begin_s - self._origin_s, 3)

    @property
    def _next_second(self) -> int:
        """Number of the first open second."""
        return self._discarded + len(self._closed)

    def _watch_window(self, now: float, cpu: float, users: int) -> None:
        window = self.window
        if window is None or window.cpu_end_s is not None:
            return
        if now in window:
            window.fewest_users = min(window.fewest_users, users)
            offset = self._wall() - now
            window.clock_jump_s = max(window.clock_jump_s, abs(offset - window.clock_offset_s))
            window.clock_offset_s = offset
        elif now >= window.end_s:
            window.cpu_end_s, window.cpu_read_s = cpu, now

    def _second(self, now: float) -> Tally:
        second = max(int(now - self._origin_s), self._next_second)
        tally = self._open.get(second)
        if tally is None:
            tally = self._open[second] = Tally()
        return tally


def _client(cores: float, lag_s: float) -> dict[str, float]:
    """Return the fields of a `ClientUse` for this process."""
    return {"cpu_cores": round(cores, 3), "lag_ms": round(lag_s * 1000, 1)}
