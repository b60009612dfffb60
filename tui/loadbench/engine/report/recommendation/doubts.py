"""Reasons why a recommendation may not hold. None of them is left out."""

from collections.abc import Iterable, Sequence

from loadbench.engine.journal.events import Verdict
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.report.drift import drift_of
from loadbench.engine.report.recommendation.capacity import Configuration
from loadbench.engine.report.recommendation.goals import undecided_text
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
    unsaturated = [step for step in scaled.steps[1:] if not step.is_saturated]
    if unsaturated and not any(one.first_failed for one in found):
        numbers = listed([str(step.models) for step in unsaturated])
        doubts.append(
            f"Throughput with {numbers} {subject.plural} was still rising at the largest load"
        )
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
        return [f"{first.phrase}{where} is undecided: {reason}"]
    phrases = listed([load.phrase for load in loads])
    return [f"{phrases}{where} are undecided: {reason} at {first.phrase}"]


def _of_load(load: LoadOutcome, where: str) -> list[str]:
    doubts = []
    if load.is_divided:
        parts = [f"{level.level.detail} {level.outcome.value}" for level in load.levels]
        doubts.append(f"The spawn rates disagree at {load.phrase}{where}: {', '.join(parts)}")
    for level in load.levels:
        if 0 < level.passed < level.counted:
            at = f" at {level.level.detail}" if len(load.levels) > 1 else ""
            doubts.append(
                f"{level.passed} of {level.counted} repeats of {load.phrase}{at}{where} passed"
            )
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
    if cell.status is CellStatus.FAILED and cell.failed and not replica_failure(cell):
        text = f"failed and excluded, {cell.failed.reason}"
        return text, text
    if cell.status is CellStatus.SKIPPED:
        return CellStatus.SKIPPED, "skipped"
    return None


def listed(texts: Sequence[str]) -> str:
    """Return texts as a list: `1`, `1 and 2` or `1, 2 and 4`."""
    *rest, last = texts
    return f"{', '.join(rest)} and {last}" if rest else last


def _named(keys: Sequence[str]) -> str:
    if len(keys) <= MAX_NAMED:
        return ", ".join(keys)
    return f"{', '.join(keys[:MAX_NAMED])} and {len(keys) - MAX_NAMED} more"
