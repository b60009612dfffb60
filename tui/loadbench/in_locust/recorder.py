"""Counts requests per second and over the measurement window."""

import time
from collections import Counter
from collections.abc import Callable, Container
from typing import Any

from loadbench.engine.journal.request_names import NoteKind
from loadbench.engine.measure.buckets import bucket_ms, fine_bucket_ms
from loadbench.in_locust.clean import MeasurementEvent, RequestEvent
from loadbench.in_locust.measurements import MAX_SECOND_BYTES, MeasurementTally
from loadbench.in_locust.names import OTHER_REQUESTS, Name, NameLimit
from loadbench.in_locust.observed import FURTHER, EarlyRequests
from loadbench.in_locust.tally import OTHER_FAILURES, Tally
from loadbench.in_locust.window import Window

Clock = Callable[[], float]

MAX_DELAY_S = 60.0
"""Maximum time between a response and its event, during which user code may run. A start time that
is further in the past is of another clock. The offsets of local times are multiples of 900 s, and
monotonic clocks and milliseconds are off by years."""
MAX_REQUEST_S = 3_600.0
"""Maximum time between the start of a request and the report of a measurement, as that of
`load.timeout`."""
MAX_AHEAD_S = 1.0
"""Maximum time by which a start time may be ahead of the wall clock, such as by rounding to whole
seconds."""


