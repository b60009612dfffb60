"""The configurations of a study as a table of texts."""

from collections.abc import Sequence

from loadbench.engine.numbers import number
from loadbench.engine.report.recommendation.goals import Outcome, value_text
from loadbench.engine.report.recommendation.table import (
    Table,
    capacity_text,
    configuration_legend,
)
from loadbench.engine.studies.ranking import RankedConfiguration, Ranking

LEGEND = configuration_legend(["≥"])
NUM_LEFT = 3
"""Number of left-aligned columns at the start. The last column is left-aligned, too."""


def ranking_table(ranking: Ranking) -> Table:
    """Return one row per configuration, in the order of `Ranking.configurations`.

    The last column has remarks, and is left out if there are none.
    """
    goals = ("capacity", "goal") if ranking.has_goals else ("load",)
    header = ("rank", "profile", "configuration", *goals, "req/s", "run ", "remark ")
    rows = [_row(one, has_goals=ranking.has_goals) for one in ranking.configurations]
    if any(row[-1] for row in rows):
        return header, rows
    return header[:-1], [row[:-1] for row in rows]


def ranking_legend(rows: Sequence[str]) -> str:
    """Return the legend of the signs that occur in the lines of a table. Empty if none does."""
    return LEGEND if any("≥" in row for row in rows) else ""


def _row(one: RankedConfiguration, *, has_goals: bool) -> tuple[str, ...]:
    run = one.member.run
    assert run is not None
    return (
        str(one.rank or "-"),
        one.member.entry.profile,
        one.found.subject.described(one.configuration.models),
        *((_capacity(one), _goal(one)) if has_goals else (one.load.phrase if one.load else "-",)),
        _throughput(one),
        run.folder.name,
        _remark(one),
    )


def _capacity(one: RankedConfiguration) -> str:
    if one.load or not one.found.has_goals:
        return capacity_text(one.configuration) if one.found.has_goals else "-"
    loads = one.configuration.loads
    is_undecided = any(load.outcome is Outcome.UNDECIDED for load in loads)
    return "undecided" if is_undecided else "none"


def _goal(one: RankedConfiguration) -> str:
    """Return the value that decides: at the capacity, or else at the first load that failed."""
    load = one.load or one.configuration.first_failed
    return value_text(load.check) if one.found.has_goals and load and load.check else "-"


def _throughput(one: RankedConfiguration) -> str:
    load = one.load or one.configuration.peak
    rps = number(load.rps if load else None)
    step = one.found.scaling.step(one.configuration.models)
    is_rising = step is not None and not step.is_saturated
    return f"≥ {rps}" if is_rising and not one.found.has_goals else rps


def _remark(one: RankedConfiguration) -> str:
    remarks = (
        "suspect" if one.load and one.load.is_suspect else "",
        "" if one.found.is_complete else "not complete",
    )
    return ", ".join(filter(None, remarks))
