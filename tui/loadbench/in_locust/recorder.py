"""Counts what the users' requests came to: by the second, and over the measured window."""

import time
from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Any

from loadbench.engine.measure.buckets import bucket_ms
from loadbench.in_locust.clean import RequestEvent
from loadbench.in_locust.tally import Tally

Clock = Callable[[], float]


@dataclass(slots=True)
class Window:
    """The measured window of a cell."""

    begin_s: float
    end_s: float
    cpu_begin_s: float
    clock_offset_s: float
    """Of the wall clock from the monotonic one, as it was last looked at."""
    fewest_users: int
    cpu_end_s: float | None = None
    completed: int = 0
    aborted: int = 0
    tally: Tally = field(default_factory=Tally)
    in_flight_s: float = 0.0
    thinking_s: float = 0.0
    waiting_since_s: float = 0.0
    """When the last answer came, or later, when somebody began to wait for one again."""
    open_at_end: bool = False
    """Somebody waited for an answer when the window ended."""
    cpu_read_s: float = 0.0
    """When the CPU time at its end was read."""
    gaps: Counter[float] = field(default_factory=Counter)
    lag: Counter[float] = field(default_factory=Counter)
    clock_jump_s: float = 0.0

    def __post_init__(self) -> None:
        self.waiting_since_s = self.begin_s

    def __contains__(self, moment_s: float) -> bool:
        return self.begin_s <= moment_s < self.end_s

    def overlap_s(self, from_s: float, to_s: float) -> float:
        """Return how much of a span of time lies in the window."""
        return max(0.0, min(to_s, self.end_s) - max(from_s, self.begin_s))

    def answer(self, answered_s: float, *, success: bool) -> None:
        """Note that an answer came in the window."""
        waited_s = answered_s - self.waiting_since_s
        if waited_s > 0:
            gap = bucket_ms(waited_s * 1000)
            self.gaps[gap] = self.gaps.get(gap, 0) + 1
            self.waiting_since_s = answered_s
        self.completed += success

    def flew(self, from_s: float, to_s: float) -> bool:
        """Note that a request was in flight, and return whether it was started in the window."""
        begin_s, end_s = self.begin_s, self.end_s
        if begin_s <= from_s and to_s < end_s:
            self.in_flight_s += to_s - from_s
            return True
        self.in_flight_s += self.overlap_s(from_s, to_s)
        self.open_at_end |= from_s < end_s <= to_s
        return begin_s <= from_s < end_s


class Recorder:
    """Keeps the counts of one cell at a time.

    Args:
        clock: Monotonic seconds.
        cpu_seconds: CPU time that this process has used.
        wall: Seconds since the epoch.
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
        """The greenlets of all users, as they come and go."""
        self._waiting = 0
        self.begin("")

    def now(self) -> float:
        """Return the moment, in monotonic seconds."""
        return self._clock()

    def begin(self, cell: str) -> None:
        """Forget everything; requests of a cell follow."""
        self.cell = cell
        self.spawned = False
        self.window: Window | None = None
        self._origin_s = self._clock()
        self._cpu_s = self._cpu_seconds()
        self._lag_s = 0.0
        self._open: dict[int, Tally] = {}
        self._closed: list[dict[str, Any]] = []
        self._forgotten = 0

    def measure(self, seconds: float, *, users: int) -> float:
        """Open the measurement window now, for this long, with this many users there.

        Returns:
            When it begins, counted as seconds are.
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

    def record(self, event: RequestEvent) -> bool:
        """Count one request that has ended.

        Returns:
            Whether Locust's own statistics shall count it too: all do until the window is opened,
            then those that were started in it.
        """
        now, latency_ms, key, error = self._clock(), event.latency_ms, event.key, event.error
        bucket = bucket_ms(latency_ms)
        second, window = self._second(now), self.window
        measured = None
        if window:
            # The user's own code may run between the answer and this call, so the start is taken
            # from the moment that was noted when it began, moved onto the monotonic clock.
            begun_s = event.start_time_s
            started = now - (self._wall() - begun_s if begun_s else latency_ms / 1000)
            answered = started + latency_ms / 1000
            if now < window.end_s:
                window.answer(answered, success=error is None)
            if window.flew(started, answered):
                measured = window.tally
        for tally in (second, measured) if measured else (second,):
            if error is None:
                tally.succeed(key, bucket, latency_ms, event.stages)
            else:
                tally.fail(key, bucket, error)
        return window is None or measured is not None

    def abort(self, started: float) -> None:
        """Count a request that was ended by us, without an answer."""
        if self.window:
            self.window.aborted += self.window.flew(started, self._clock())

    def ask(self) -> float:
        """Note that a user begins to wait for an answer; returns the moment, for `abort`."""
        now = self._clock()
        if not self._waiting and self.window:
            # Nobody was kept waiting since the last answer.
            self.window.waiting_since_s = now
        self._waiting += 1
        return now

    def stop_asking(self) -> None:
        """Note that a user waits no more, for whatever reason."""
        self._waiting -= 1

    def think(self, began: float, seconds: float) -> None:
        """Count a pause of a user that is over now; it was to last for so many seconds."""
        if self.window:
            until = min(began + seconds, self._clock())
            self.window.thinking_s += self.window.overlap_s(began, until)

    def beat(self, due: float) -> None:
        """Note that this process has only now got to what was due at a moment."""
        late = max(0.0, self._clock() - due)
        self._lag_s = max(self._lag_s, late)
        # By when it was due: a stop that lasts beyond the end of the window began in it.
        if self.window and due in self.window:
            self.window.lag[bucket_ms(round(late * 1000, 1))] += 1

    def close_seconds(self, users: int) -> float:
        """Close the seconds that have passed; to be called at least once a second.

        Args:
            users: How many there are now.

        Returns:
            Seconds until the next call is due.
        """
        now, cpu = self._clock(), self._cpu_seconds()
        elapsed = now - self._origin_s
        first, last = self._next_second, int(elapsed)
        # Were several seconds missed, the CPU time is that of all of them.
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
        """Return the closed seconds from number `since` on, and forget those before."""
        del self._closed[: max(0, since - self._forgotten)]
        self._forgotten = max(self._forgotten, since)
        return self._closed

    def remaining_s(self) -> float | None:
        """Return the seconds left of the measured window; None: it was not opened."""
        return max(0.0, self.window.end_s - self._clock()) if self.window else None

    def result(self) -> dict[str, Any] | None:
        """Return everything that the measured window came to; None: it was not opened."""
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
            "circumstances": self._circumstances(window, length_s),
            "completed": window.completed,
            "aborted": window.aborted,
            "fewest_users": window.fewest_users,
            "clients": [_client(cores, max(window.lag, default=0.0) / 1000)],
            **window.tally.as_json(),
        }

    def _circumstances(self, window: Window, length_s: float) -> dict[str, Any]:
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
        """The first second that is not closed."""
        return self._forgotten + len(self._closed)

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
    """Return what this process used, in the form of a `ClientUse`."""
    return {"cpu_cores": round(cores, 3), "lag_ms": round(lag_s * 1000, 1)}
