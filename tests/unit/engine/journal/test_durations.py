"""Durations of cells, measured by earlier runs or estimated from the settings."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import CellPhase, Event, Phase, Result, RunFinished, RunResumed
from loadbench.engine.journal.state import EMPTY, RunState, fold
from loadbench.engine.journal.timing.durations import (
    MAX_RUNS,
    OVERHEAD_S,
    SCALING_S,
    comparable,
    durations_of,
)
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell, plan_cells
from loadbench.engine.run_reader import read_run
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_cell,
    make_profile,
    run_started,
    state_after,
    timed_attempt,
    timed_entries,
)
from tests.support.ui_harness import Stage

SETTINGS: dict[str, Any] = {"run_time": "10s", "settle": {"max": "60s", "window": "5s"}}
PROFILE = make_profile(models=[1, 2], users=[2, 4], spawn_rates=[4], **SETTINGS)
FIRST, SECOND, THIRD, FOURTH = plan_cells(PROFILE)
RESUMED = RunResumed(pid=1, retry=(), hardware={}, versions={})
STOPPED = RunFinished(result=Result.STOPPED, reason="stopped")
UNMEASURED = durations_of(PROFILE)


def run(
    *steps: Event | float,
    profile: Profile = PROFILE,
    run: str = "20261122-072100",
    driver: str = "local",
) -> RunState:
    """Return the state of a run after events, with times in seconds between them."""
    started = replace(run_started(profile, run=run), driver=driver)
    return fold(timed_entries(started, *steps))


ATTEMPTS = (
    timed_attempt(FIRST, scaling_s=40, settling_s=20, draining_s=2),
    timed_attempt(SECOND, scaling_s=1, settling_s=30, draining_s=4),
    timed_attempt(THIRD, scaling_s=25, settling_s=60, draining_s=6),
    timed_attempt(FOURTH, scaling_s=1, settling_s=50, draining_s=3),
)
MEASURED = tuple(chain.from_iterable(ATTEMPTS))


# Estimates from the settings


def test_without_a_run_a_cell_takes_ramp_settling_window_and_overhead() -> None:
    profile = make_profile(users=[50], spawn_rates=[10], run_time="1m")
    (cell,) = plan_cells(profile)

    durations = durations_of(profile)

    assert durations.cell_s(cell) == 4 + 15 + 60 + OVERHEAD_S
    assert durations.runs == ()


def test_disabled_settling_takes_no_time() -> None:
    enabled, disabled = (
        durations_of(make_profile(settle={"max": settle_max, "window": "5s"}))
        for settle_max in ("30s", "0s")
    )

    assert enabled.cell_s(make_cell()) - disabled.cell_s(make_cell()) == 15


numbers = st.lists(st.integers(1, 60), min_size=1, max_size=3, unique=True)


@given(st.builds(make_profile, models=numbers, users=numbers, repeats=st.integers(1, 3)))
def test_the_total_is_all_cells_plus_scaling_per_number_of_models(profile: Profile) -> None:
    durations, cells = durations_of(profile), plan_cells(profile)

    measured = sum(map(durations.cell_s, cells))
    assert durations.total_s(cells) == measured + SCALING_S * len(profile.models)
    assert durations.total_s(cells, profile.models[0]) == durations.total_s(cells) - SCALING_S
    assert durations.total_s(()) == 0


@pytest.mark.parametrize(("models", "scalings"), [([1], 0), ([1, 2], 1)])
def test_the_recheck_adds_its_own_time_and_scaling(models: list[int], scalings: int) -> None:
    profile = make_profile(models=models, recheck_first=True)
    durations, (*swept, last) = durations_of(profile), plan_cells(profile)

    added_s = durations.total_s((*swept, last)) - durations.total_s(swept)

    assert added_s == durations.cell_s(last) + scalings * SCALING_S


# Measured durations


def test_a_measured_cell_takes_as_long_as_before() -> None:
    durations = durations_of(PROFILE, [run(*MEASURED)])

    assert durations.cell_s(FIRST) == 10 + 20 + 2
    # For the second cell, the driver only checked that one model is ready.
    assert durations.cell_s(SECOND) == 10 + 1 + 30 + 4
    assert durations.runs == ("20261122-072100",)


def test_scaling_takes_as_long_as_before_for_each_number_of_models() -> None:
    durations = durations_of(PROFILE, [run(*MEASURED)])

    assert (durations.scaling_s(1), durations.scaling_s(2)) == (40, 25)


def test_the_total_of_a_repeated_run_is_its_measured_time() -> None:
    state = run(*MEASURED)

    assert durations_of(PROFILE, [state]).total_s(plan_cells(PROFILE)) == state.elapsed_s


# Automatic run times


AUTO_KEYS: dict[str, Any] = {**SETTINGS, "run_time": "auto", "max_run_time": "300s"}
AUTO = make_profile(models=[1, 2], users=[2, 4], spawn_rates=[4], **AUTO_KEYS)


def window(cell: Cell, length_s: float) -> list[Event | float]:
    """Return an attempt with a window of this length."""
    return timed_attempt(cell, scaling_s=5, settling_s=15, run_time=length_s)


def test_an_automatic_window_takes_as_long_as_before() -> None:
    state = run(*window(FIRST, 40), *window(SECOND, 20), profile=AUTO)

    durations = durations_of(AUTO, [state])

    assert [durations.window_s(cell) for cell in (FIRST, SECOND)] == [40, 20]
    # Settling and draining are the rest.
    assert durations.cell_s(FIRST) == 40 + 15 + 1


def test_windows_of_other_cells_depend_on_their_users() -> None:
    durations = durations_of(AUTO, [run(*window(FIRST, 40), profile=AUTO)])

    assert durations.window_s(make_cell(1, 8, 4)) == 10
    assert durations.window_s(make_cell(3, 1, 4)) == 80


def test_before_a_measurement_a_window_has_its_expected_length_within_limits() -> None:
    expected_of = {FIRST.key: 70.0, SECOND.key: 3.0, THIRD.key: 900.0}
    durations = durations_of(AUTO, expected_of=expected_of)

    lengths = [durations.window_s(cell) for cell in (FIRST, SECOND, THIRD, FOURTH)]
    assert lengths == [70, AUTO.min_run_time, 300, 300]


@pytest.mark.parametrize("key", ["min_run_time", "max_run_time", "goals"])
def test_automatic_windows_of_other_settings_do_not_count(key: str) -> None:
    value = {"p99_ms": 5} if key == "goals" else "20s"
    other = make_profile(models=[1, 2], users=[2, 4], spawn_rates=[4], **{**AUTO_KEYS, key: value})

    assert list(comparable(AUTO, [run(*window(FIRST, 40), profile=other)])) == []
    assert len(list(comparable(AUTO, [run(*window(FIRST, 40), profile=AUTO)]))) == 1


def test_other_cells_take_the_median_of_the_measured_ones() -> None:
    durations = durations_of(PROFILE, [run(*MEASURED)])

    # Beyond ramp and window the cells took 22, 35, 66 and 54 s; the ramp of this one takes 2 s.
    assert durations.cell_s(make_cell(1, 12, 4)) == 2 + 10 + (35 + 54) / 2
    assert durations.scaling_s(3) == (40 + 25) / 2


def test_the_known_ramp_is_not_part_of_the_median() -> None:
    slow = make_cell(1, 60, 1)
    steps = timed_attempt(slow, scaling_s=5, settling_s=15, draining_s=1)
    state = run(answered("add", added=(slow,)), *steps)

    assert durations_of(PROFILE, [state]).cell_s(FIRST) == 10 + 15 + 1


def test_attempts_of_several_runs_and_repeats_are_combined() -> None:
    profile = make_profile(repeats=2, **SETTINGS)
    cells = plan_cells(profile)

    def repeated(scaling_s: float, *settling_s: float) -> RunState:
        attempts = zip(cells, (scaling_s, 0), settling_s, strict=True)
        steps = (timed_attempt(cell, scaling_s=s, settling_s=t) for cell, s, t in attempts)
        return run(*chain.from_iterable(steps), profile=profile)

    durations = durations_of(profile, [repeated(10, 15, 25), repeated(30, 20, 55)])

    assert [durations.cell_s(cell) for cell in cells] == 2 * [10 + (20 + 25) / 2 + 1]
    assert durations.scaling_s(1) == 20
    assert len(durations.runs) == 2


def test_a_service_that_is_scaled_for_every_cell_has_all_its_scaling_times() -> None:
    profile = make_profile(models=[1, 2, 3], **SETTINGS)
    steps = [
        timed_attempt(cell, scaling_s=10 * cell.models, settling_s=15)
        for cell in plan_cells(profile)
    ]

    durations = durations_of(profile, [run(*chain.from_iterable(steps), profile=profile)])

    assert [durations.scaling_s(models) for models in (1, 2, 3)] == [10, 20, 30]
    assert durations.cell_s(make_cell()) == 10 + 15 + 1


def test_scaling_for_the_recheck_is_not_part_of_its_cell() -> None:
    profile = make_profile(models=[1, 2], recheck_first=True, **SETTINGS)
    first, other, recheck = plan_cells(profile)
    steps = (
        timed_attempt(first, scaling_s=40, settling_s=20),
        timed_attempt(other, scaling_s=25, settling_s=20),
        timed_attempt(recheck, scaling_s=12, settling_s=20),
    )

    durations = durations_of(profile, [run(*chain.from_iterable(steps), profile=profile)])

    assert durations.cell_s(recheck) == 10 + 20 + 1
    assert durations.scaling_s(1) == 40


# Attempts that do not count


@pytest.mark.parametrize("end", [cell_failed, cell_skipped])
def test_failed_and_skipped_attempts_do_not_count(end: Any) -> None:
    broken = timed_attempt(FIRST, scaling_s=500, settling_s=500, end=end(FIRST.key))

    assert durations_of(PROFILE, [run(*broken)]) == UNMEASURED

    durations = durations_of(PROFILE, [run(*broken, *ATTEMPTS[1])])
    assert durations.cell_s(FIRST) == 10 + 30 + 4


def test_scaling_is_unknown_if_the_first_cell_of_a_number_of_models_failed() -> None:
    failed = timed_attempt(FIRST, scaling_s=500, end=cell_failed(FIRST.key))
    second = timed_attempt(SECOND, scaling_s=1, settling_s=30)

    durations = durations_of(PROFILE, [run(*failed, *second)])

    assert durations.scaling_s(1) == SCALING_S
    assert durations.cell_s(SECOND) == 10 + 30 + 1


def test_a_repeated_attempt_is_not_taken_for_scaling() -> None:
    again = timed_attempt(FIRST, attempt=2, scaling_s=1, settling_s=15)
    state = run(*ATTEMPTS[0], *ATTEMPTS[1], answered("again", FIRST.key), *again)

    durations = durations_of(PROFILE, [state])

    assert durations.cell_s(FIRST) == 10 + 15 + 1
    assert durations.scaling_s(1) == SCALING_S


def test_a_running_cell_does_not_count() -> None:
    started = timed_attempt(SECOND, scaling_s=1, settling_s=500)[:-1]

    durations = durations_of(PROFILE, [run(*ATTEMPTS[0], *started)])

    assert durations == durations_of(PROFILE, [run(*ATTEMPTS[0])])
    assert (durations.cell_s(FIRST), durations.scaling_s(1)) == (10 + 20 + 2, 40)


def test_the_time_between_stop_and_resume_does_not_count() -> None:
    first, second, *rest = ATTEMPTS
    resumed = run(*first, *second, 5, STOPPED, 3600, RESUMED, *chain.from_iterable(rest))

    assert durations_of(PROFILE, [resumed]) == durations_of(PROFILE, [run(*MEASURED)])


def test_the_first_cell_after_a_resume_does_not_count_its_scaling() -> None:
    first = timed_attempt(FIRST, scaling_s=40, settling_s=20)
    second = timed_attempt(SECOND, scaling_s=35, settling_s=20)
    resumed = run(*first, STOPPED, 3600, RESUMED, *second)

    durations = durations_of(PROFILE, [resumed])

    assert durations.scaling_s(1) == 40
    assert durations.cell_s(FIRST) == 10 + 20 + 1


def test_an_interrupted_attempt_does_not_count() -> None:
    begun = timed_attempt(FIRST, scaling_s=40, settling_s=500)[:7]
    repeated = timed_attempt(FIRST, attempt=2, scaling_s=30, settling_s=20)

    durations = durations_of(PROFILE, [run(*begun, 3600, RESUMED, *repeated)])

    assert durations.cell_s(FIRST) == 10 + 20 + 1
    assert durations.scaling_s(1) == SCALING_S


@pytest.mark.parametrize("at", ["1970-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z", ""])
def test_changes_of_the_wall_clock_have_no_effect(at: str) -> None:
    entries = timed_entries(run_started(PROFILE), *MEASURED)
    jumped = [replace(entry, at=at) if entry.seq % 3 else entry for entry in entries]

    assert durations_of(PROFILE, [fold(jumped)]) == durations_of(PROFILE, [fold(entries)])


@pytest.mark.parametrize("missing", [Phase.SCALING, Phase.RAMPING, Phase.MEASURING])
def test_attempts_without_recorded_phases_do_not_count(missing: Phase) -> None:
    def recorded() -> Iterator[Event | float]:
        for step in MEASURED:
            if not isinstance(step, CellPhase) or step.phase is not missing:
                yield step

    assert durations_of(PROFILE, [run(*recorded())]) == UNMEASURED
    assert durations_of(PROFILE, [run(cell_started(), 99, cell_finished())]) == UNMEASURED


def test_conditions_are_not_needed() -> None:
    old = timed_attempt(FIRST, settling_s=20, end=cell_finished(FIRST.key, circumstances=None))

    assert durations_of(PROFILE, [run(*old)]).cell_s(FIRST) == 10 + 20 + 1


def test_an_attempt_shorter_than_its_known_part_does_not_count() -> None:
    short = timed_attempt(FIRST, settling_s=0, draining_s=0, run_time=3)

    durations = durations_of(PROFILE, [run(*short)])

    assert durations.runs == ()
    assert durations.cell_s(FIRST) == UNMEASURED.cell_s(FIRST)


def test_a_run_that_has_not_started_measures_nothing() -> None:
    assert durations_of(PROFILE, [EMPTY, run()]) == UNMEASURED


def test_a_real_run_predicts_its_own_time(stage: Stage) -> None:
    state = read_run(stage.add_run("demo")).state
    assert state.profile is not None

    durations = durations_of(state.profile, [state])

    cells = [cell.cell for cell in state.cells.values()]
    # From the start of the first cell to the end of the last one, as recorded.
    assert durations.total_s(cells) == pytest.approx(61.492 - 1.091, abs=0.1)
    assert durations.scaling_s(1) == pytest.approx(0.932)
    assert durations.scaling_s(2) == pytest.approx(0.849)


# Comparable runs


def chosen(*states: RunState, profile: Profile = PROFILE, driver: str | None = None) -> list[str]:
    """Return the ids of the comparable runs."""
    found = comparable(profile, states, driver)
    return [state.started.run for state in found if state.started]


@pytest.mark.parametrize(
    "changed",
    [
        {"run_time": "20s"},
        {"settle": {"max": "30s", "window": "5s"}},
        {"settle": {"max": "60s", "window": "10s"}},
        {"batch_size": 2},
        {"device": "gpu"},
        {"host": "http://127.0.0.1:9999"},
        {"stack": {"model_threads": 2}},
        {"stack": {"environment": {"A": "1"}}},
        {"stack": {"driver": "local"}},
        {"load": {"timeout": "5s"}},
        {"load": {"locustfile": "other.py"}},
    ],
)
def test_runs_with_other_settings_are_not_used(changed: dict[str, Any]) -> None:
    other = make_profile(models=[1, 2], users=[2, 4], spawn_rates=[4], **{**SETTINGS, **changed})

    assert chosen(run(*MEASURED, profile=other)) == []
    assert chosen(run(*MEASURED), profile=other) == []
    assert len(chosen(run(*MEASURED, profile=other), profile=other)) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"models": [4]},
        {"users": [100], "spawn_rates": [7]},
        {"repeats": 3, "recheck_first": True},
        {"description": "other", "goals": {"p95_ms": 100}},
    ],
)
def test_runs_with_other_cells_or_goals_are_used(changed: dict[str, Any]) -> None:
    other = make_profile(**{**SETTINGS, **changed})

    assert len(chosen(run(*MEASURED), profile=other)) == 1


def test_only_runs_with_the_driver_to_use_are_used() -> None:
    local, compose = run(*MEASURED, run="1"), run(*MEASURED, run="2", driver="compose")

    assert chosen(local, compose, driver="compose") == ["2"]
    assert chosen(local, compose, driver="local") == ["1"]
    assert chosen(local, compose, driver="external") == []


def test_without_a_driver_that_of_the_newest_comparable_run_is_used() -> None:
    unmeasured = run(run="0", driver="external")
    local, compose = run(*MEASURED, run="1"), run(*MEASURED, run="2", driver="compose")

    assert chosen(unmeasured, local, compose) == ["1"]
    assert chosen(unmeasured, compose, local) == ["2"]


def test_only_the_newest_comparable_runs_are_used_and_older_ones_are_not_read() -> None:
    def states() -> Iterator[RunState]:
        yield run(run="unmeasured")
        for number in range(MAX_RUNS):
            yield run(*MEASURED, run=f"{number}")
        pytest.fail("reads more runs than needed")

    found = comparable(PROFILE, states())

    assert [state.started.run for state in found if state.started] == ["0", "1", "2"]


def test_runs_with_an_unreadable_profile_are_not_used() -> None:
    begun = run_started(PROFILE)
    strange = replace(begun, profile={**begun.profile, "device": "abacus"})

    assert chosen(state_after(strange), EMPTY) == []
