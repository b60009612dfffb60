"""The configurations of a recommendation as a table of texts."""

from loadbench.engine.numbers import number
from loadbench.engine.report.recommendation.capacity import Configuration
from loadbench.engine.report.recommendation.goals import Outcome, undecided_text, value_text
from loadbench.engine.report.recommendation.loads import LoadOutcome
from loadbench.engine.report.recommendation.recommend import Recommendation

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""The header, and one row per configuration with as many texts."""

_SCALING = ("req/s", "speed-up", "efficiency", "knee")
_LONG = ("efficiency", "knee")

LEGEND = "≥: the largest load measured passed, or throughput was still rising"


def configuration_table(found: Recommendation, *, is_short: bool = False) -> Table:
    """Return one row per configuration: capacity, first failed load, throughput and scaling.

    Args:
        found: The recommendation.
        is_short: Whether to leave out efficiency and knee.
    """
    first, last = (("carries",), ("first load that fails ",)) if found.has_goals else ((), ())
    header = (found.subject.plural or "service", *first, *_SCALING, *last)
    rows = [_row(one, found) for one in found.configurations]
    if not is_short:
        return header, rows
    kept = [i for i, name in enumerate(header) if name not in _LONG]
    return tuple(header[i] for i in kept), [tuple(row[i] for i in kept) for row in rows]


def _row(one: Configuration, found: Recommendation) -> tuple[str, ...]:
    first, last = ((_capacity(one),), (_first_failed(one),)) if found.has_goals else ((), ())
    step = found.scaling.step(one.models)
    if step is None:
        return (str(one.models), *first, *(["-"] * len(_SCALING)), *last)
    return (
        str(one.models),
        *first,
        f"{'' if step.is_saturated else '≥ '}{number(step.rps)}",
        f"{step.speedup:.2f}",
        f"{100 * step.efficiency:.0f} %",
        step.knee.phrase if step.knee else "-",
        *last,
    )


def _capacity(one: Configuration) -> str:
    load = one.capacity
    if load is None:
        return "-"
    return load.phrase if one.next_load(load) else f"≥ {load.phrase}"


def _first_failed(one: Configuration) -> str:
    load = one.first_failed
    if load is not None:
        return f"{load.phrase}: {_reason(load)}"
    undecided = [load for load in one.undecided if _is_above(load, one.capacity)]
    if undecided and undecided[0].check:
        return f"{undecided[0].phrase}: undecided, {undecided_text(undecided[0].check)}"
    return "none measured"


def _is_above(load: LoadOutcome, capacity: LoadOutcome | None) -> bool:
    return capacity is None or load.amount > capacity.amount


def _reason(load: LoadOutcome) -> str:
    if load.failure:
        return load.failure.container or "service exited"
    assert load.outcome is Outcome.MISSED
    return value_text(load.check) if load.check else "no results"
