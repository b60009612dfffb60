"""The configurations of a recommendation as a table of texts."""

from collections.abc import Sequence

from loadbench.engine.numbers import number
from loadbench.engine.report.recommendation.capacity import Configuration
from loadbench.engine.report.recommendation.goals import Outcome, undecided_text, value_text
from loadbench.engine.report.recommendation.loads import LoadOutcome
from loadbench.engine.report.recommendation.recommend import Recommendation

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""The header, and one row per configuration with as many texts."""

_SCALING = ("req/s", "speed-up", "efficiency", "added each", "knee")
_LONG = ("efficiency", "added each", "knee")

_LEGENDS = {
    "req/s": "req/s: the highest of all loads",
    "knee": "knee: the load beyond which req/s does not grow",
    "≥": "≥: no load failed, or throughput was still rising",
}


def configuration_legend(rows: Sequence[str]) -> str:
    """Return the legend of the columns and signs that occur in the lines of a table."""
    text = "\n".join(rows)
    return "; ".join(legend for word, legend in _LEGENDS.items() if word in text)


def configuration_table(found: Recommendation, *, is_short: bool = False) -> Table:
    """Return one row per configuration: capacity, first failed load, throughput and scaling.

    Args:
        found: The recommendation.
        is_short: Whether to leave out efficiency, added throughput and knee.
    """
    first, last = (("capacity",), ("first load that fails ",)) if found.has_goals else ((), ())
    header = (found.subject.plural or "service", *first, *_SCALING, *last)
    rows = [_row(one, found) for one in found.configurations]
    if not is_short:
        return header, rows
    kept = [i for i, name in enumerate(header) if name not in _LONG]
    return tuple(header[i] for i in kept), [tuple(row[i] for i in kept) for row in rows]


def _row(one: Configuration, found: Recommendation) -> tuple[str, ...]:
    first, last = ((capacity_text(one),), (_first_failed(one),)) if found.has_goals else ((), ())
    step = found.scaling.step(one.models)
    if step is None:
        return (str(one.models), *first, *(["-"] * len(_SCALING)), *last)
    return (
        str(one.models),
        *first,
        f"{'' if step.is_saturated else '≥ '}{number(step.rps)}",
        "-" if step.speedup is None else f"{step.speedup:.2f}",
        "-" if step.efficiency is None else f"{100 * step.efficiency:.0f} %",
        "-" if step.added_rps_per_model is None else f"{step.added_rps_per_model:+.1f}",
        step.knee.phrase if step.knee else "-",
        *last,
    )


def capacity_text(one: Configuration) -> str:
    """Return the capacity of a configuration, such as `≥ 50 users`, or `-` if it has none."""
    load = one.capacity
    if load is None:
        return "-"
    return f"≥ {load.phrase}" if one.is_lower_bound else load.phrase


def _first_failed(one: Configuration) -> str:
    load = one.first_failed
    if load is not None:
        return f"{load.phrase}: {_reason(load)}"
    undecided = next(iter(one.undecided_above), None)
    if undecided and undecided.check:
        return f"{undecided.phrase}: undecided, {undecided_text(undecided.check)}"
    return "none measured"


def _reason(load: LoadOutcome) -> str:
    if load.failure:
        return f"{load.failure.container or 'service'} exited"
    assert load.outcome is Outcome.MISSED
    return value_text(load.check) if load.check else "no results"
