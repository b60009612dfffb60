"""The measurement window of a cell: its requests, and the conditions during it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from loadbench.engine.measure.buckets import bucket_ms
from loadbench.in_locust.clean import RequestEvent
from loadbench.in_locust.measurements import MeasurementTally
from loadbench.in_locust.names import Name
from loadbench.in_locust.observed import EventNotes
from loadbench.in_locust.tally import RequestCounts, Tally

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
    aborted: int = 0
    tally: Tally = field(default_factory=Tally)
    replicas: dict[str, RequestCounts] = field(default_factory=dict)
    """Requests by the base URL of the replica. Empty if there are no replicas."""
    completed_by: Counter[Name] = field(default_factory=Counter)
    """Number of successful responses that arrived in the window, by name."""
    custom_events: Counter[Name] = field(default_factory=Counter)
    """Number of events with neither a response nor a URL, by name."""
    measurements: MeasurementTally = field(default_factory=MeasurementTally)
    notes: EventNotes = field(default_factory=EventNotes)
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

    def observe(self, event: RequestEvent, address: str | None) -> None:
        """Record the address and the peculiarities of a request that started in the window.

        Args:
            event: The request, with the bucket of its latency.
            address: Base URL of the replica to which it went. None if there are no replicas.
        """
        for kind, example in event.notes:
            self.notes.add(kind, event.key, example)
        if event.is_custom:
            self.custom_events[event.key] += 1
        if address is not None:
            self.add_to_replica(address, event.bucket, success=event.error is None)

    def add_to_replica(self, address: str, bucket: float | None, *, success: bool) -> None:
        """Count a request by the base URL to which it went."""
        if address not in self.replicas and len(self.replicas) >= MAX_ADDRESSES:
            address = OTHER_ADDRESSES
        counts = self.replicas.setdefault(address, RequestCounts())
        if success:
            counts.succeed(bucket)
        else:
            counts.fail(bucket)

    def overlap_s(self, from_s: float, to_s: float) -> float:
        """Return the overlap of a time span with the window, in seconds."""
        return max(0.0, min(to_s, self.end_s) - max(from_s, self.begin_s))

    def add_response(self, name: Name, responded_s: float, *, success: bool) -> None:
        """Count a response that arrived in the window, and the gap before it."""
        gap_s = responded_s - self.waiting_since_s
        if gap_s > 0:
            gap = bucket_ms(gap_s * 1000)
            self.gaps[gap] = self.gaps.get(gap, 0) + 1
            self.waiting_since_s = responded_s
        self.add_completed(name, success=success)

    def add_completed(self, name: Name, *, success: bool) -> None:
        """Count a response that arrived in the window, if it is successful."""
        if success:
            self.completed_by[name] += 1

    def add_in_flight(self, from_s: float, to_s: float) -> bool:
        """Add the time that a request was in flight. Return whether it started in the window."""
        begin_s, end_s = self.begin_s, self.end_s
        if begin_s <= from_s and to_s < end_s:
            self.in_flight_s += to_s - from_s
            return True
        self.in_flight_s += self.overlap_s(from_s, to_s)
        self.open_at_end |= from_s < end_s <= to_s
        return begin_s <= from_s < end_s

    def requests_as_json(self) -> dict[str, Any]:
        """Return the requests of the window in the format of the journal."""
        counts = self.tally.as_json()
        for one in counts["requests"]:
            name = one["method"], one["name"]
            one["completed"] = self.completed_by[name]
            one["custom_events"] = self.custom_events[name]
        return {**counts, "completed": self.completed_by.total()}

    def samples(self) -> list[dict[str, Any]]:
        """Return the numbers of samples of all names of requests and of all measurements."""
        return [
            {
                "kind": method,
                "name": name,
                "samples": counts.successes.total(),
                "others": counts.number - counts.successes.total(),
            }
            for (method, name), counts in self.tally.requests.items()
        ] + self.measurements.samples()

    def conditions(self, length_s: float) -> dict[str, Any]:
        """Return the conditions in the window in the format of the journal, without its start.

        Args:
            length_s: Length of the window so far.
        """
        end_s = self.begin_s + length_s
        gaps = Counter(self.gaps)
        if self.open_at_end:
            gaps[bucket_ms(max(0.0, end_s - self.waiting_since_s) * 1000)] += 1
        per_s = 1 / max(length_s, 1e-3)
        return {
            "in_flight": round(self.in_flight_s * per_s, 3),
            "thinking": round(self.thinking_s * per_s, 3),
            "gaps": sorted(gaps.items()),
            "lag": sorted(self.lag.items()),
            "clock_jump_ms": round(self.clock_jump_s * 1000, 1),
        }
