"""Reasons why a recommendation may not hold. None of them is left out."""

from collections.abc import Iterable, Sequence

from loadbench.engine.hardware.description import hardware_line
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
from loadbench.engine.report.recommendation.subject import Subject, listed

MACHINE_KEYS = ("cpu", "cores", "memory_bytes")
"""Keys of the recorded hardware that differ on another machine."""

MAX_NAMED = 4
"""Maximum number of cells that a doubt names."""


def doubts_of(
    state: RunState,
    found: Sequence[Configuration],
    scaled: Scaling,
    subject: Subject,
    best: Configuration | None,
) -> tuple[str, ...]:
    """Return the doubts about the recommendation of a run, as sentences without a full stop.

    Args:
        state: The run.
        found: Its configurations.
        scaled: Its scaling.
        subject: What it scales.
        best: The configuration of the answer. None if none met the goals, or without goals.
    """
    doubts: list[str] = []
    for one in found:
        where = subject.with_models(one.models)
        doubts += _undecided(one.undecided, where)
        doubts += [doubt for load in one.loads for doubt in _of_load(load, where)]
        if one.passed_above and one.first_failed:
            passed = listed([load.phrase for load in one.passed_above])
            doubts.append(
                f"Not monotone{where}: {one.first_failed.phrase} failed, but {passed} passed"
            )
    load = best.capacity if best else None
    for one in found if best and load else ():
        if best and load and one.models < best.models and one.may_carry(load):
            amount = subject.amount(one.models)
            doubts.append(f"{amount} without valid results at {load.phrase} may carry them too")
    doubts += _absent(found)
    doubts += _of_cells(state.cells.values())
    doubts += _rising(found, scaled, subject)
    drift = drift_of(state)
    if drift and drift.reason:
        doubts.append(f"The first cell changed between start and end: {drift.reason}")
    started = state.started.hardware if state.started else {}
    for other in state.resumed_hardware:
        if any(other.get(key) != started.get(key) for key in MACHINE_KEYS):
            doubts.append(f"Resumed on another machine: {hardware_line(other)}")
    return tuple(doubts)


def _rising(found: Sequence[Configuration], scaled: Scaling, subject: Subject) -> list[str]:
    """Return the configurations whose highest throughput is unknown, by reason."""
    loads = {one.models: len(one.loads) for one in found}
    unknown = [step.models for step in scaled.steps if not step.is_saturated]
    rising = [models for models in unknown if loads[models] > 1]
    single = [models for models in unknown if loads[models] == 1]
    doubts = []
    if rising:
        where = subject.with_models(*rising)
        doubts.append(f"Throughput{where} was still rising at the largest load")
    if single:
        where = subject.with_models(*single)
        doubts.append(
            f"The highest throughput{where} is unknown, because only one load was measured"
        )
    return doubts


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


def _absent(found: Sequence[Configuration]) -> list[str]:
    """Return one doubt for each goal whose requests or measurement occurred in no cell."""
    checks = [
        check
        for one in found
        for load in one.loads
        for level in load.levels
        for check in level.checks
    ]
    texts: dict[str, str] = {}
    for check in checks:
        if check.goal.subject and not check.samples:
            texts.setdefault(check.goal.key, undecided_text(check))
    for check in checks:
        if check.samples:
            texts.pop(check.goal.key, None)
    return [f"goals.{key}: {text}" for key, text in texts.items()]


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


def _named(keys: Sequence[str]) -> str:
    if len(keys) <= MAX_NAMED:
        return ", ".join(keys)
    return f"{', '.join(keys[:MAX_NAMED])} and {len(keys) - MAX_NAMED} more"
