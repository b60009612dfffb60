"""A comparison as sentences, the same in the terminal, in Markdown, on pages and on screens."""

from collections.abc import Iterable

from loadbench.engine.comparison.by_recommendation import recommendation_sentences
from loadbench.engine.comparison.comparability import MAX_NAMED, capitalised, loss_texts, named
from loadbench.engine.comparison.model import (
    CellComparison,
    Change,
    Comparison,
    Estimate,
    MeanChange,
    Side,
)
from loadbench.engine.numbers import number
from loadbench.engine.report.drift import drift_of

MAIN_METRIC = "p90_ms"
"""Metric of the first sentence."""

MAX_PERCENT = 99_999
"""Largest change that is printed as a number. Beyond it, an interval contains nearly everything."""

REPEAT = "measure with `--set repeats=3`"
"""What to do without repeats."""


def sentences(comparison: Comparison) -> tuple[str, ...]:
    """Return what is compared and the result. Doubts are not included."""
    return (
        subject_sentence(comparison),
        *result_sentences(comparison),
        *recommendation_sentences(comparison),
    )


def subject_sentence(comparison: Comparison) -> str:
    """Return which run is compared with which baseline."""
    before, after = comparison.before, comparison.after
    if comparison.is_same_run:
        return f"{after.run.name} is compared with itself, so nothing is tested."
    return f"{_described(after)} compared with the baseline {_described(before)}."


def result_sentences(comparison: Comparison) -> tuple[str, ...]:
    """Return the mean change at the 90th percentile, and what has been tested."""
    unmatched = {one.cell for one in comparison.unmatched}
    losses = loss_texts(loss for loss in comparison.losses if loss.cell in unmatched)
    lost = [f"{capitalised(text)}." for text in losses]
    if not comparison.cells:
        return ("No cell has results in both runs.", *lost)
    if comparison.is_same_run:
        return ()
    texts = [mean_sentence(mean) for mean in _main(comparison.means)]
    texts += _changed_cells(comparison)
    texts += [] if comparison.is_tested else [untested_sentence(comparison)]
    texts += lost
    risen = [cell for cell in comparison.cells if cell.have_failures_risen]
    texts += [_failures(cell) for cell in risen[:MAX_NAMED]]
    if len(risen) > MAX_NAMED:
        texts.append(f"Failures have risen in {len(risen) - MAX_NAMED} more cells.")
    return tuple(texts)


def mean_sentence(mean: MeanChange) -> str:
    """Return the geometric mean of the changes of a metric over all cells.

    `Mean improvement at the 90th percentile: 45 % (95 % interval 43 to 47 %, 8 cells).`
    """
    metric, estimate = mean.metric, mean.estimate
    where = f"{'in' if metric.is_more_better else 'at the'} {metric.phrase}"
    cells = "1 cell" if mean.num_cells == 1 else f"{mean.num_cells} cells"
    if estimate.low is None or estimate.high is None or estimate.level is None:
        return f"Mean change {where}: {signed_change(estimate.ratio)} ({cells}, not tested)."
    interval = f"{100 * estimate.level:g} % interval {_interval(estimate)}"
    if estimate.change is Change.NOT_SHOWN:
        return (
            f"No difference shown {where}: {signed_change(estimate.ratio)} ({interval}, {cells}). "
            f"The smallest difference that would have been shown: {smallest_text(estimate)}."
        )
    too_small = ", too small to matter" if estimate.change is Change.TOO_SMALL else ""
    size = _percent(abs(estimate.ratio - 1))
    return f"Mean {_change_noun(mean)} {where}: {size} ({interval}, {cells}){too_small}."


def untested_sentence(comparison: Comparison) -> str:
    """Return why nothing is tested, and which differences may be chance if that is known."""
    drifts = (drift_of(side.run.state) for side in (comparison.before, comparison.after))
    known = [drift.magnitude for drift in drifts if drift]
    start = "One measurement of each cell"
    if comparison.has_tested_cells:
        start = "Only the cells with repeats are tested, fewer than half. In the others"
    if known:
        return (
            f"{start}: differences below {_percent(max(known))} may be chance, judging by the "
            f"recheck of the first cell. To test them, {REPEAT}."
        )
    return f"{start}: any difference may be chance. To test it, {REPEAT}."


def signed_change(ratio: float) -> str:
    """Return a ratio as a relative change: `+4.2 %`."""
    change = 100 * (ratio - 1)
    if change > MAX_PERCENT:
        return f"over +{MAX_PERCENT} %"
    text = f"{abs(change):.{1 if abs(change) < 100 else 0}f}"
    sign = "" if float(text) == 0 else "+" if change > 0 else "−"
    return f"{sign}{text} %"


def interval_text(estimate: Estimate) -> str:
    """Return an interval as relative changes: `−4.2 to +1.3 %`. `-` without a test."""
    if estimate.low is None or estimate.high is None:
        return "-"
    return f"{signed_change(estimate.low).removesuffix(' %')} to {signed_change(estimate.high)}"


def _main(means: Iterable[MeanChange]) -> list[MeanChange]:
    """Return the change at the 90th percentile or, if it is unknown, the first one."""
    means = list(means)
    return ([mean for mean in means if mean.metric.key == MAIN_METRIC] or means)[:1]


def _changed_cells(comparison: Comparison) -> list[str]:
    found = _main(comparison.means)
    if not found:
        return []
    metric = found[0].metric
    cells = comparison.metric_of(metric.key)
    texts = []
    for change, word in ((Change.WORSE, "worse"), (Change.BETTER, "better")):
        keys = [cell.cell for cell, one in cells if one.estimate.change is change]
        if keys and len(keys) < len(cells):
            texts.append(f"{word} in {named(keys)}")
        elif keys:
            texts.append(f"{word} in all cells")
    if not texts:
        return []
    return [f"By cell, {metric.label} is {' and '.join(texts)}."]


def _failures(cell: CellComparison) -> str:
    before, after = _percent(cell.failures_before), _percent(cell.failures_after)
    return f"Failures in {cell.cell} have risen from {before} to {after}."


def _change_noun(mean: MeanChange) -> str:
    is_better = (mean.estimate.ratio > 1) is mean.metric.is_more_better
    return "improvement" if is_better else "regression"


def _interval(estimate: Estimate) -> str:
    """Return the interval: without signs if both ends have the sign of the change."""
    if estimate.change is Change.NOT_SHOWN:
        return interval_text(estimate)
    low, high = sorted(abs(end - 1) for end in (estimate.low or 0.0, estimate.high or 0.0))
    return f"{_percent(low).removesuffix(' %')} to {_percent(high)}"


def smallest_text(estimate: Estimate) -> str:
    """Return the smallest difference that would have been shown: `8.1 %`. `-` without a test."""
    return "-" if estimate.smallest is None else _percent(estimate.smallest)


def _percent(share: float) -> str:
    percent = 100 * share
    if percent > MAX_PERCENT:
        return f"over {MAX_PERCENT} %"
    return f"{percent:.1f} %" if percent < 1 else f"{number(percent, 2)} %"


def _described(side: Side) -> str:
    """Return the name of a run with its id, if the name has none, and its label."""
    full_name = side.run.name
    run_id = "" if side.name == full_name else full_name.rpartition("/")[2]
    details = ", ".join(filter(None, (run_id, side.run.state.label)))
    return f"{side.name} ({details})" if details else side.name
