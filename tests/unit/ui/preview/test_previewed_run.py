"""The preview of a resumed run, and the request that starts it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from loadbench.engine.journal.events import Event, Result, RunFinished
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.errors import JournalError, UsageError
from loadbench.ui.preview.previewed_run import to_resume
from loadbench.workspace import Workspace
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_started,
    make_profile,
    run_started,
    state_after,
)

FIRST, SECOND, THIRD = "m1_u2_s2", "m2_u2_s2", "m3_u2_s2"
WORKSPACE = Workspace(Path("/nowhere"), Path("/nowhere/reports"))
DONE = RunFinished(result=Result.DONE, reason="every cell is over")
POINT = {"models": 2, "users": 8, "spawn_rate": 2}
KEEP = "The other cells keep their results."
HIDDEN = "Until then, their results are hidden; the journal keeps them."
HIDDEN_ONE = "Until then, its result is hidden; the journal keeps it."


def run(*ends: Event, repeats: int = 1) -> Run:
    """A run of models 1 to 3 whose first cells ended in this way."""
    started = run_started(make_profile(models=[1, 2, 3], repeats=repeats))
    events = [event for end in ends for event in (cell_started(getattr(end, "cell", "")), end)]
    is_done = len(ends) == 3
    state = state_after(started, *events, *((DONE,) if is_done else ()))
    status = RunStatus.DONE if is_done else RunStatus.INTERRUPTED
    return Run(Path("/nowhere/reports/demo/1"), state, status)


OVER = run(cell_finished(FIRST), cell_failed(SECOND), cell_failed(THIRD))


@pytest.mark.parametrize(
    ("resumed", "again", "points", "summary"),
    [
        (run(cell_finished(FIRST)), (), (), f"2 of 3 cells remain. {KEEP}"),
        (run(cell_finished(FIRST), cell_finished(SECOND)), (), (), f"1 of 3 cells remains. {KEEP}"),
        (OVER, (SECOND, THIRD), (), f"Retries 2 failed cells out of 3. {KEEP}"),
        (OVER, (SECOND,), (), f"Measures {SECOND} again. {KEEP}"),
        (
            OVER,
            (FIRST, SECOND, THIRD),
            (),
            f"Measures 3 of 3 cells again. {HIDDEN}",
        ),
        (
            OVER,
            (FIRST,),
            (POINT,),
            f"Measures {FIRST} again. {HIDDEN_ONE} Adds m2_u8_s2. {KEEP}",
        ),
        (run(repeats=2), (), (POINT,), "Adds m2_u8_s2 with 2 repeats. 6 of 6 cells remain."),
    ],
)
def test_the_summary_names_what_a_resume_measures(
    resumed: Run,
    again: tuple[str, ...],
    points: tuple[Mapping[str, float], ...],
    summary: str,
) -> None:
    found = to_resume(WORKSPACE, resumed, (), again=again, added=points)

    assert found is not None
    previewed, request = found
    assert previewed.resume_summary == summary
    assert (request.resume, request.again, request.added) == (str(resumed.folder), again, points)
    assert set(again) <= {cell.key for cell in previewed.cells}


def test_a_live_or_complete_run_has_no_preview_of_a_resume() -> None:
    complete = run(cell_finished(FIRST), cell_finished(SECOND), cell_finished(THIRD))
    live = replace(complete, status=RunStatus.LIVE)

    assert to_resume(WORKSPACE, complete, ()) is None
    assert to_resume(WORKSPACE, live, (), again=(FIRST,)) is None


def test_an_impossible_resume_is_an_error() -> None:
    with pytest.raises(UsageError, match="No such cell: m9"):
        to_resume(WORKSPACE, OVER, (), again=("m9",))
    unreadable = replace(OVER, state=replace(OVER.state, profile=None, profile_problem="newer"))
    with pytest.raises(JournalError, match="newer"):
        to_resume(WORKSPACE, unreadable, (), again=(FIRST,))
