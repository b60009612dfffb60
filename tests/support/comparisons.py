"""Comparisons of runs with chosen estimates, without any statistics."""

from pathlib import Path
from typing import Any

from loadbench.engine.comparison.model import (
    METRICS,
    CellComparison,
    Change,
    ComparedMetric,
    Comparison,
    Estimate,
    Loss,
    MeanChange,
    MetricComparison,
    Side,
    UnmatchedCell,
)
from loadbench.engine.journal.events import Result, RunFinished
from loadbench.engine.profile.levels import Closed
from loadbench.engine.run_reader import Run, RunStatus
from tests.support.builders import cell_finished, cell_started, run_started, state_after

METRIC = {metric.key: metric for metric in METRICS}


def estimate(ratio: float, low: float | None = None, high: float | None = None) -> Estimate:
    """Return an estimate with an interval of 99 %, or one that is not tested."""
    if low is None or high is None:
        return Estimate(ratio=ratio, change=Change.NOT_TESTED)
    change = Change.NOT_SHOWN if low <= 1 <= high else Change.WORSE
    return Estimate(ratio=ratio, change=change, low=low, high=high, level=0.99, smallest=0.05)


UNCHANGED = estimate(1.0, 0.97, 1.03)


def mean_of(key: str, found: Estimate = UNCHANGED) -> MeanChange:
    """Return the geometric mean of a metric over two cells."""
    return MeanChange(metric=METRIC[key], num_cells=2, estimate=found, spread=0.04)


def compared_cell(
    estimates: dict[str, Estimate] | None = None, *, cell: str = "m1_u2_s2", **fields: Any
) -> CellComparison:
    """Return a compared cell with estimates by the key of the metric."""
    found = {"p95_ms": UNCHANGED} if estimates is None else estimates
    return CellComparison(
        cell=cell,
        models=1,
        level=Closed(users=2, spawn_rate=2),
        metrics=tuple(_compared(METRIC[key], one) for key, one in found.items()),
        **{
            "failures_before": 0.0,
            "failures_after": 0.0,
            "have_failures_risen": False,
            **fields,
        },
    )


def _compared(metric: ComparedMetric, found: Estimate) -> MetricComparison:
    return MetricComparison(
        metric=metric,
        before=100.0,
        after=100.0 * found.ratio,
        num_before=3,
        num_after=3,
        estimate=found,
    )


def unmatched_cell(cell: str = "m2_u2_s2") -> UnmatchedCell:
    """Return a cell that the candidate has no results of."""
    return UnmatchedCell(cell=cell, reason="failed in after")


def loss(cell: str = "m2_u2_s2", metric: str = "") -> Loss:
    """Return the loss of a cell, or of a metric of it by its key."""
    return Loss(cell=cell, reason="failed in after", metric=METRIC[metric] if metric else None)


def side(profile: str, run: str = "20261122-072100") -> Side:
    """Return a run of one cell."""
    ended = RunFinished(result=Result.DONE, reason="every cell has ended")
    state = state_after(run_started(run=run), cell_started(), cell_finished(), ended)
    return Side(name=profile, run=Run(Path("reports") / profile / run, state, RunStatus.DONE))


def comparison(**fields: Any) -> Comparison:
    """Return a comparison, by default of two runs that do not differ."""
    defaults: dict[str, Any] = {
        "before": side("base"),
        "after": side("head"),
        "is_same_run": False,
        "material": 0.05,
        "differences": (),
        "means": (mean_of("p95_ms"),),
        "cells": (compared_cell(),),
        "unmatched": (),
        "losses": (),
        "doubts": (),
        "not_comparable": (),
    }
    return Comparison(**{**defaults, **fields})
