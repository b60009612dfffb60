"""The configurations of a study as a table of texts."""

from collections.abc import Sequence

from loadbench.engine.numbers import number
from loadbench.engine.report.recommendation.goals import value_text
from loadbench.engine.report.recommendation.table import (
    Table,
    capacity_text,
    configuration_legend,
)
from loadbench.engine.studies.ranking import RankedConfiguration, Ranking

_DISPENSABLE = ("run ", "req/s", "goal", "remark ", "profile")
"""Columns to omit if the table is too wide, in this order."""
MAX_OMITTED = len(_DISPENSABLE)


def ranking_table(ranking: Ranking, num_omitted: int = 0) -> Table:
    """Return one row per configuration, in the order of `Ranking.configurations`.

    A column of text that can be the last ends with a space in the header. The column of remarks is
    left out if there are none.

    Args:
        ranking: The ranking.
        num_omitted: Number of columns to omit, the least important first, up to `MAX_OMITTED`.
    """
    goals = ("capacity", "goal") if ranking.has_goals else ("load",)
    header = ("rank", "profile", "configuration", *goals, "req/s", "run ", "remark ")
    rows = [_row(one, has_goals=ranking.has_goals) for one in ranking.configurations]
    has_remarks = any(row[-1] for row in rows)
    omitted = {*_DISPENSABLE[:num_omitted], *(() if has_remarks else ("remark ",))}
    kept = [i for i, name in enumerate(header) if name not in omitted]
    return tuple(header[i] for i in kept), [tuple(row[i] for i in kept) for row in rows]


def num_left(header: Sequence[str]) -> int:
    """Return the number of columns at the start that are left-aligned."""
    return header.index("configuration") + 1


def ranking_legend(texts: Sequence[str]) -> str:
    """Return the legend of the signs that occur in the texts of a table. Empty if none does."""
    return configuration_legend(["≥"]) if any("≥" in text for text in texts) else ""


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
    failed = one.configuration.first_failed
    may_pass = [
        load
        for load in one.configuration.undecided
        if failed is None or load.amount < failed.amount
    ]
    return "undecided" if may_pass else "none"


def _goal(one: RankedConfiguration) -> str:
    """Return the value that decides: at the capacity, or else at the first load that failed."""
    load = one.load or one.configuration.first_failed
    return value_text(load.check) if one.found.has_goals and load and load.check else "-"


def _throughput(one: RankedConfiguration) -> str:
    load = one.load or one.configuration.peak
    rps = number(load.rps if load else None)
    return f"≥ {rps}" if one.is_lower_bound and not one.found.has_goals else rps


def _remark(one: RankedConfiguration) -> str:
    remarks = (
        "suspect" if one.load and one.load.is_suspect else "",
        "" if one.found.is_complete else "not complete",
    )
    return ", ".join(filter(None, remarks))
