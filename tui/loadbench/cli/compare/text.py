"""A comparison as plain text."""

from collections.abc import Iterable, Sequence

from loadbench.engine.comparison.model import ComparedMetric, Comparison
from loadbench.engine.comparison.sentences import sentences
from loadbench.engine.comparison.table import (
    LEGENDS,
    cells_table,
    differences_table,
    means_table,
    unmatched_table,
)
from loadbench.wording import table, wrapped

NO_DIFFERENCES = "Hardware, versions, profile, images, Git revisions and target are the same."


def comparison_text(
    comparison: Comparison, metrics: Iterable[ComparedMetric], columns: int | None
) -> list[str]:
    """Return a comparison as lines: its sentences, what differs, the means and the cells.

    Args:
        comparison: The comparison.
        metrics: The metrics whose cells are shown.
        columns: Width at which lines wrap. None disables wrapping.
    """
    subject, *results = sentences(comparison)
    doubts = [f"Doubt: {doubt}." for doubt in comparison.doubts]
    blocks = [[subject], _differences(comparison, columns), [*results, *doubts]]
    if comparison.means:
        blocks += [table(*means_table(comparison))]
        blocks += [
            table(*cells_table(comparison, metric))
            for metric in metrics
            if comparison.metric_of(metric.key)
        ]
        blocks += [[f"{'; '.join(LEGENDS)}."]]
    if comparison.unmatched:
        blocks += [table(*unmatched_table(comparison))]
    lines = [line for block in filter(None, blocks) for line in [*block, ""]][:-1]
    return lines if columns is None else wrapped(lines, columns)


def _differences(comparison: Comparison, columns: int | None) -> Sequence[str]:
    """Return what differs as a table or, if it is too wide, as one line per difference."""
    if not comparison.differences:
        return [] if comparison.is_same_run else [NO_DIFFERENCES]
    lines = table(*differences_table(comparison), left=4)
    if columns is None or max(map(len, lines)) <= columns:
        return lines
    return [
        f"{one.area.value}, {one.name}: {one.before} → {one.after}"
        for one in comparison.differences
    ]
