"""What was observed beside the requests of the window: earlier failures, and unusual events."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from loadbench.in_locust.names import OTHER_REQUESTS, Name
from loadbench.in_locust.tally import OTHER_FAILURES

MAX_NAMES = 500
"""Maximum number of distinct names before the window. Further names are counted together."""
MAX_REPORTED = 10
"""Maximum number of names with earlier failures that are reported apart."""
MAX_ERRORS = 3
"""Maximum number of distinct error messages by name."""
MAX_NOTES = 20
"""Maximum number of notes. Further names are noted together."""
FURTHER: Name = ("", "")
"""Stands for all further names."""


@dataclass(slots=True)
class _Early:
    successes: int = 0
    failures: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    is_in_window: bool = False

    def fail(self, error: str, number: int = 1) -> None:
        self.failures += number
        if error not in self.errors and len(self.errors) >= MAX_ERRORS:
            error = OTHER_FAILURES
        self.errors[error] += number

    def add(self, other: "_Early") -> None:
        self.successes += other.successes
        for error, number in other.errors.items():
            self.fail(error, number)
        self.is_in_window |= other.is_in_window


class EarlyRequests:
    """Counts the requests that started before the measurement window, by name."""

    def __init__(self) -> None:
        self._requests: dict[Name, _Early] = {}

    def add(self, name: Name, error: str | None) -> None:
        """Count a request."""
        if name not in self._requests and len(self._requests) >= MAX_NAMES:
            name = OTHER_REQUESTS
        requests = self._requests.get(name)
        if requests is None:
            requests = self._requests[name] = _Early()
        if error is None:
            requests.successes += 1
        else:
            requests.fail(error)

    def mark_in_window(self, name: Name) -> None:
        """Record that a request with this name started within the window."""
        requests = self._requests.get(name)
        if requests is not None:
            requests.is_in_window = True

    def failures(self, in_window: Collection[Name]) -> list[dict[str, Any]]:
        """Return the names with failures in the format of the journal, most failures first.

        Args:
            in_window: The names that are counted in the window.
        """
        failed = sorted(
            ((name, one) for name, one in self._requests.items() if one.failures),
            key=lambda item: -item[1].failures,
        )
        shown = failed[:MAX_REPORTED]
        if further := failed[MAX_REPORTED:]:
            others = _Early()
            for _, one in further:
                others.add(one)
            shown.append((OTHER_REQUESTS, others))
        return [
            {
                "method": name[0],
                "name": name[1],
                "successes": one.successes,
                "failures": one.failures,
                "errors": [{"error": e, "count": n} for e, n in one.errors.most_common()],
                # Which names are counted together is unknown.
                "is_in_window": one.is_in_window or name in in_window or name == OTHER_REQUESTS,
            }
            for name, one in shown
        ]


class EventNotes:
    """Counts the events with unusual values, by kind and name. The first example is kept."""

    def __init__(self) -> None:
        self._notes: dict[tuple[str, Name], list[Any]] = {}

    def add(self, kind: str, name: Name, example: str) -> None:
        """Count an event."""
        key = (kind, name)
        if key not in self._notes and len(self._notes) >= MAX_NOTES:
            key = (kind, FURTHER)
        self._notes.setdefault(key, [0, example])[0] += 1

    def as_json(self) -> list[dict[str, Any]]:
        """Return the notes in the format of the journal."""
        return [
            {"kind": kind, "method": method, "name": name, "count": number, "example": example}
            for (kind, (method, name)), (number, example) in self._notes.items()
        ]
