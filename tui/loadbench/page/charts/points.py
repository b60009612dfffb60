"""Results against load, as points with a description, and a selection of them that fits a chart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TypeVar

from loadbench.engine.bounds.texts import one_line
from loadbench.engine.journal.events import Verdict
from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.main_request import main_of
from loadbench.engine.numbers import number
from loadbench.engine.report.by_level import metric_by_level
from loadbench.engine.report.metrics import AnyMetric, Metric
from loadbench.engine.report.recommendation.loads import usable_results
from loadbench.printable import printable

MAX_MODELS = 12
"""Maximum numbers of models in a chart."""
MAX_LOADS = 30
"""Maximum number of loads in a chart."""
MAX_NAME_CHARACTERS = 40
"""Maximum length of a name of requests or of a measurement in a chart."""

Place = tuple[int, float]
"""Number of models, and `Level.amount`."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPoint:
    """A metric of all cells with the same load and number of models."""

    models: int
    series: str
    """Name of its series in a chart against load: the number of models."""
    amount: float
    value: float | None
    """None if there is no value, or only an infinite one."""
    is_suspect: bool
    """Whether the results of one of the cells are suspect."""
    text: str
    """Description, such as `4 models, 50 users: p95 412 ms`."""


def points_of(state: RunState, metric: AnyMetric) -> tuple[LoadPoint, ...]:
    """Return the points of a metric, by ascending number of models and load."""
    suspect, phrases = suspect_places(state), load_phrases(state)
    return tuple(
        LoadPoint(
            models=curve.models,
            series=str(curve.models),
            amount=amount,
            value=value if value is not None and isfinite(value) else None,
            is_suspect=(curve.models, amount) in suspect,
            text=f"{models_phrase(curve.models)}, {phrases[amount]}: {reading(metric, value)}"
            + (", suspect" if (curve.models, amount) in suspect else ""),
        )
        for curve in metric_by_level(state, metric)
        for amount, value in curve.points
    )


def suspect_places(state: RunState) -> frozenset[Place]:
    """Return the places of the grid with suspect results."""
    found = set()
    for cell in state.cells.values():
        finished = usable_results(cell)
        if finished and finished.verdict is Verdict.SUSPECT and not cell.cell.recheck:
            found.add((cell.cell.models, cell.cell.level.amount))
    return frozenset(found)


def load_phrases(state: RunState) -> dict[float, str]:
    """Return the phrase of each load, such as `50 users`, by its amount."""
    levels = (cell.cell.level for cell in state.cells.values())
    return {level.amount: level.phrase for level in levels}


def models_phrase(models: int) -> str:
    """Return a number of models with its unit."""
    return "1 model" if models == 1 else f"{models} models"


def unit_of(metric: AnyMetric) -> str:
    """Return the unit of a metric. Empty if unknown."""
    if isinstance(metric, Metric):
        return "ms" if metric.is_latency else "req/s"
    return text_of(metric.unit)


def reading(metric: AnyMetric, value: float | None) -> str:
    """Return a value of a metric with its name and unit, such as `p95 412 ms`."""
    name = "" if metric is Metric.RPS else f"{metric.value} "
    return f"{name}{number(value)} {unit_of(metric)}".rstrip()


def axis_label(state: RunState, metric: AnyMetric) -> str:
    """Return the name of a metric with its unit and the main requests: `POST /predict p95 (ms)`."""
    main = main_of(state.profile)
    name = f"{text_of(main)} " if main and isinstance(metric, Metric) else ""
    if metric is Metric.RPS:
        return f"{name}throughput ({metric.label})"
    if isinstance(metric, Metric):
        return f"{name}{metric.label}"
    unit = f" ({unit_of(metric)})" if metric.unit else ""
    return f"{text_of(metric.name)} {metric.value}{unit}"


def text_of(name: str, max_characters: int = MAX_NAME_CHARACTERS) -> str:
    """Return a name from user code as one short line without control characters."""
    return one_line(printable(name), max_characters)


@dataclass(frozen=True, slots=True)
class Selection:
    """The numbers of models and the loads that a chart shows, evenly spaced among all of them."""

    models: tuple[int, ...]
    amounts: tuple[float, ...]
    note: str
    """How many were left out, as a sentence. Empty if all are shown."""

    def has(self, models: int, amount: float) -> bool:
        """Return whether the chart shows a place of the grid."""
        return models in self.models and amount in self.amounts


def select(
    places: Iterable[Place], max_models: int = MAX_MODELS, max_loads: int = MAX_LOADS
) -> Selection:
    """Return what a chart of some places of the grid shows.

    Args:
        places: All places with data.
        max_models: Maximum numbers of models.
        max_loads: Maximum number of loads.
    """
    places = tuple(places)
    all_models = sorted({models for models, _ in places})
    all_amounts = sorted({amount for _, amount in places})
    models, amounts = spread(all_models, max_models), spread(all_amounts, max_loads)
    parts = []
    if len(models) < len(all_models):
        parts.append(f"{len(models)} of {len(all_models)} numbers of models")
    if len(amounts) < len(all_amounts):
        parts.append(f"{len(amounts)} of {len(all_amounts)} loads")
    note = f"The chart shows {' and '.join(parts)}." if parts else ""
    return Selection(models, amounts, note)


def spread(values: Sequence[_T], most: int) -> tuple[_T, ...]:
    """Return at most a number of values, evenly spaced, with the first and the last one."""
    if len(values) <= most:
        return tuple(values)
    step = (len(values) - 1) / (most - 1)
    return tuple(values[round(index * step)] for index in range(most))
