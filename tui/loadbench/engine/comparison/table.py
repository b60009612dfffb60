"""A comparison as tables of texts."""

from loadbench.engine.comparison.model import ComparedMetric, Comparison, Estimate
from loadbench.engine.comparison.sentences import interval_text, signed_change, smallest_text
from loadbench.engine.numbers import number
from loadbench.engine.report.recommendation.table import Table

INTERVAL_LEGEND = "interval: 95 % for all cells of a metric together"
LEGENDS = (
    "change: after / before − 1, of geometric means over repeats",
    INTERVAL_LEGEND,
    "detectable: the smallest difference that would probably have been shown",
)


def differences_table(comparison: Comparison) -> Table:
    """Return what differs between the runs, one row per difference."""
    header = ("differs", "name", "before", "after ")
    return header, [
        (one.area.value, one.name, one.before, one.after) for one in comparison.differences
    ]


def means_table(comparison: Comparison) -> Table:
    """Return the geometric mean of the changes, one row per metric."""
    header = ("mean of cells", "cells", "change", "interval", "detectable", "result ")
    return header, [
        (
            mean.metric.label,
            str(mean.num_cells),
            *_change(mean.estimate),
            smallest_text(mean.estimate),
            word(mean.estimate),
        )
        for mean in comparison.means
    ]


def cells_table(comparison: Comparison, metric: ComparedMetric) -> Table:
    """Return a metric cell by cell, one row per cell that has it in both runs."""
    unit = "" if metric.is_more_better else " (ms)"
    header = (f"{metric.label}{unit}", "before", "after", "change", "interval", "result ")
    return header, [
        (
            cell.cell,
            number(one.before),
            number(one.after),
            *_change(one.estimate),
            word(one.estimate),
        )
        for cell, one in comparison.metric_of(metric.key)
    ]


def unmatched_table(comparison: Comparison) -> Table:
    """Return the cells that cannot be compared, and why."""
    header = ("not compared", "reason ")
    return header, [(one.cell, one.reason) for one in comparison.unmatched]


def word(estimate: Estimate) -> str:
    """Return the word for a change."""
    return estimate.change.value


def _change(estimate: Estimate) -> tuple[str, str]:
    return signed_change(estimate.ratio), interval_text(estimate)
