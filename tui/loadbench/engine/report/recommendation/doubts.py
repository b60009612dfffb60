"""Reasons why a recommendation may not hold. None of them is left out."""

from collections.abc import Iterable, Sequence

from loadbench.engine.journal.events import Verdict
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.report.drift import drift_of
from loadbench.engine.report.recommendation.capacity import Configuration
from loadbench.engine.report.recommendation.goals import Outcome, undecided_text
from loadbench.engine.report.recommendation.loads import (
    LoadOutcome,
    replica_failure,
    usable_results,
)
from loadbench.engine.report.recommendation.scaling import Scaling
from loadbench.engine.report.recommendation.subject import Subject

MAX_NAMED = 4
"""Maximum number of cells that a doubt names."""


def doubts_of(
    state: RunState, found: Sequence[Configuration], scaled: Scaling, subject: Subject
) -> tuple[str, ...]:
    """Return the doubts about the recommendation of a run, as sentences without a full stop.

    Args:
        state: The run.
        found: Its configurations.
        scaled: Its scaling.
        subject: What it scales.
    """
    doubts: list[str] = []
    for one in found:
        where = f" with {subject.amount(one.models)}" if subject.is_scaled else ""
        doubts += _undecided(one.undecided, where)
        doubts += [doubt for load in one.loads for doubt in _of_load(load, where)]
        if one.passed_above and one.first_failed:
            passed = ", ".join(load.phrase for load in one.passed_above)
            doubts.append(
                f"Not monotone{where}: {one.first_failed.phrase} failed, but {passed} passed"
            )
    doubts += _of_cells(state.cells.values())
    rising = [
        step.models
        for step, one in zip(scaled.steps, _with_rates(found), strict=True)
        if not step.is_saturated and len(one.loads) > 1
    ]
    if rising:
        where = f" with {listed(rising)} {subject.plural}" if subject.is_scaled else ""
        doubts.append(f"Throughput{where} was still rising at the largest load")
    if scaled.steps and all(len(one.loads) == 1 for one in found):
        doubts.append("Only one load was measured, so the highest throughput is unknown")
    drift = drift_of(state)
    if drift and drift.reason:
        doubts.append(f"The first cell changed between start and end: {drift.reason}")
    return tuple(doubts)


def _undecided(loads: Sequence[LoadOutcome], where: str) -> list[str]:
    """Return one doubt for all undecided loads of a configuration."""
    first = loads[0] if loads else None
    if first is None or first.check is None:
        return []
    reason = undecided_text(first.check)
    if len(loads) == 1:
        verb = "is" if first.amount == 1 else "are"
        return [f"{first.phrase}{where} {verb} undecided: {reason}"]
    phrases = listed([load.phrase for load in loads])
    return [f"{phrases}{where} are undecided: {reason} at {first.phrase}"]


def _of_load(load: LoadOutcome, where: str) -> list[str]:
    doubts = []
    if load.is_divided:
        parts = [f"{level.level.detail} {level.outcome.value}" for level in load.levels]
        doubts.append(f"The spawn rates disagree at {load.phrase}{where}: {', '.join(parts)}")
    for level in load.levels:
        passed, total = level.count(Outcome.PASSED), len(level.repeats)
        if 0 < passed < total:
            at = f" at {level.level.detail}" if len(load.levels) > 1 else ""
            doubts.append(f"{passed} of {total} repeats of {load.phrase}{at}{where} passed")
    return doubts


def _of_cells(cells: Iterable[CellState]) -> list[str]:
    """Return one doubt for each kind of reason that applies to cells.

    Cells have the same kind of reason if the same rules apply to them, even with other values.
    """
    kinds: dict[object, list[tuple[str, str]]] = {}
    for cell in cells:
        if not cell.cell.recheck and (reason := _reason(cell)):
            kind, text = reason
            kinds.setdefault(kind, []).append((cell.cell.key, text))
    doubts = []
    for found in kinds.values():
        key, text = found[0]
        is_same = all(other == text for _, other in found)
        keys = _named([key for key, _ in found])
        doubts.append(f"{keys}: {text}" if is_same else f"{keys}: {text} in {key}")
    return doubts


def _reason(cell: CellState) -> tuple[object, str] | None:
    """Return the kind of the reason why a cell is doubtful, and its text, or None."""
    finished = cell.finished if cell.status is CellStatus.FINISHED else None
    if finished and finished.verdict is not Verdict.VALID:
        used = "suspect" if usable_results(cell) else "invalid and excluded"
        texts = [finding.text for finding in finished.findings]
        rules = tuple(finding.rule for finding in finished.findings)
        return (used, rules), ", ".join([used, *texts])
    if cell.status is CellStatus.FAILED and cell.failed:
        counted = "counted as missed" if replica_failure(cell) else "excluded"
        text = f"failed and {counted}, {cell.failed.reason}"
        return text, text
    if cell.status is CellStatus.SKIPPED:
        return CellStatus.SKIPPED, "skipped"
    return None


def listed(items: Sequence[object]) -> str:
    """Return items as a list: `1`, `1 and 2` or `1, 2 and 4`."""
    *rest, last = map(str, items)
    return f"{', '.join(rest)} and {last}" if rest else last


def _with_rates(found: Sequence[Configuration]) -> list[Configuration]:
    """Return the configurations with a step in the scaling."""
    return [one for one in found if one.peak and one.peak.rps]


def _named(keys: Sequence[str]) -> str:
    if len(keys) <= MAX_NAMED:
        return ", ".join(keys)
    return f"{', '.join(keys[:MAX_NAMED])} and {len(keys) - MAX_NAMED} more"
