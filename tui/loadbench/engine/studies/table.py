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

NUM_LEFT = 3
"""Number of left-aligned columns at the start. The last column is left-aligned, too."""


def ranking_table(ranking: Ranking) -> Table:
    """Return one row per configuration, in the order of `Ranking.configurations`."""
    goals = ("capacity", "goal") if ranking.has_goals else ("load",)
    header = ("rank", "profile", "configuration", *goals, "req/s", "run", "remark ")
    return header, [_row(one, has_goals=ranking.has_goals) for one in ranking.configurations]


def ranking_legend(rows: Sequence[str]) -> str:
    """Return the legend of the signs that occur in the lines of a table. Empty if none does."""
    return configuration_legend(["≥"] if any("≥" in row for row in rows) else [])


def _row(one: RankedConfiguration, *, has_goals: bool) -> tuple[str, ...]:
    run = one.member.run
    assert run is not None
    subject, load = one.found.subject, one.load
    goals: tuple[str, ...] = (load.phrase if load else "-",)
    if has_goals:
        goals = (capacity_text(one.configuration) if one.found.has_goals else "-", _goal(one))
    return (
        str(one.rank or "-"),
        one.member.entry.profile,
        subject.described(one.configuration.models),
        *goals,
        _throughput(one),
        run.folder.name,
        _remark(one),
    )


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
    remarks = []
    if one.found.has_goals and one.load is None:
        loads = one.configuration.loads
        is_undecided = any(load.outcome is Outcome.UNDECIDED for load in loads)
        remarks.append("undecided" if is_undecided else "goals not met")
    if one.load and one.load.is_suspect:
        remarks.append("suspect")
    if not one.found.is_complete:
        remarks.append("not complete")
    return ", ".join(remarks)
