"""The remaining cells of a run, its reports, and the length of phases."""

from dataclasses import replace
from pathlib import Path

import pytest

from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.events import CellPhase, Event, Phase, Result, RunFinished, Verdict
from loadbench.engine.journal.timing.progress import phase_length_s
from loadbench.engine.profile.plan import plan_cells
from loadbench.engine.requests.resumption import (
    RemainingCells,
    cells_to_retry,
    remaining_cells,
)
from loadbench.engine.run_lookup import find_run_folder
from loadbench.engine.run_reader import Run, RunStatus, report_path
from loadbench.errors import UsageError
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_profile,
    run_started,
    state_after,
)

FIRST, SECOND, THIRD = "m1_u2_s2", "m2_u2_s2", "m3_u2_s2"


PROFILE = make_profile(models=[1, 2, 3])


BEGUN = run_started(PROFILE)


STOPPED = RunFinished(result=Result.STOPPED, reason="asked for")


def phase(name: Phase, cell: str = FIRST) -> CellPhase:
    """The event that the current cell enters a phase."""
    return CellPhase(cell=cell, phase=name)


KEYS = (FIRST, SECOND, THIRD)


# Outstanding cells of a run


def run(*events: Event, status: RunStatus, folder: Path = Path("/nowhere/demo/x")) -> Run:
    """A run of three cells."""
    return Run(folder, state_after(BEGUN, *events), status)


ALL_OVER = tuple(event for key in KEYS for event in (cell_started(key), cell_finished(key)))


def test_the_current_cell_and_all_later_cells_of_an_ended_run_are_outstanding() -> None:
    events = (cell_started(), cell_finished(), cell_started(SECOND))

    assert remaining_cells(run(*events, status=RunStatus.INTERRUPTED)) == RemainingCells(2)
    assert remaining_cells(run(*events, STOPPED, status=RunStatus.STOPPED)) == RemainingCells(2)


def test_failed_cells_are_retried_once_all_cells_are_over() -> None:
    failed = (*ALL_OVER[:2], *(cell_started(SECOND), cell_failed(SECOND)))

    assert remaining_cells(run(*failed, status=RunStatus.STOPPED)) == RemainingCells(
        1, failed=(SECOND,)
    )
    over = (*failed, cell_skipped(THIRD))
    assert remaining_cells(run(*over, status=RunStatus.DONE)) == RemainingCells(failed=(SECOND,))


def test_suspect_and_invalid_cells_can_be_measured_again() -> None:
    suspect = cell_finished(SECOND, verdict=Verdict.SUSPECT)
    invalid = cell_finished(THIRD, verdict=Verdict.INVALID)
    over = run(*ALL_OVER[:2], suspect, invalid, status=RunStatus.DONE)

    assert remaining_cells(over) == RemainingCells(suspect=(SECOND, THIRD))
    assert cells_to_retry(over.state, failed=True) == ()
    assert cells_to_retry(over.state, suspect=True) == (SECOND, THIRD)
    waiting = run(suspect, answered("again", SECOND), status=RunStatus.STOPPED)
    assert remaining_cells(waiting) == RemainingCells(3)


def test_a_live_or_complete_run_has_nothing_to_resume() -> None:
    assert remaining_cells(run(cell_started(), status=RunStatus.LIVE)) is None
    assert remaining_cells(run(*ALL_OVER, status=RunStatus.DONE)) is None


def test_a_measured_cell_has_its_report_if_the_file_exists(tmp_path: Path) -> None:
    over = run(*ALL_OVER, status=RunStatus.DONE, folder=tmp_path)
    assert report_path(over, FIRST) is None

    with_report = replace(over, reports=frozenset({"1_2_2.html"}))

    assert report_path(with_report, FIRST) == tmp_path / "1_2_2.html"
    assert report_path(with_report, SECOND) is None


@pytest.mark.parametrize(
    "after",
    [
        (cell_started(attempt=2),),
        (cell_started(attempt=2), cell_failed(attempt=2)),
        (answered("again", FIRST),),
        (answered("again", FIRST), cell_skipped()),
    ],
)
def test_the_report_of_an_earlier_attempt_does_not_count(
    tmp_path: Path, after: tuple[Event, ...]
) -> None:
    events = (cell_started(), cell_finished(), *after)
    begun = run(*events, status=RunStatus.LIVE, folder=tmp_path)

    assert report_path(replace(begun, reports=frozenset({"1_2_2.html"})), FIRST) is None


def test_a_folder_with_an_unreadable_journal_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "demo" / "20261122-072100"
    folder.mkdir(parents=True)
    (folder / FILE_NAME).write_text("no journal\n")

    assert find_run_folder("demo", tmp_path) == folder
    assert find_run_folder(str(folder), tmp_path / "elsewhere") == folder
    assert find_run_folder(None, tmp_path) == folder
    with pytest.raises(UsageError, match="no run 'other'"):
        find_run_folder("other", tmp_path)
    with pytest.raises(UsageError, match="no live run"):
        find_run_folder("demo", tmp_path, live=True)


# Length of phases


@pytest.mark.parametrize(
    ("name", "length_s"),
    [
        (Phase.SCALING, None),
        (Phase.RAMPING, 4.0),
        (Phase.SETTLING, 30.0),
        (Phase.MEASURING, 60.0),
        (Phase.DRAINING, None),
    ],
)
def test_the_length_of_a_phase_follows_from_the_profile(
    name: Phase, length_s: float | None
) -> None:
    profile = make_profile(users=[10], run_time="60s", settle={"max": "30s"})
    key = plan_cells(profile)[0].key
    state = state_after(run_started(profile), cell_started(key), phase(name, key))

    assert phase_length_s(profile, state) == length_s


def test_without_a_phase_its_length_is_unknown() -> None:
    assert phase_length_s(PROFILE, state_after(BEGUN)) is None
    assert phase_length_s(PROFILE, state_after(BEGUN, cell_started())) is None
