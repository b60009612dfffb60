"""Everything on a page of comparisons."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loadbench.engine.comparison.model import METRICS, Change, Comparison
from loadbench.engine.comparison.sentences import sentences
from loadbench.engine.comparison.table import (
    LEGENDS,
    differences_table,
    means_table,
    unmatched_table,
)
from loadbench.engine.comparison.table import cells_table as compared_cells
from loadbench.engine.run_reader import Run
from loadbench.page.charts.compare_charts import chart_prefix
from loadbench.page.content.cells import cells_table
from loadbench.page.content.facts import FactGroup, fact_groups
from loadbench.page.content.tables import Mood, PageTable, Value, text_table

_MOODS = {Change.BETTER: Mood.GOOD, Change.WORSE: Mood.BAD}
_SIGNS = {Change.BETTER: "✓ ", Change.WORSE: "✗ "}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedTable:
    """The cells of a comparison for one metric."""

    heading: str
    table: PageTable


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRun:
    """A run of a comparison, with its own results."""

    name: str
    cells: PageTable
    facts: tuple[FactGroup, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonContent:
    """A comparison on the page. Empty values are left out of the page."""

    subject: str
    """What is compared, as a sentence."""
    answer: str
    """The result in one sentence."""
    sentences: tuple[str, ...]
    """The sentences after the answer."""
    doubts: tuple[str, ...]
    differences: PageTable | None
    means: PageTable | None
    cells: tuple[ComparedTable, ...]
    unmatched: PageTable | None
    chart_prefix: str
    """Prefix of the keys of its charts."""

    def charts_of(self, figures: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the charts of this comparison among those of the page."""
        return [one for one in figures if one["key"].startswith(self.chart_prefix)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparePage:
    """Everything on a page of comparisons."""

    title: str
    comparisons: tuple[ComparisonContent, ...]
    missing: tuple[str, ...]
    """The members of studies that are not compared, as sentences."""
    runs: tuple[ComparedRun, ...]


def compare_page(comparisons: Sequence[Comparison], missing: Sequence[str] = ()) -> ComparePage:
    """Return the content of a page of comparisons.

    Args:
        comparisons: The comparisons, at least one.
        missing: The members of studies that are not compared, as sentences without a full stop.
    """
    contents = tuple(_content(one, number) for number, one in enumerate(comparisons, start=1))
    sides = [side for one in comparisons for side in (one.before, one.after)]
    runs = {side.run.folder: side.run for side in sides}
    names = tuple(dict.fromkeys(side.name for side in sides))
    return ComparePage(
        title=f"{' and '.join(names)}: {contents[0].answer}",
        comparisons=contents,
        missing=tuple(f"{text}." for text in missing),
        runs=tuple(map(_run, runs.values())),
    )


def _content(found: Comparison, number: int) -> ComparisonContent:
    subject, *results = sentences(found)
    first, *rest = results or [subject]
    return ComparisonContent(
        subject=subject,
        answer=first,
        sentences=tuple(rest),
        doubts=tuple(f"{doubt}." for doubt in found.doubts),
        differences=_differences(found),
        means=_means(found),
        cells=tuple(_cells(found)),
        unmatched=_unmatched(found),
        chart_prefix=chart_prefix(number),
    )


def _differences(found: Comparison) -> PageTable | None:
    header, rows = differences_table(found)
    return text_table(header, rows, left=range(len(header)), wrapped=(2, 3)) if rows else None


def _means(found: Comparison) -> PageTable | None:
    header, rows = means_table(found)
    if not rows:
        return None
    changes = [one.estimate.change for one in found.means]
    return _with_moods(header, rows, changes, legend=[f"{text}." for text in LEGENDS])


def _cells(found: Comparison) -> list[ComparedTable]:
    tables = []
    for metric in METRICS:
        if pairs := found.metric_of(metric.key):
            header, rows = compared_cells(found, metric)
            changes = [one.estimate.change for _, one in pairs]
            heading = metric.phrase[:1].upper() + metric.phrase[1:]
            table = _with_moods(header, rows, changes)
            tables.append(ComparedTable(heading=heading, table=table))
    return tables


def _with_moods(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    changes: Sequence[Change],
    legend: Sequence[str] = (),
) -> PageTable:
    """Return a table whose last column has the sign and colour of the change."""
    last = len(header) - 1
    return PageTable(
        header=tuple(name.strip() for name in header),
        rows=tuple(
            (
                *map(Value, row[:last]),
                Value(f"{_SIGNS.get(change, '')}{row[last]}", _MOODS.get(change, Mood.PLAIN)),
            )
            for row, change in zip(rows, changes, strict=True)
        ),
        left=frozenset((0, last)),
        legend=tuple(legend),
    )


def _unmatched(found: Comparison) -> PageTable | None:
    header, rows = unmatched_table(found)
    return text_table(header, rows, left=(0, 1), wrapped=(1,)) if rows else None


def _run(run: Run) -> ComparedRun:
    return ComparedRun(name=run.name, cells=cells_table(run), facts=fact_groups(run.state))
