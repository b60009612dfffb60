"""Statistics of measurements by name, for running and for finished cells."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from loadbench.engine.bounds.texts import shortened_in_middle
from loadbench.engine.journal.events import Buckets, CellFinished, Measurement
from loadbench.engine.measure.buckets import count, has_enough_samples, merge, percentile
from loadbench.engine.numbers import number
from loadbench.engine.profile.sections.goals import Goals

PERCENTILES = {
    "p1": 0.01,
    "p5": 0.05,
    "p10": 0.1,
    "p50": 0.5,
    "p90": 0.9,
    "p95": 0.95,
    "p99": 0.99,
    "max": 1.0,
}
"""Fractions by name. The lowest ones are for measurements of which more is better."""

MAX_NAME_CHARACTERS = 60
"""Maximum length of a name in a text."""

_SHOWN = ("p50", "p90", "p95", "p99", "max")
_TIMES = {"ns", "us", "µs", "μs", "ms", "s", "min", "h"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementPercentile:
    """A percentile of a measurement's values."""

    name: str
    """Name as in `PERCENTILES`, such as `p95`."""
    value: float | None
    """In the unit of the measurement. None if it has no values."""
    has_enough_samples: bool
    """Whether at least ten samples lie beyond the percentile."""

    @property
    def text(self) -> str:
        """The value with three significant digits, with `~` if too few samples back it."""
        is_estimate = self.value is not None and not self.has_enough_samples
        return f"{'~' if is_estimate else ''}{number(self.value)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementStatistics:
    """Statistics of the values with one type, name and unit."""

    kind: str
    """Type of the events, such as `TTFT`."""
    name: str
    unit: str
    """Unit of the values. Empty if unknown."""
    count: int
    """Number of values."""
    failures: int
    """Number of events with an exception or without a usable value."""
    mean: float | None
    per_s: float | None
    """Sum of the values per second. None if the unit is unknown, a time, a rate or a ratio."""
    percentiles: tuple[MeasurementPercentile, ...]
    """In the order of `PERCENTILES`."""

    @property
    def identity(self) -> tuple[str, str, str]:
        """Type, name and unit, which distinguish measurements."""
        return self.kind, self.name, self.unit

    @property
    def label(self) -> str:
        """Name and type, such as `first token (TTFT)`. The middle of a long name is cut."""
        name = shortened_in_middle(self.name, MAX_NAME_CHARACTERS)
        return f"{name} ({self.kind})" if self.kind else name

    def percentile(self, name: str) -> MeasurementPercentile:
        """Return the percentile with a name of `PERCENTILES`."""
        return self.percentiles[list(PERCENTILES).index(name)]

    @property
    def few_samples(self) -> str:
        """The percentiles with too few samples, such as `p1 p99`. Empty without values."""
        names = (one.name for one in self.percentiles if not one.has_enough_samples)
        return " ".join(names) if self.count else ""


def measurement_statistics(
    measurements: Iterable[Measurement], seconds: float
) -> tuple[MeasurementStatistics, ...]:
    """Return the statistics of measurements, sorted by name.

    Args:
        measurements: The values. Those with the same type, name and unit are merged.
        seconds: Length of the period in which they were reported.
    """
    groups: dict[tuple[str, str, str], list[Measurement]] = {}
    for one in measurements:
        groups.setdefault((one.name, one.kind, one.unit), []).append(one)
    return tuple(_statistics(group, seconds) for _, group in sorted(groups.items()))


def cell_measurements(finished: CellFinished) -> tuple[MeasurementStatistics, ...]:
    """Return the statistics of the measurements of a finished cell, sorted by name."""
    return measurement_statistics(finished.measurements, finished.measured_s)


def shown_percentiles(goals: Goals) -> list[str]:
    """Return the names of the percentiles that tables show: low ones only if they have a goal."""
    limited = {goal for limits in goals.measurements.values() for goal in limits}
    return [name for name in PERCENTILES if name in _SHOWN or f"min_{name}" in limited]


def measurement_record(statistics: MeasurementStatistics) -> dict[str, Any]:
    """Return the statistics as plain data, with a field per percentile."""
    record = asdict(statistics)
    del record["percentiles"]
    percentiles = {one.name: one.value for one in statistics.percentiles}
    return {**record, **percentiles, "few_samples": statistics.few_samples}


def _statistics(group: list[Measurement], seconds: float) -> MeasurementStatistics:
    one, values = group[0], merge(each.values for each in group)
    samples, total = count(values), sum(value * number for value, number in values)
    return MeasurementStatistics(
        kind=one.kind,
        name=one.name,
        unit=one.unit,
        count=samples,
        failures=sum(each.failures for each in group),
        mean=total / samples if samples else None,
        per_s=total / seconds if samples and seconds and _is_amount(one.unit) else None,
        percentiles=_percentiles(values, samples),
    )


def _percentiles(values: Buckets, samples: int) -> tuple[MeasurementPercentile, ...]:
    return tuple(
        MeasurementPercentile(
            name=name,
            value=percentile(values, fraction),
            # Ten samples must lie below a low percentile.
            has_enough_samples=has_enough_samples(samples, max(fraction, 1 - fraction)),
        )
        for name, fraction in PERCENTILES.items()
    )


_AMOUNTS = frozenset(
    ("token", "tokens", "tok", "characters", "chars", "words", "bytes", "B", "items", "images")
) | {"requests"}
"""Units whose values add up."""


def is_time(unit: str) -> bool:
    """Return whether a unit is one of time."""
    return unit in _TIMES


def _is_amount(unit: str) -> bool:
    """Return whether values of a unit add up, such as tokens."""
    return unit in _AMOUNTS
