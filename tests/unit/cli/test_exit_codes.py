"""Exit codes and which of them takes precedence."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.cli.exit_codes import PRECEDENCE, Exit, missed_goals, of_error, of_run, worst
from loadbench.engine.journal.events import Event, Result, RunFinished, Verdict
from loadbench.engine.run_reader import Run, status_of
from loadbench.errors import (
    DiskFullError,
    JournalError,
    LoadbenchError,
    LoadLostError,
    ProfileError,
    RefusedError,
    StackError,
    UsageError,
    WorkspaceError,
)
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_profile,
    requests,
    run_started,
    state_after,
)

GOALS = make_profile(models=[1, 2], goals={"p95_ms": 500, "failure_ratio": 0.01})
SLOW = cell_finished(requests=requests(((501.0, 100),)))
FAILING = cell_finished(requests=requests(((10.0, 97),), failures=((1.0, 3),)))
SUSPECT = cell_finished(verdict=Verdict.SUSPECT, reasons=("not settled",))


def run_of(*events: Event, result: Result | None = Result.DONE, live: bool = False) -> Run:
    """A run over two cells; None: it has not said its end."""
    end = [RunFinished(result=result, reason="so it was")] if result else []
    state = state_after(run_started(GOALS), cell_started(), *events, *end)
    return Run(Path("reports/demo/20261122-072100"), state, status_of(state, held=live))


def test_the_codes_are_those_that_are_documented() -> None:
    assert [(code.name, code.value) for code in PRECEDENCE] == [
        ("USAGE", 2),
        ("INTERRUPTED", 130),
        ("FAILED", 3),
        ("NOT_VALID", 4),
        ("GOALS_MISSED", 1),
        ("DONE", 0),
    ]
    assert set(PRECEDENCE) == set(Exit)


@pytest.mark.parametrize("kind", [UsageError, ProfileError, WorkspaceError])
def test_a_mistake_of_the_user_s_is_a_usage_error(kind: type[LoadbenchError]) -> None:
    assert of_error(kind("x")) is Exit.USAGE


@pytest.mark.parametrize(
    "kind", [RefusedError, StackError, LoadLostError, JournalError, DiskFullError]
)
def test_any_other_error_is_a_failure(kind: type[LoadbenchError]) -> None:
    assert of_error(kind("x")) is Exit.FAILED


def test_a_run_whose_cells_are_measured_is_done() -> None:
    assert of_run(run_of(cell_finished()), check=False) is Exit.DONE
    assert of_run(run_of(cell_finished()), check=True) is Exit.DONE


@pytest.mark.parametrize("end", [SLOW, FAILING, SUSPECT])
def test_what_the_numbers_are_counts_only_where_they_are_checked(end: Event) -> None:
    assert of_run(run_of(end), check=False) is Exit.DONE
    assert of_run(run_of(end), check=True) is not Exit.DONE


@pytest.mark.parametrize("end", [SLOW, FAILING])
def test_a_goal_that_is_missed_has_its_code(end: Event) -> None:
    assert of_run(run_of(end), check=True) is Exit.GOALS_MISSED


def test_numbers_that_are_not_valid_come_before_goals() -> None:
    second = (cell_started("m2_u2_s2"), cell_finished("m2_u2_s2", verdict=Verdict.INVALID))
    assert of_run(run_of(SLOW, *second), check=True) is Exit.NOT_VALID


@pytest.mark.parametrize("check", [False, True])
def test_a_failed_cell_comes_before_numbers_that_are_not_valid(check: bool) -> None:
    second = (cell_started("m2_u2_s2"), cell_failed("m2_u2_s2"))
    assert of_run(run_of(SUSPECT, *second), check=check) is Exit.FAILED


def test_a_stopped_run_is_interrupted_even_with_failed_cells() -> None:
    assert of_run(run_of(cell_failed(), result=Result.STOPPED), check=True) is Exit.INTERRUPTED


def test_a_run_that_was_aborted_or_never_said_its_end_has_failed() -> None:
    assert of_run(run_of(cell_finished(), result=Result.ABORTED), check=False) is Exit.FAILED
    assert of_run(run_of(cell_finished(), result=None), check=False) is Exit.FAILED


def test_a_skipped_cell_is_no_failure() -> None:
    assert of_run(run_of(cell_skipped()), check=True) is Exit.DONE


def test_a_missed_goal_is_said_with_both_numbers() -> None:
    assert missed_goals(run_of(SLOW)) == ["m1_u2_s2: p95 501 ms exceeds the goal of 500 ms"]
    assert missed_goals(run_of(FAILING)) == [
        "m1_u2_s2: failure ratio 0.03 exceeds the goal of 0.01"
    ]


def test_a_goal_that_is_just_reached_is_not_missed() -> None:
    exactly = requests(((500.0, 99),), failures=((1.0, 1),))
    assert missed_goals(run_of(cell_finished(requests=exactly))) == []


@given(st.lists(st.sampled_from(Exit)))
def test_of_several_runs_the_worst_decides(exits: list[Exit]) -> None:
    decided = worst(exits)
    assert decided in exits or (not exits and decided is Exit.DONE)
    assert all(PRECEDENCE.index(decided) <= PRECEDENCE.index(code) for code in exits)
