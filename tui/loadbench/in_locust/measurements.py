"""Measurements: events that report values other than the latency of a request.

Plain Locust counts them as requests (https://github.com/locustio/locust/issues/2289).
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from loadbench.engine.profile.sections.load import MEASUREMENT_TYPES
from loadbench.in_locust.clean import MeasurementEvent
from loadbench.in_locust.names import Name, bytes_of

MAX_MEASUREMENTS = 50
"""Maximum number of measurements of a cell. Further ones are not recorded."""
MAX_SECOND_BYTES = 1_200
"""Maximum size of the names in one second of the journal, as for requests."""


class MeasurementNames:
    """Decides which events are measurements.

    Args:
        patterns: Types, names, or types and names of events, in which `*` stands for any text.
            Events of `MEASUREMENT_TYPES` always are, in upper or lower case.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        texts = [".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns]
        self._pattern = re.compile("|".join(texts), re.DOTALL) if texts else None
        self.matches = lru_cache(maxsize=1_000)(self._matches)

    def _matches(self, name: Name) -> bool:
        kind, own = name
        if kind.upper() in MEASUREMENT_TYPES:
            return True
        texts = (kind, own, f"{kind} {own}")
        pattern = self._pattern
        return pattern is not None and any(pattern.fullmatch(text) for text in texts)


@dataclass(slots=True)
class _MeasuredValues:
    unit: str
    values: Counter[float] = field(default_factory=Counter)
    failures: int = 0

    def as_json(self, name: Name) -> dict[str, Any]:
        return {
            "kind": name[0],
            "name": name[1],
            "unit": self.unit,
            "values": sorted(self.values.items()),
            "failures": self.failures,
        }


class MeasurementTally:
    """Histograms of the values of one second or of the measurement window, by type and name."""

    def __init__(self) -> None:
        self._values: dict[Name, _MeasuredValues] = {}

    def add(self, event: MeasurementEvent) -> bool:
        """Count an event. Return whether it was recorded, given the maximum number of names."""
        values = self._values.get(event.key)
        if values is None:
            if len(self._values) >= MAX_MEASUREMENTS:
                return False
            values = self._values[event.key] = _MeasuredValues(event.unit)
        if event.value is None:
            values.failures += 1
        else:
            values.values[round_value(event.value)] += 1
        return True

    def samples(self) -> list[dict[str, Any]]:
        """Return the number of values and of events without one, by type and name."""
        return [
            {
                "kind": kind,
                "name": name,
                "samples": values.values.total(),
                "others": values.failures,
                "is_measurement": True,
            }
            for (kind, name), values in self._values.items()
        ]

    def as_json(self, max_bytes: int | None = None) -> list[dict[str, Any]]:
        """Return the histograms in the format of the journal.

        Args:
            max_bytes: Maximum size of all names together. The first ones are returned.
        """
        found, size = [], 0
        for name, values in self._values.items():
            size += bytes_of(name)
            if max_bytes is None or size <= max_bytes:
                found.append(values.as_json(name))
        return found


def round_value(value: float) -> float:
    """Return a value rounded to three significant digits, and to 0 if it is tiny."""
    return float(f"{value:.2e}") if abs(value) >= 1e-6 else 0.0  # see docstring
