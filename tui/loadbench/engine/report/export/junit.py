"""The results of a run as a JUnit test suite: one test case per cell, and one per goal of it.

The case of a cell is an error if the cell failed, and skipped if its results are not valid. The
case of a goal is a failure if the goal is missed, and skipped if it is undecided, or if the cell
has no valid results to check.

A search measures loads that miss goals on purpose. It has one test case per number of models
instead of those of goals: a failure if no load passed with any number of models, and skipped if
none passed with this one, or if the search has no result.
"""

from collections.abc import Iterator

from loadbench.engine.journal.codec import read_time
from loadbench.engine.journal.events import Verdict
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.measure.main_request import main_of
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.export.junit_xml import JUnitCase, JUnitOutcome, JUnitSuite
from loadbench.engine.report.recommendation.goal import all_goals
from loadbench.engine.report.recommendation.goals import (
    GoalCheck,
    Outcome,
    check_text,
    undecided_text,
)
from loadbench.engine.report.rows import Row, rows

_GROUP = "loadbench"
CELL_FAILED = "cell failed"
GOAL_MISSED = "goal missed"
GOAL_UNDECIDED = "goal undecided"
NOT_MEASURED = "not measured"
NOT_VALID = "not valid"
REFUSED = "refused"
UNREADABLE = "unreadable profile"


def suite_of_run(state: RunState) -> JUnitSuite:
    """Return the results of a run as a test suite."""
    started = state.started
    assert started is not None
    goals = state.profile.goals if state.profile else Goals()
    is_search = state.profile is not None and state.profile.is_search
    keys = [] if is_search else [goal.key for goal in all_goals(goals, main_of(state.profile))]
    cases = [
        case
        for row in rows(state)
        for case in (_cell_case(row, state.cells[row.cell]), *_goal_cases(row, keys))
    ]
    if is_search:
        cases += _capacity_cases(state)
    if state.profile is None:
        problem = state.profile_problem
        cases.append(
            JUnitCase(name="goals", outcome=JUnitOutcome.ERROR, kind=UNREADABLE, message=problem)
        )
    return JUnitSuite(
        name=started.profile_name,
        group=f"{_GROUP}.{started.profile_name}",
        cases=tuple(cases),
        started_at=state.started_at,
        properties=tuple(
            (name, value) for name, value in (("run", started.run), ("label", state.label)) if value
        ),
    )


def suite_of_refusal(profile_name: str, reason: str) -> JUnitSuite:
    """Return the suite of a run that was refused.

    Args:
        profile_name: Name of the profile.
        reason: Reason of the refusal.
    """
    case = JUnitCase(name="start", outcome=JUnitOutcome.ERROR, kind=REFUSED, message=reason)
    return JUnitSuite(name=profile_name, group=f"{_GROUP}.{profile_name}", cases=(case,))


def _cell_case(row: Row, cell: CellState) -> JUnitCase:
    """Return the case of a cell, which contains the duration of its latest attempt."""
    outcome, kind = JUnitOutcome.PASSED, ""
    if cell.status is CellStatus.FAILED:
        outcome, kind = JUnitOutcome.ERROR, CELL_FAILED
    elif row.verdict != Verdict.VALID:
        outcome = JUnitOutcome.SKIPPED
        kind = NOT_MEASURED if row.requests is None else NOT_VALID
    message = _reason(row) if kind else ""
    time_s = _duration_s(cell)
    return JUnitCase(name=row.cell, outcome=outcome, kind=kind, message=message, time_s=time_s)


def _goal_cases(row: Row, keys: list[str]) -> Iterator[JUnitCase]:
    """Yield one case per goal.

    Args:
        row: The cell.
        keys: Keys of the goals. An invalid cell and one without results have no checks of them.
    """
    checks = {check.goal.key: check for check in row.checks}
    for key in keys:
        name, check = f"{row.cell} {key}", checks.get(key)
        if check is None or row.verdict != Verdict.VALID:
            kind = NOT_MEASURED if row.requests is None else NOT_VALID
            message = _reason(row) if check is None else f"{_reason(row)}; {check_text(check)}"
            yield JUnitCase(name=name, outcome=JUnitOutcome.SKIPPED, kind=kind, message=message)
        else:
            yield _checked(name, check)


def _capacity_cases(state: RunState) -> Iterator[JUnitCase]:
    """Yield one case per number of models of a search."""
    ended = state.search_ended
    if ended is None:
        yield JUnitCase(name="capacity", outcome=JUnitOutcome.SKIPPED, kind=NOT_MEASURED)
        return
    has_capacity = any(one.passed for one in ended.brackets)
    for one in ended.brackets:
        name = f"capacity with models={one.models}"
        if not one.is_decided:
            kind = GOAL_UNDECIDED if one.reason else NOT_MEASURED
            yield JUnitCase(name=name, outcome=JUnitOutcome.SKIPPED, kind=kind)
        elif one.passed is None:
            # Like `run --check`: a number of models that carries nothing is a result of the search.
            outcome = JUnitOutcome.SKIPPED if has_capacity else JUnitOutcome.FAILURE
            message = "no load passed"
            if one.missed is not None:
                message += f", {one.missed:g} users missed a goal"
            yield JUnitCase(name=name, outcome=outcome, kind=GOAL_MISSED, message=message)
        else:
            yield JUnitCase(name=name)


def _checked(name: str, check: GoalCheck) -> JUnitCase:
    match check.outcome:
        case Outcome.PASSED:
            return JUnitCase(name=name)
        case Outcome.MISSED:
            outcome, kind, message = JUnitOutcome.FAILURE, GOAL_MISSED, check_text(check)
        case Outcome.UNDECIDED:
            outcome, kind, message = JUnitOutcome.SKIPPED, GOAL_UNDECIDED, undecided_text(check)
    return JUnitCase(name=name, outcome=outcome, kind=kind, message=message)


def _reason(row: Row) -> str:
    """Return why a cell has no valid results."""
    return ": ".join(filter(None, [row.verdict, row.reasons]))


def _duration_s(cell: CellState) -> float:
    """Return the duration of the latest attempt in seconds. 0 if it has not ended."""
    began, ended = read_time(cell.began_at), read_time(cell.ended_at)
    return max(0.0, (ended - began).total_seconds()) if began and ended else 0.0
