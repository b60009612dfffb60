"""Determine the verdict on a cell in the context of its run."""

from dataclasses import replace

from loadbench.engine.journal.events import UNRECORDED, CellFinished, Finding, Verdict
from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.idle import ScaledService
from loadbench.engine.measure.main_request import main_of
from loadbench.engine.measure.rules.case import Case
from loadbench.engine.measure.verdict import judge
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell
from loadbench.engine.report.drift import drift_to


def judge_in_run(
    state: RunState, cell: Cell, finished: CellFinished
) -> tuple[Verdict, tuple[Finding, ...]]:
    """Return the verdict on a cell and the findings of all rules that apply.

    Args:
        state: The state of the run before the cell finished.
        cell: The cell.
        finished: Its results.
    """
    return judge(case_in_run(state, cell, finished))


def case_in_run(state: RunState, cell: Cell, finished: CellFinished) -> Case:
    """Return the input of the rules for a cell; arguments as for `judge_in_run`."""
    target = state.started.target if state.started else None
    return Case(
        cell=cell,
        finished=finished,
        main=main_of(state.profile),
        drift=drift_to(state, finished) if cell.recheck else None,
        max_run_time_s=_max_run_time_s(state.profile),
        scaled=ScaledService(
            name=target.scaled if target else "",
            batch_size=state.profile.batch_size if state.profile else 1,
        ),
    )


def _max_run_time_s(profile: Profile | None) -> float | None:
    return profile.max_run_time if profile and profile.is_run_time_auto else None


def with_rule_ids(state: RunState, finished: CellFinished) -> CellFinished:
    """Return a finished cell with rule ids added to findings that were recorded without them.

    The recorded verdict and texts stay unchanged. The ids come from applying the current rules to
    the recorded evidence. If the verdict and the number of findings match, the findings are matched
    in order. Otherwise, the rules are unknown, and the findings stay `UNRECORDED`.

    Args:
        state: The state of the run before the cell finished.
        finished: The results of the cell.
    """
    recorded = finished.findings
    known = state.cells.get(finished.cell)
    if known is None or not any(finding.rule == UNRECORDED for finding in recorded):
        return finished
    verdict, current = judge_in_run(state, known.cell, finished)
    if verdict is not finished.verdict or len(current) != len(recorded):
        return finished
    findings = (replace(new, text=old.text) for new, old in zip(current, recorded, strict=True))
    return replace(finished, findings=tuple(findings))
