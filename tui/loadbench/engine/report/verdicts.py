"""The verdict on a cell of a run: the rules, with what only the run knows. Pure."""

from dataclasses import replace

from loadbench.engine.journal.events import UNRECORDED, CellFinished, Finding, Verdict
from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.rules import Case
from loadbench.engine.measure.verdict import judge
from loadbench.engine.profile.plan import Cell
from loadbench.engine.report.drift import drift_to


def judge_in_run(
    state: RunState, cell: Cell, finished: CellFinished
) -> tuple[Verdict, tuple[Finding, ...]]:
    """Return the verdict on a cell, and the findings of all rules that apply.

    Args:
        state: The run before the cell was over.
        cell: The cell.
        finished: Its numbers.
    """
    drift = drift_to(state, finished) if cell.recheck else None
    return judge(Case(cell=cell, finished=finished, drift=drift))


def with_rule_ids(state: RunState, finished: CellFinished) -> CellFinished:
    """Return the end of a cell with the ids of its findings, where its journal has none.

    Verdict and texts stay as they were recorded. The ids come from today's rules, applied to the
    recorded evidence: where these give the same verdict by as many findings, the order is the same
    too. Otherwise nobody knows which rule meant what, and the findings stay `UNRECORDED`.

    Args:
        state: The run before the cell was over.
        finished: Its end.
    """
    recorded = finished.findings
    known = state.cells.get(finished.cell)
    if known is None or not any(it.rule == UNRECORDED for it in recorded):
        return finished
    verdict, today = judge_in_run(state, known.cell, finished)
    if verdict is not finished.verdict or len(today) != len(recorded):
        return finished
    named = (replace(it, text=was.text) for it, was in zip(today, recorded, strict=True))
    return replace(finished, findings=tuple(named))
