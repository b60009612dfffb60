"""The fold of a run's events into its state."""

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
from loadbench.engine.journal.samples import FULL_RESOLUTION_S, Samples
from loadbench.engine.journal.state import (
    EMPTY,
    ENDED_STATUSES,
    MAX_MESSAGES,
    CellStatus,
    RunState,
    fold,
)
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
    timed_attempt,
    timed_entries,
)

KEYS = FIRST, SECOND, THIRD = "m1_u2_s2", "m2_u2_s2", "m3_u2_s2"
STARTED = run_started(make_profile(models=[1, 2, 3]))
ENDS = [cell_finished(), cell_failed(), cell_skipped()]


def resumed(*retry: str) -> RunResumed:
    """Return the event of resuming the run in another process."""
    return RunResumed(pid=7, retry=retry, hardware={}, versions={})


def outstanding_keys(state: RunState) -> list[str]:
    """Return the keys of the cells still to be measured."""
    return [cell.cell.key for cell in state.outstanding]


def test_a_new_run_has_all_cells_outstanding_in_plan_order() -> None:
    state = state_after(STARTED)
    assert outstanding_keys(state) == list(KEYS)
    assert (state.pid, state.started, state.finished) == (4242, STARTED, None)
    assert state.started_at == entries([STARTED])[0].at


def test_a_started_cell_is_current_and_outstanding() -> None:
    state = state_after(STARTED, cell_started())
    assert state.current_cell is not None
    assert state.current_cell.cell.key == FIRST
    assert state.current_cell.status is CellStatus.RUNNING
    assert outstanding_keys(state) == list(KEYS)


@pytest.mark.parametrize(("end", "status"), list(zip(ENDS, ENDED_STATUSES, strict=True)))
def test_a_cell_ends_with_its_attempt(end: Event, status: CellStatus) -> None:
    state = state_after(STARTED, cell_started(), sample(), end)
    cell = state.cells[FIRST]
    assert cell.status is status
    assert end in (cell.finished, cell.failed, cell.skipped)
    assert (state.current, state.phase, state.samples) == (None, None, Samples())
    assert outstanding_keys(state) == [SECOND, THIRD]


@pytest.mark.parametrize("end", ENDS)
def test_the_latest_attempt_determines_the_status(end: Event) -> None:
    state = state_after(STARTED, cell_started(), end, cell_started(attempt=2))
    assert outstanding_keys(state) == list(KEYS)
    assert state.cells[FIRST].attempt == 2
    last = cell_finished(attempt=2)
    cell = state_after(STARTED, cell_started(), end, cell_started(attempt=2), last).cells[FIRST]
    assert (cell.status, cell.finished) == (CellStatus.FINISHED, last)
    assert (cell.failed, cell.skipped) == (None, None)


def test_skipping_a_pending_cell_keeps_the_current_cell() -> None:
    state = state_after(STARTED, cell_started(), sample(), cell_skipped(SECOND, attempt=0))
    assert (state.current, state.samples) == (FIRST, Samples().plus(sample()))
    assert outstanding_keys(state) == [FIRST, THIRD]


def test_added_cells_are_outstanding_in_plan_order() -> None:
    added = answered("add", added=(make_cell(1, 7), make_cell(4)))

    state = state_after(STARTED, cell_started(), sample(), added)

    assert outstanding_keys(state) == [FIRST, "m1_u7_s2", SECOND, THIRD, "m4_u2_s2"]
    assert (state.current, state.samples) == (FIRST, Samples().plus(sample()))
    resumed_state = state_after(STARTED, added, cell_started("m4_u2_s2"), resumed())
    assert outstanding_keys(resumed_state) == outstanding_keys(state)


def test_adding_an_existing_cell_changes_nothing() -> None:
    before = (STARTED, cell_started(), cell_finished())

    state = state_after(*before, answered("add", added=(make_cell(1, 2),)))

    assert state.cells == state_after(*before).cells


def test_a_rejected_add_adds_no_cells() -> None:
    refused = answered("add", accepted=False, added=(make_cell(4),))

    assert outstanding_keys(state_after(STARTED, refused)) == list(KEYS)


