"""Compare the results of two runs."""

from collections.abc import Sequence
from statistics import median

from loadbench.engine.comparison.comparability import doubts_about, not_comparable, obstacles
from loadbench.engine.comparison.differences import differences_between
from loadbench.engine.comparison.matching import (
    BASELINE,
    CANDIDATE,
    CellPair,
    Repeats,
    cell_pairs,
    losses_of,
    unmatched_cell,
)
from loadbench.engine.comparison.model import (
    DEFAULT_MATERIAL,
    METRICS,
    CellComparison,
    Change,
    ComparedMetric,
    Comparison,
    Estimate,
    MeanChange,
    MetricComparison,
    Side,
)
from loadbench.engine.comparison.statistics import (
    ComparedValues,
    compare_values,
    geometric_mean,
)
from loadbench.engine.comparison.variances import RepeatedValues
from loadbench.engine.journal.events import Verdict

MAX_FAILURE_RISE = 0.01
"""Largest rise of the failure ratio that is tolerable: the goal `failure_ratio: 0.01` that the
templates of profiles suggest."""


def compare_runs(before: Side, after: Side, *, material: float = DEFAULT_MATERIAL) -> Comparison:
    """Compare a candidate with a baseline.

    Args:
        before: The baseline.
        after: The candidate. It may be the same run.
        material: The smallest relative change that matters, such as 0.05.
    """
    is_same_run = before.run.folder == after.run.folder
    pairs = cell_pairs(before.run, after.run)
    matched = [pair for pair in pairs if pair.is_matched]
    losses = tuple(loss for pair in pairs for loss in losses_of(pair))
    by_cell: list[list[MetricComparison]] = [[] for _ in matched]
    means: list[MeanChange] = []
    for metric in METRICS:
        known = [
            (i, values)
            for i, cell in enumerate(matched)
            if (values := _values(cell, metric)) is not None
        ]
        if not known:
            continue
        repeated = [values for _, values in known]
        compared = (
            _unchanged(repeated)
            if is_same_run
            else compare_values(repeated, material=material, is_more_better=metric.is_more_better)
        )
        means.append(_mean(metric, compared, len(known)))
        for (i, values), estimate in zip(known, compared.cells, strict=True):
            by_cell[i].append(_metric(metric, values, estimate))
    cells = tuple(_cell(cell, metrics) for cell, metrics in zip(matched, by_cell, strict=True))
    found = obstacles(before.run, after.run)
    return Comparison(
        before=before,
        after=after,
        is_same_run=is_same_run,
        material=material,
        differences=differences_between(before.run, after.run),
        means=tuple(means),
        cells=cells,
        unmatched=tuple(unmatched_cell(pair) for pair in pairs if not pair.is_matched),
        losses=losses,
        doubts=doubts_about(before.run, after.run, cells, found),
        not_comparable=not_comparable(found, losses, has_cells=bool(cells)),
    )


def _values(cell: CellPair, metric: ComparedMetric) -> RepeatedValues | None:
    """Return the values of a metric in both runs, or None if one has none."""
    before, after = (side.values(metric) for side in _sides(cell))
    return RepeatedValues(before, after) if before and after else None


def _unchanged(cells: Sequence[RepeatedValues]) -> ComparedValues:
    """Return the estimates of a run that is compared with itself."""
    same = Estimate(ratio=1.0, change=Change.NOT_TESTED)
    return ComparedValues((same,) * len(cells), same)


def _mean(metric: ComparedMetric, compared: ComparedValues, num_cells: int) -> MeanChange:
    pooled = compared.pooled
    return MeanChange(
        metric=metric,
        num_cells=num_cells,
        estimate=compared.mean,
        spread=pooled.spread if pooled else None,
        degrees_of_freedom=round(pooled.df) if pooled else 0,
    )


def _metric(metric: ComparedMetric, values: RepeatedValues, estimate: Estimate) -> MetricComparison:
    return MetricComparison(
        metric=metric,
        before=geometric_mean(values.before),
        after=geometric_mean(values.after),
        num_before=len(values.before),
        num_after=len(values.after),
        estimate=estimate,
    )


def _cell(cell: CellPair, metrics: Sequence[MetricComparison]) -> CellComparison:
    before, after = ([row.failure_ratio or 0.0 for row in side.used] for side in _sides(cell))
    risen = [ratio for ratio in after if ratio > max(before) + MAX_FAILURE_RISE]
    return CellComparison(
        cell=cell.key,
        models=cell.models,
        level=cell.level,
        metrics=tuple(metrics),
        failures_before=median(before),
        failures_after=median(after),
        have_failures_risen=2 * len(risen) >= len(after),
        doubts=tuple(_doubts(cell, metrics)),
    )


def _doubts(cell: CellPair, metrics: Sequence[MetricComparison]) -> list[str]:
    doubts = []
    for name, side in zip((BASELINE, CANDIDATE), _sides(cell), strict=True):
        used, planned = len(side.used), len(side.planned)
        suspect = sum(row.verdict == Verdict.SUSPECT for row in side.used)
        if used < planned:
            doubts.append(f"{used} of {planned} repeats have results in {name}")
        if suspect:
            of = "" if used == 1 else f"{suspect} of {used} repeats "
            doubts.append(f"{of}suspect in {name}")
    compared = {one.metric.key: one for one in metrics}
    missing = [metric.label for metric in METRICS if metric.key not in compared]
    if missing:
        doubts.append(f"{', '.join(missing)} left out, because too few requests were measured")
    partial = [
        one.metric.label
        for one in metrics
        if one.num_before < len(cell.before.used) or one.num_after < len(cell.after.used)
    ]
    if partial:
        doubts.append(
            f"{', '.join(partial)} without the repeats in which too few requests were measured"
        )
    return doubts


def _sides(cell: CellPair) -> tuple[Repeats, Repeats]:
    return cell.before, cell.after
