"""Exit codes and their precedence."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.cli.exit_codes import (
    PRECEDENCE,
    Exit,
    exit_for_error,
    most_important,
)
from loadbench.cli.report.exits import exit_for_run, missed_goals
from loadbench.engine.journal.events import Event, Result, RunFinished, Verdict
from loadbench.engine.profile.model import Profile
from loadbench.engine.report.verdicts import judge_in_run
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
    make_cell,
    make_profile,
    requests,
    run_started,
    state_after,
)

GOALS = make_profile(models=[1, 2], goals={"p95_ms": 500, "failure_ratio": 0.01})
SLOW = cell_finished(requests=requests(((501.0, 100),)))
FAILING = cell_finished(requests=requests(((10.0, 97),), failures=((1.0, 3),)))
SUSPECT = cell_finished(verdict=Verdict.SUSPECT, reasons=("not settled",))


def make_run(
    *events: Event,
    result: Result | None = Result.DONE,
    live: bool = False,
    profile: Profile = GOALS,
) -> Run:
    """Make a run of two cells. With `result=None` it has not finished."""
    end = [RunFinished(result=result, reason="every cell has ended")] if result else []
    state = state_after(run_started(profile), cell_started(), *events, *end)
    return Run(Path("reports/demo/20261122-072100"), state, status_of(state, held=live))


def test_exit_codes_and_their_order_are_as_documented() -> None:
    assert [(code.name, code.value) for code in PRECEDENCE] == [
        ("USAGE", 2),
        ("INTERRUPTED", 130),
        ("FAILED", 3),
        ("OUTPUT_CLOSED", 141),
        ("NOT_COMPARABLE", 5),
        ("TOO_FEW_REPEATS", 6),
        ("NOT_VALID", 4),
        ("GATE_FAILED", 1),
        ("DONE", 0),
    ]
    assert set(PRECEDENCE) == set(Exit)


@pytest.mark.parametrize("kind", [UsageError, ProfileError, WorkspaceError])
def test_user_errors_exit_with_usage(kind: type[LoadbenchError]) -> None:
    assert exit_for_error(kind("x")) is Exit.USAGE


@pytest.mark.parametrize(
    "kind", [RefusedError, StackError, LoadLostError, JournalError, DiskFullError]
)
def test_other_errors_exit_with_failed(kind: type[LoadbenchError]) -> None:
    assert exit_for_error(kind("x")) is Exit.FAILED


def test_run_with_all_cells_measured_is_done() -> None:
    assert exit_for_run(make_run(cell_finished()), check=False) is Exit.DONE
    assert exit_for_run(make_run(cell_finished()), check=True) is Exit.DONE


@pytest.mark.parametrize("end", [SLOW, FAILING, SUSPECT])
def test_numbers_affect_the_exit_code_only_with_check(end: Event) -> None:
    assert exit_for_run(make_run(end), check=False) is Exit.DONE
    assert exit_for_run(make_run(end), check=True) is not Exit.DONE


@pytest.mark.parametrize("end", [SLOW, FAILING])
def test_missed_goal_has_its_own_exit_code(end: Event) -> None:
    assert exit_for_run(make_run(end), check=True) is Exit.GATE_FAILED


def test_invalid_numbers_take_precedence_over_missed_goals() -> None:
    second = (cell_started("m2_u2_s2"), cell_finished("m2_u2_s2", verdict=Verdict.INVALID))
    assert exit_for_run(make_run(SLOW, *second), check=True) is Exit.NOT_VALID


@pytest.mark.parametrize("check", [False, True])
def test_failed_cell_takes_precedence_over_invalid_numbers(check: bool) -> None:
    second = (cell_started("m2_u2_s2"), cell_failed("m2_u2_s2"))
    assert exit_for_run(make_run(SUSPECT, *second), check=check) is Exit.FAILED


def test_stopped_run_is_interrupted_even_with_failed_cells() -> None:
    assert (
        exit_for_run(make_run(cell_failed(), result=Result.STOPPED), check=True) is Exit.INTERRUPTED
    )


def test_aborted_or_killed_run_has_failed() -> None:
    assert (
        exit_for_run(make_run(cell_finished(), result=Result.ABORTED), check=False) is Exit.FAILED
    )
    assert exit_for_run(make_run(cell_finished(), result=None), check=False) is Exit.FAILED


def test_skipped_cell_is_not_a_failure() -> None:
    second = (cell_started("m2_u2_s2"), cell_finished("m2_u2_s2"))
    assert exit_for_run(make_run(cell_skipped(), *second), check=True) is Exit.DONE


def test_run_without_any_measured_cell_does_not_pass_a_check() -> None:
    run = make_run(cell_skipped())
    assert exit_for_run(run, check=False) is Exit.DONE
    assert exit_for_run(run, check=True) is Exit.NOT_VALID


@pytest.mark.parametrize("goals", [{}, {"failure_ratio": 1.0}, {"p95_ms": 500}])
@pytest.mark.parametrize("aborted", [0, 3])
def test_cell_without_any_success_does_not_pass_a_check(
    goals: dict[str, float], aborted: int
) -> None:
    profile = make_profile(models=[1, 2], goals=goals)
    failing = cell_finished(
        "m2_u2_s2", requests=requests((), ((1.0, 400),)), completed=0, aborted=aborted
    )
    started = state_after(run_started(profile), cell_started())
    verdict, _ = judge_in_run(started, make_cell(2), failing)
    assert verdict is Verdict.INVALID

    for recorded in (verdict, Verdict.VALID):
        second = (cell_started("m2_u2_s2"), replace(failing, verdict=recorded))
        run = make_run(cell_finished(), *second, profile=profile)
        assert exit_for_run(run, check=True) is Exit.NOT_VALID


def test_missed_goal_message_contains_value_and_goal() -> None:
    assert missed_goals(make_run(SLOW)) == ["m1_u2_s2: p95 501 ms (goal 500 ms)"]
    assert missed_goals(make_run(FAILING)) == ["m1_u2_s2: 3 % failures (goal ≤ 1 %)"]


def test_value_equal_to_the_goal_is_not_a_miss() -> None:
    exactly = requests(((500.0, 99),), failures=((1.0, 1),))
    assert missed_goals(make_run(cell_finished(requests=exactly))) == []


@given(st.lists(st.sampled_from(Exit)))
def test_most_important_exit_code_wins(exits: list[Exit]) -> None:
    decided = most_important(exits)
    assert decided in exits or (not exits and decided is Exit.DONE)
    assert all(PRECEDENCE.index(decided) <= PRECEDENCE.index(code) for code in exits)