def test_samples_belong_to_the_current_attempt() -> None:
    lost = (cell_started(), sample(second=0), sample(second=1))
    state = state_after(STARTED, *lost, cell_started(attempt=2), sample(second=5))
    assert [entry.second for entry in state.samples] == [5]


def test_the_phase_and_its_start_belong_to_the_current_cell() -> None:
    state = state_after(STARTED, cell_started(), CellPhase(cell=FIRST, phase=Phase.RAMPING))
    assert (state.phase, state.cell_since_s, state.phase_since_s) == (Phase.RAMPING, 2.0, 3.0)
    state = fold(entries([cell_started(SECOND)]), state)
    assert state.phase is None


def test_stack_progress_is_cleared_when_a_cell_starts() -> None:
    progress = StackProgress(step="starting", line="model-1")
    assert state_after(STARTED, progress).progress == progress
    assert state_after(STARTED, progress, cell_started()).progress is None


@pytest.mark.parametrize("end", ENDS)
def test_again_makes_a_cell_outstanding(end: Event) -> None:
    state = state_after(STARTED, cell_started(), end, answered("again", FIRST))
    assert outstanding_keys(state) == list(KEYS)


def test_a_rejected_command_is_answered_and_changes_nothing() -> None:
    before = (STARTED, cell_started(), cell_finished())
    for command in ("again", "pause"):
        state = state_after(*before, answered(command, FIRST, accepted=False))
        assert not state.paused
        assert outstanding_keys(state) == [SECOND, THIRD]
        assert state.answered == {"id-1"}


def test_pause_lasts_until_resume() -> None:
    pause, resume = answered("pause", identity="a"), answered("resume", identity="b")
    assert state_after(STARTED, pause).paused
    assert not state_after(STARTED, pause, resume).paused
    assert state_after(STARTED, pause, resume).answered == {"a", "b"}


def test_resuming_makes_the_running_cell_pending_and_keeps_ended_cells() -> None:
    before = (cell_started(), cell_finished(), cell_started(SECOND), sample(SECOND))
    state = state_after(STARTED, *before, resumed())
    assert state.count(CellStatus.RUNNING) == 0
    assert outstanding_keys(state) == [SECOND, THIRD]
    assert state.cells[SECOND].attempt == 1
    assert (state.pid, state.current, state.samples) == (7, None, Samples())


def test_a_run_killed_while_paused_is_not_paused_after_resuming() -> None:
    assert not state_after(STARTED, answered("pause"), resumed()).paused


def test_resuming_makes_retried_cells_pending() -> None:
    failures = (cell_started(), cell_failed(), cell_started(SECOND), cell_failed(SECOND))
    assert outstanding_keys(state_after(STARTED, *failures, resumed())) == [THIRD]
    assert outstanding_keys(state_after(STARTED, *failures, resumed(SECOND))) == [SECOND, THIRD]


def test_a_stopped_run_can_be_resumed() -> None:
    stopped = RunFinished(result=Result.STOPPED, reason="on request")
    state = state_after(STARTED, cell_started(), answered("pause"), stopped)
    assert (state.finished, state.current, state.paused) == (stopped, None, False)
    assert outstanding_keys(state) == list(KEYS)
    assert fold(entries([resumed()]), state).finished is None


def test_only_the_newest_messages_are_kept() -> None:
    state = state_after(*(Note(text=str(number)) for number in range(MAX_MESSAGES + 5)))
    assert [message.text for message in state.messages] == [
        str(number) for number in range(5, MAX_MESSAGES + 5)
    ]


def test_command_answers_are_messages() -> None:
    state = state_after(STARTED, answered("pause"))
    assert [message.text for message in state.messages] == ["pause it is"]


def test_events_of_unknown_cells_are_ignored() -> None:
    unknown = (cell_started("m9_u9_s9"), cell_finished("m9_u9_s9"), answered("again", "m9_u9_s9"))
    state = state_after(STARTED, *unknown)
    assert tuple(state.cells) == KEYS
    assert state.current_cell is None


def test_folding_does_not_change_earlier_states() -> None:
    before = state_after(STARTED)
    fold(entries([cell_started(), sample(), cell_finished()]), before)
    assert before == state_after(STARTED)
    with pytest.raises(TypeError):
        before.cells[FIRST] = before.cells[SECOND]  # type: ignore[index]  # must raise


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
            RunFinished(result=Result.DONE, reason="3 of 3 cells measured"),
        ]
    )
)