class Recorder:
    """Counts the requests of one cell at a time.

    Args:
        clock: Monotonic clock, in seconds.
        cpu_seconds: CPU time of this process, in seconds.
        wall: Wall clock, in seconds since the epoch.
        main: Name of the main requests. None: all requests.
    """

    def __init__(
        self,
        clock: Clock = time.monotonic,
        cpu_seconds: Clock = time.process_time,
        wall: Clock = time.time,
        main: str | None = None,
    ) -> None:
        self._clock = clock
        self._cpu_seconds = cpu_seconds
        self._wall = wall
        self._main = main
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
        self._open_measurements: dict[int, MeasurementTally] = {}
        self._closed: list[dict[str, Any]] = []
        self._discarded = 0
        self._names = NameLimit(self._main)
        self._frequency = Counter[Name]()
        self._early = EarlyRequests()

    def measure(self, seconds: float, *, users: int) -> float:
        """Open the measurement window.

        Args:
            seconds: Length of the window.
            users: Current number of users.

        Returns:
            Start of the window in seconds since the start of the cell.
        """
        now = self._clock()
        self._names = NameLimit(self._main)
        self.window = Window(
            now,
            now + seconds,
            self._cpu_seconds(),
            clock_offset_s=self._wall() - now,
            fewest_users=users,
        )
        return self._begin_s(self.window)

    def record(self, event: RequestEvent, address: str | None = None) -> RequestEvent | None:
        """Count a completed request.

        Args:
            event: The request.
            address: Base URL of the replica to which it went. None if there are no replicas.

        Returns:
            The request as Locust should also count it, with the name and the error under which it
            is counted here, or None if Locust should not count it. Locust counts all requests
            before the window is opened; afterwards, only those that started in the window.
        """
        now, latency_ms, name, error = self._clock(), event.latency_ms, event.key, event.error
        event.key = self._names.name(name)
        event.bucket = None if latency_ms is None else fine_bucket_ms(latency_ms)
        second, window = self._second(now), self.window
        measured = None
        if window is None:
            self._early.add(name, error)
        elif latency_ms is None:
            # How long it took is unknown, so it is neither in flight nor the end of a gap.
            if now in window:
                measured = window.tally
                window.add_completed(event.key, success=error is None)
        else:
            # User code may run between the response and this call. The start is therefore computed
            # from the reported start time, converted to the monotonic clock.
            started = now - self._since_start_s(event, latency_ms / 1000)
            responded = min(now, started + latency_ms / 1000)
            if now < window.end_s:
                window.add_response(event.key, responded, success=error is None)
            if self._is_measured(event, window, started, responded):
                measured = window.tally
            elif started < window.begin_s:
                self._early.add(name, error)
        if window and measured:
            if name != event.key:
                self._early.mark_in_window(name)
            window.observe(event, address)
        # The journal has many more seconds than windows.
        second.record(event, None if latency_ms is None else bucket_ms(latency_ms), error)
        if measured:
            measured.record(event, event.bucket, error)
            if event.undelayed_ms is not None:
                measured.add_undelayed(event.key, fine_bucket_ms(event.undelayed_ms))
        if window and not measured:
            return None
        if event.error is not None:
            event.error = self._names.error_row(event.key, event.error, OTHER_FAILURES)
        return event

    def record_measurement(self, event: MeasurementEvent) -> None:
        """Count a measurement.

        The window counts it if the request behind it started in the window. If its start time is
        unknown, or of another clock, the time of the report decides.
        """
        now, window = self._clock(), self.window
        self._open_measurements.setdefault(self._current_second(now), MeasurementTally()).add(event)
        if window is None:
            return
        started = now
        if event.start_time_s is not None:
            since_s = self._wall() - event.start_time_s
            started -= since_s if -MAX_AHEAD_S <= since_s <= MAX_REQUEST_S else 0.0
        if started in window and not window.measurements.add(event):
            window.notes.add(NoteKind.MEASUREMENTS, FURTHER, " ".join(event.key))

    def _since_start_s(self, event: RequestEvent, latency_s: float) -> float:
        """Return the seconds since a request started, by its start time if that is plausible."""
        if event.start_time_s is None:
            return latency_s
        since_s = self._wall() - event.start_time_s
        if -MAX_AHEAD_S <= since_s <= latency_s + MAX_DELAY_S:
            return max(0.0, since_s)
        event.notes = (*event.notes, (NoteKind.START_TIME, f"{event.start_time_s:.10g}"))
        return latency_s

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

    def _is_measured(
        self, event: RequestEvent, window: Window, started: float, responded: float
    ) -> bool:
        """Add the time that a request was in flight. Return whether the window counts it."""
        if event.start_time_s is None and started < self._origin_s:
            # It would have started before the cell, so its latency is no duration, but a measure of
            # something else. It belongs to the window in which it is reported.
            return self._clock() in window
        return window.add_in_flight(started, responded)

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
            measurements = self._open_measurements.pop(second, None) or MeasurementTally()
            for name, counts in tally.requests.items():
                self._frequency[name] += counts.number
            self._closed.append(
                {
                    "second": second,
                    "users": users,
                    "clients": [_client(cores, self._lag_s)],
                    "measurements": measurements.as_json(MAX_SECOND_BYTES),
                    **tally.limited(self._frequency, self._names.is_main).as_json(),
                }
            )
        if last > first:
            self._cpu_s, self._lag_s = cpu, 0.0
        self._watch_window(now, cpu, users)
        # At the end of the window, its CPU time is read.
        return min(last + 1 - elapsed, self.remaining_s() or 1.0)

    def seconds(self, since: int) -> list[dict[str, Any]]:
        """Return the closed seconds from number `since` onwards and discard earlier ones."""
        del self._closed[: max(0, since - self._discarded)]
        self._discarded = max(self._discarded, since)
        return self._closed

    def remaining_s(self) -> float | None:
        """Return the remaining seconds of the measurement window, or None if it is not open yet."""
        return max(0.0, self.window.end_s - self._clock()) if self.window else None

    def end_window(self) -> float:
        """End the measurement window now, unless it has ended. Return its length in seconds."""
        window = self.window
        if window is None:
            return 0.0
        window.end_s = min(window.end_s, self._clock())
        return round(window.end_s - window.begin_s, 3)

    def samples(self) -> list[dict[str, Any]]:
        """Return the numbers of samples in the window; see `Window.samples`."""
        return self.window.samples() if self.window else []

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
            "circumstances": {"begin_s": self._begin_s(window), **window.conditions(length_s)},
            "aborted": window.aborted,
            "fewest_users": window.fewest_users,
            "clients": [_client(cores, max(window.lag, default=0.0) / 1000)],
            "replicas": [
                {"host": host, **counts.as_json()} for host, counts in window.replicas.items()
            ],
            "early_failures": self._early.failures(window.tally.requests),
            "notes": [*window.notes.as_json(), *self._note_of_names()],
            "measurements": window.measurements.as_json(),
            **window.requests_as_json(),
        }

    def _note_of_names(self) -> list[dict[str, Any]]:
        """Return a note if names are counted together."""
        if not self._names.further:
            return []
        method, name = OTHER_REQUESTS
        further, example = self._names.further, self._names.example
        note = {"kind": NoteKind.NAMES, "method": method, "name": name}
        return [{**note, "count": further, "example": example}]

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

    def _current_second(self, now: float) -> int:
        """Return the number of the open second that contains a moment."""
        return max(int(now - self._origin_s), self._next_second)

    def _second(self, now: float) -> Tally:
        second = self._current_second(now)
        tally = self._open.get(second)
        if tally is None:
            tally = self._open[second] = Tally()
        return tally


def _client(cores: float, lag_s: float) -> dict[str, float]:
    """Return the fields of a `ClientUse` for this process."""
    return {"cpu_cores": round(cores, 3), "lag_ms": round(lag_s * 1000, 1)}
