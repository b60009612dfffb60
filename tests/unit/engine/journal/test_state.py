"""The fold: what a run's events come to."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import (
    CellPhase,
    Event,
    Note,
    Phase,
    Result,
    RunFinished,
    RunResumed,
    StackProgress,
)
from loadbench.engine.journal.samples import WHOLE_S, Samples
from loadbench.engine.journal.state import EMPTY, MESSAGES_KEPT, OVER, CellStatus, RunState, fold
from loadbench.engine.journal.time_bucket import TimeBucket
from loadbench.engine.measure.buckets import merge, successes
from loadbench.engine.profile.model import SETTLE_WINDOWS
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    entries,
    make_cell,
    make_profile,
    requests,
    run_started,
    sample,
    state_after,
)

KEYS = FIRST, SECOND, THIRD = "m1_u2_s2", "m2_u2_s2", "m3_u2_s2"
BEGUN = run_started(make_profile(models=[1, 2, 3]))
ENDS = [cell_finished(), cell_failed(), cell_skipped()]


def resumed(*retry: str) -> RunResumed:
    """The run goes on with another process."""
    return RunResumed(pid=7, retry=retry, hardware={}, versions={})


def outstanding(state: RunState) -> list[str]:
    """The keys of the cells that are still to be measured."""
    return [cell.cell.key for cell in state.outstanding]


def test_a_run_begins_with_every_cell_outstanding_in_the_order_of_the_plan() -> None:
    state = state_after(BEGUN)
    assert outstanding(state) == list(KEYS)
    assert (state.pid, state.started, state.finished) == (4242, BEGUN, None)
    assert state.started_at == entries([BEGUN])[0].at


def test_a_cell_that_is_attempted_is_the_current_one_and_outstanding() -> None:
    state = state_after(BEGUN, cell_started())
    assert state.current_cell is not None
    assert state.current_cell.cell.key == FIRST
    assert state.current_cell.status is CellStatus.RUNNING
    assert outstanding(state) == list(KEYS)


@pytest.mark.parametrize(("end", "status"), list(zip(ENDS, OVER, strict=True)))
def test_a_cell_is_over_when_its_attempt_is(end: Event, status: CellStatus) -> None:
    state = state_after(BEGUN, cell_started(), sample(), end)
    cell = state.cells[FIRST]
    assert cell.status is status
    assert end in (cell.finished, cell.failed, cell.skipped)
    assert (state.current, state.phase, state.samples) == (None, None, Samples())
    assert outstanding(state) == [SECOND, THIRD]


@pytest.mark.parametrize("end", ENDS)
def test_the_latest_attempt_decides(end: Event) -> None:
    state = state_after(BEGUN, cell_started(), end, cell_started(attempt=2))
    assert outstanding(state) == list(KEYS)
    assert state.cells[FIRST].attempt == 2
    last = cell_finished(attempt=2)
    cell = state_after(BEGUN, cell_started(), end, cell_started(attempt=2), last).cells[FIRST]
    assert (cell.status, cell.finished) == (CellStatus.FINISHED, last)
    assert (cell.failed, cell.skipped) == (None, None)


def test_a_cell_to_come_that_is_skipped_leaves_the_current_one_alone() -> None:
    state = state_after(BEGUN, cell_started(), sample(), cell_skipped(SECOND, attempt=0))
    assert (state.current, state.samples) == (FIRST, Samples().plus(sample()))
    assert outstanding(state) == [FIRST, THIRD]


def test_cells_that_were_added_are_outstanding_in_their_place() -> None:
    added = answered("add", added=(make_cell(1, 7), make_cell(4)))

    state = state_after(BEGUN, cell_started(), sample(), added)

    assert outstanding(state) == [FIRST, "m1_u7_s2", SECOND, THIRD, "m4_u2_s2"]
    assert (state.current, state.samples) == (FIRST, Samples().plus(sample()))
    resumed_state = state_after(BEGUN, added, cell_started("m4_u2_s2"), resumed())
    assert outstanding(resumed_state) == outstanding(state)


def test_a_cell_that_is_there_already_stays_as_it_is() -> None:
    begun = (BEGUN, cell_started(), cell_finished())

    state = state_after(*begun, answered("add", added=(make_cell(1, 2),)))

    assert state.cells == state_after(*begun).cells


def test_what_was_refused_is_not_added() -> None:
    refused = answered("add", accepted=False, added=(make_cell(4),))

    assert outstanding(state_after(BEGUN, refused)) == list(KEYS)


def test_samples_are_those_of_the_current_attempt() -> None:
    lost = (cell_started(), sample(second=0), sample(second=1))
    state = state_after(BEGUN, *lost, cell_started(attempt=2), sample(second=5))
    assert [entry.second for entry in state.samples] == [5]


def test_a_phase_and_its_beginning_are_those_of_the_current_cell() -> None:
    state = state_after(BEGUN, cell_started(), CellPhase(cell=FIRST, phase=Phase.RAMPING))
    assert (state.phase, state.cell_since_s, state.phase_since_s) == (Phase.RAMPING, 2.0, 3.0)
    state = fold(entries([cell_started(SECOND)]), state)
    assert state.phase is None


def test_progress_of_the_stack_is_shown_until_a_cell_begins() -> None:
    progress = StackProgress(step="starting", line="model-1")
    assert state_after(BEGUN, progress).progress == progress
    assert state_after(BEGUN, progress, cell_started()).progress is None


@pytest.mark.parametrize("end", ENDS)
def test_again_makes_a_cell_outstanding(end: Event) -> None:
    state = state_after(BEGUN, cell_started(), end, answered("again", FIRST))
    assert outstanding(state) == list(KEYS)


def test_a_refused_command_changes_nothing_but_is_answered() -> None:
    before = (BEGUN, cell_started(), cell_finished())
    for command in ("again", "pause"):
        state = state_after(*before, answered(command, FIRST, accepted=False))
        assert not state.paused
        assert outstanding(state) == [SECOND, THIRD]
        assert state.answered == {"id-1"}


def test_pause_lasts_until_resume() -> None:
    pause, resume = answered("pause", identity="a"), answered("resume", identity="b")
    assert state_after(BEGUN, pause).paused
    assert not state_after(BEGUN, pause, resume).paused
    assert state_after(BEGUN, pause, resume).answered == {"a", "b"}


def test_resume_makes_the_running_cell_pending_and_keeps_what_is_over() -> None:
    before = (cell_started(), cell_finished(), cell_started(SECOND), sample(SECOND))
    state = state_after(BEGUN, *before, resumed())
    assert state.count(CellStatus.RUNNING) == 0
    assert outstanding(state) == [SECOND, THIRD]
    assert state.cells[SECOND].attempt == 1
    assert (state.pid, state.current, state.samples) == (7, None, Samples())


def test_a_run_that_was_killed_while_it_was_paused_is_not_paused_when_it_is_resumed() -> None:
    assert not state_after(BEGUN, answered("pause"), resumed()).paused


def test_resume_makes_the_failed_cells_pending_that_are_retried() -> None:
    failures = (cell_started(), cell_failed(), cell_started(SECOND), cell_failed(SECOND))
    assert outstanding(state_after(BEGUN, *failures, resumed())) == [THIRD]
    assert outstanding(state_after(BEGUN, *failures, resumed(SECOND))) == [SECOND, THIRD]


def test_a_run_that_was_stopped_goes_on_when_it_is_resumed() -> None:
    stopped = RunFinished(result=Result.STOPPED, reason="asked for")
    state = state_after(BEGUN, cell_started(), answered("pause"), stopped)
    assert (state.finished, state.current, state.paused) == (stopped, None, False)
    assert outstanding(state) == list(KEYS)
    assert fold(entries([resumed()]), state).finished is None


def test_only_the_newest_messages_are_kept() -> None:
    state = state_after(*(Note(text=str(number)) for number in range(MESSAGES_KEPT + 5)))
    assert [message.text for message in state.messages] == [
        str(number) for number in range(5, MESSAGES_KEPT + 5)
    ]


def test_answers_are_messages_too() -> None:
    state = state_after(BEGUN, answered("pause"))
    assert [message.text for message in state.messages] == ["pause it is"]


def test_events_of_cells_that_are_not_in_the_plan_are_passed_over() -> None:
    strange = (cell_started("m9_u9_s9"), cell_finished("m9_u9_s9"), answered("again", "m9_u9_s9"))
    state = state_after(BEGUN, *strange)
    assert tuple(state.cells) == KEYS
    assert state.current_cell is None


def test_folding_changes_no_state_that_was_there() -> None:
    begun = state_after(BEGUN)
    fold(entries([cell_started(), sample(), cell_finished()]), begun)
    assert begun == state_after(BEGUN)
    with pytest.raises(TypeError):
        begun.cells[FIRST] = begun.cells[SECOND]  # type: ignore[index]  # that is the point


one_event = st.sampled_from(KEYS).flatmap(
    lambda key: st.sampled_from(
        [
            cell_started(key),
            CellPhase(cell=key, phase=Phase.MEASURING),
            sample(key),
            cell_finished(key),
            cell_failed(key),
            cell_skipped(key),
            answered("again", key),
            answered("pause"),
            answered("resume"),
            resumed(key),
            Note(text="n"),
            RunFinished(result=Result.DONE, reason="every cell is over"),
        ]
    )
)


@given(st.lists(one_event), st.integers(0, 50))
def test_folding_a_beginning_and_then_the_rest_is_folding_all(
    events: list[Event], cut: int
) -> None:
    told = entries([BEGUN, *events])
    assert fold(told[cut:], fold(told[:cut])) == fold(told, EMPTY)


def test_a_cell_that_is_skipped_while_it_waits_keeps_the_times_of_its_attempt() -> None:
    state = fold(
        entries(
            [
                run_started(),
                cell_started(),
                cell_finished(),
                answered("again", cell="m1_u2_s2"),
                cell_skipped(),
            ]
        )
    )
    cell = state.cells["m1_u2_s2"]

    assert cell.status is CellStatus.SKIPPED
    told = entries([run_started(), cell_started(), cell_finished()])
    assert (cell.began_at, cell.ended_at) == (told[1].at, told[2].at)


# The profile


def test_the_profile_is_typed_once_with_the_first_event() -> None:
    profile = make_profile(users=[2, 4])

    assert state_after(run_started(profile)).profile == profile
    assert state_after().profile is None


def test_a_profile_that_cannot_be_read_is_a_problem_and_the_cells_are_there_all_the_same() -> None:
    begun = run_started()
    state = state_after(replace(begun, profile={**begun.profile, "device": "abacus"}))

    assert state.profile is None
    assert "cannot read (device)" in state.profile_problem
    assert list(state.cells) == ["m1_u2_s2"]


def test_keys_that_this_version_does_not_know_are_no_problem() -> None:
    begun = run_started()
    state = state_after(replace(begun, profile={**begun.profile, "weather": "good"}))

    assert state.profile == make_profile()
    assert not state.profile_problem


# A cell of hours


def test_a_phase_of_a_long_cell_has_all_its_seconds() -> None:
    ramp_s, measured_s = 7, WHOLE_S + 38
    state = state_after(
        run_started(),
        cell_started(),
        *(sample(second=second, requests=requests(((1.0, 1),))) for second in range(ramp_s)),
        CellPhase(cell=FIRST, phase=Phase.MEASURING),
        *(sample(second=ramp_s + second) for second in range(measured_s)),
    )

    parts = state.samples_in(Phase.MEASURING)

    assert any(isinstance(it, TimeBucket) for it in parts)
    assert state.indices_in(Phase.MEASURING) == range(ramp_s, ramp_s + measured_s)
    found = merge(successes(it.requests) for it in parts)
    assert found == ((10.0, 40 * measured_s),)


def test_seconds_that_settling_needs_are_kept_whole() -> None:
    window_s = WHOLE_S
    profile = make_profile(settle={"max": SETTLE_WINDOWS * window_s, "window": window_s})

    state = state_after(run_started(profile), cell_started())

    assert state.samples.whole_s == SETTLE_WINDOWS * window_s
    assert state_after(run_started(), cell_started()).samples.whole_s == WHOLE_S