@given(st.lists(one_event), st.integers(0, 50))
def test_folding_in_two_steps_equals_folding_at_once(events: list[Event], cut: int) -> None:
    run_entries = entries([STARTED, *events])
    assert fold(run_entries[cut:], fold(run_entries[:cut])) == fold(run_entries, EMPTY)


def test_skipping_a_pending_cell_keeps_the_times_of_its_last_attempt() -> None:
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
    _, started, finished = entries([run_started(), cell_started(), cell_finished()])
    assert (cell.began_at, cell.ended_at) == (started.at, finished.at)


@pytest.mark.parametrize("end", ENDS)
def test_an_ended_attempt_has_the_lengths_of_its_phases(end: Event) -> None:
    attempt = timed_attempt(make_cell(users=2), scaling_s=4, settling_s=3, draining_s=2, end=end)
    cell = fold(timed_entries(STARTED, 1.5, *attempt)).cells[FIRST]

    assert cell.phase_s == {
        Phase.SCALING: 4,
        Phase.RAMPING: 0,
        Phase.SETTLING: 3,
        Phase.MEASURING: 10,
        Phase.DRAINING: 2,
    }


def test_the_lengths_of_phases_are_those_of_the_latest_ended_attempt() -> None:
    first = timed_attempt(make_cell(), scaling_s=4)
    second = timed_attempt(make_cell(), attempt=2, scaling_s=1)

    running = fold(timed_entries(STARTED, *first, *second[:-1])).cells[FIRST]
    ended = fold(timed_entries(STARTED, *first, *second)).cells[FIRST]

    assert (running.phase_s[Phase.SCALING], ended.phase_s[Phase.SCALING]) == (4, 1)


def test_a_cell_without_an_ended_attempt_has_no_phases() -> None:
    begun = timed_attempt(make_cell())[:-1]

    assert fold(timed_entries(STARTED, *begun)).cells[FIRST].phase_s == {}
    assert fold(timed_entries(STARTED, *begun, 9, resumed())).cells[FIRST].phase_s == {}
    assert state_after(STARTED, cell_started(), cell_skipped(SECOND)).cells[SECOND].phase_s == {}


# The profile


def test_the_profile_is_parsed_from_the_first_event() -> None:
    profile = make_profile(users=[2, 4])

    assert state_after(run_started(profile)).profile == profile
    assert state_after().profile is None


def test_an_unreadable_profile_is_reported_and_the_cells_are_kept() -> None:
    started = run_started()
    state = state_after(replace(started, profile={**started.profile, "device": "abacus"}))

    assert state.profile is None
    assert "cannot read the profile (device)" in state.profile_problem
    assert list(state.cells) == ["m1_u2_s2"]


def test_unknown_keys_of_the_profile_are_ignored() -> None:
    started = run_started()
    state = state_after(replace(started, profile={**started.profile, "weather": "good"}))

    assert state.profile == make_profile()
    assert not state.profile_problem


# Long cells


def test_a_phase_of_a_long_cell_has_all_its_seconds() -> None:
    ramp_s, measured_s = 7, FULL_RESOLUTION_S + 38
    state = state_after(
        run_started(),
        cell_started(),
        *(sample(second=second, requests=requests(((1.0, 1),))) for second in range(ramp_s)),
        CellPhase(cell=FIRST, phase=Phase.MEASURING),
        *(sample(second=ramp_s + second) for second in range(measured_s)),
    )

    parts = state.samples_in(Phase.MEASURING)

    assert any(isinstance(part, TimeBucket) for part in parts)
    assert state.indices_in(Phase.MEASURING) == range(ramp_s, ramp_s + measured_s)
    merged = merge(successes(part.requests) for part in parts)
    assert merged == ((10.0, 40 * measured_s),)


def test_the_seconds_needed_for_settling_are_kept_in_full() -> None:
    window_s = FULL_RESOLUTION_S
    profile = make_profile(settle={"max": SETTLE_WINDOWS * window_s, "window": window_s})

    state = state_after(run_started(profile), cell_started())

    assert state.samples.whole_s == SETTLE_WINDOWS * window_s
    assert state_after(run_started(), cell_started()).samples.whole_s == FULL_RESOLUTION_S
