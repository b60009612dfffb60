"""A comparison as plain data for `compare --json`, documented in docs/compare.md."""

from collections.abc import Iterable, Sequence
from typing import Any

from loadbench.engine.comparison.by_recommendation import capacity_ratio
from loadbench.engine.comparison.model import (
    CellComparison,
    Comparison,
    Estimate,
    Loss,
    MeanChange,
    MetricComparison,
    Side,
)
from loadbench.engine.comparison.sentences import sentences

VERSION = 1


def record_of_comparisons(
    comparisons: Iterable[Comparison], missing: Sequence[str]
) -> dict[str, Any]:
    """Return the comparisons of a command as plain data.

    Args:
        comparisons: The comparisons.
        missing: The members of studies that are not compared, as sentences.
    """
    return {
        "version": VERSION,
        "comparisons": [record_of_comparison(one) for one in comparisons],
        "missing": list(missing),
    }


def record_of_comparison(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as plain data. Missing values are None."""
    ratio = capacity_ratio(comparison)
    return {
        "before": _side(comparison.before),
        "after": _side(comparison.after),
        "is_same_run": comparison.is_same_run,
        "is_tested": comparison.is_tested,
        "material": comparison.material,
        "sentences": list(sentences(comparison)),
        "differences": [
            {"area": one.area.value, "name": one.name, "before": one.before, "after": one.after}
            for one in comparison.differences
        ],
        "means": [_mean(mean) for mean in comparison.means],
        "cells": [_cell(cell) for cell in comparison.cells],
        "capacity_ratio": {"measured": ratio.measured, "low": ratio.low or None, "high": ratio.high}
        if ratio
        else None,
        "unmatched": [{"cell": one.cell, "reason": one.reason} for one in comparison.unmatched],
        "losses": [_loss(one) for one in comparison.losses],
        "doubts": list(comparison.doubts),
        "not_comparable": list(comparison.not_comparable),
    }


def _side(side: Side) -> dict[str, Any]:
    state = side.run.state
    return {
        "name": side.name,
        "run": side.run.name,
        "label": state.label or None,
        "status": side.run.status.value,
        "started_at": state.started_at,
    }


def _loss(loss: Loss) -> dict[str, Any]:
    metric = loss.metric.key if loss.metric else None
    return {"cell": loss.cell, "metric": metric, "reason": loss.reason}


def _mean(mean: MeanChange) -> dict[str, Any]:
    return {
        "metric": mean.metric.key,
        "num_cells": mean.num_cells,
        **_estimate(mean.estimate),
        "spread": _rounded(mean.spread),
        "degrees_of_freedom": mean.degrees_of_freedom,
    }


def _cell(cell: CellComparison) -> dict[str, Any]:
    return {
        "cell": cell.cell,
        "models": cell.models,
        **cell.level.fields,
        "metrics": {one.metric.key: _metric(one) for one in cell.metrics},
        "failures_before": _rounded(cell.failures_before),
        "failures_after": _rounded(cell.failures_after),
        "have_failures_risen": cell.have_failures_risen,
        "doubts": list(cell.doubts),
    }


def _metric(one: MetricComparison) -> dict[str, Any]:
    return {
        "before": _rounded(one.before),
        "after": _rounded(one.after),
        "num_before": one.num_before,
        "num_after": one.num_after,
        **_estimate(one.estimate),
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {
        "ratio": _rounded(estimate.ratio),
        "low": _rounded(estimate.low),
        "high": _rounded(estimate.high),
        "level": _rounded(estimate.level),
        "smallest": _rounded(estimate.smallest),
        "change": estimate.change.value,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
