"""Measurements: events that report values other than the latency of a request.

Plain Locust counts them as requests (https://github.com/locustio/locust/issues/2289).
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from loadbench.in_locust.clean import MeasurementEvent
from loadbench.in_locust.names import Name, bytes_of

MAX_MEASUREMENTS = 50
"""Maximum number of measurements of a cell. Further ones are not recorded."""
MAX_BUCKETS = 2_000
"""Number of distinct values of a measurement from which on further ones have only two digits."""
_ENTRY_BYTES = 60
"""Approximate size of the structure around a name in the journal."""
MAX_SECOND_BYTES = 1_200
"""Maximum size of the names in one second of the journal, as for requests."""


@dataclass(slots=True)
class _MeasuredValues:
    values: Counter[float] = field(default_factory=Counter)
    failures: int = 0

    def add(self, value: float | None) -> None:
        """Count a value. None: an event had none."""
        if value is None:
            self.failures += 1
            return
        rounded = round_value(value)
        if rounded not in self.values and len(self.values) >= MAX_BUCKETS:
            rounded = round_value(value, digits=2)
        self.values[rounded] += 1

    def as_json(self, key: tuple[str, str, str]) -> dict[str, Any]:
        kind, name, unit = key
        return {
            "kind": kind,
            "name": name,
            "unit": unit,
            "values": sorted(self.values.items()),
            "failures": self.failures,
        }


class MeasurementTally:
    """Histograms of the values of one second or of the measurement window, by type and name."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str, str], _MeasuredValues] = {}
        self._units: dict[Name, str] = {}
        """The last unit of each type and name."""

    def add(self, event: MeasurementEvent) -> bool:
        """Count an event. Return whether it was recorded, given the maximum number of names."""
        # Failures often have no unit.
        unit = event.unit or self._units.get(event.key, "")
        key = (*event.key, unit)
        values = self._values.get(key)
        if values is None:
            if len(self._values) >= MAX_MEASUREMENTS:
                return False
            values = self._values[key] = _MeasuredValues()
            self._units[event.key] = unit
        values.add(event.value)
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
            for (kind, name, _), values in self._values.items()
        ]

    def as_json(self, max_bytes: int | None = None) -> list[dict[str, Any]]:
        """Return the histograms in the format of the journal.

        Args:
            max_bytes: Maximum size of all names together. The first ones are returned.
        """
        found, size = [], 0
        for key, values in self._values.items():
            size += bytes_of(key[:2]) + _ENTRY_BYTES
            if max_bytes is None or size <= max_bytes:
                found.append(values.as_json(key))
        return found


def round_value(value: float, digits: int = 3) -> float:
    """Return a value rounded to some significant digits, and to 0 if it is tiny."""
    return float(f"{value:.{digits - 1}e}") if abs(value) >= 1e-6 else 0.0  # see docstring
