"""Whether a number of models carries a load, over spawn rates and repeats."""

from typing import Any

from loadbench.engine.journal.events import CellFailed, Event, Verdict
from loadbench.engine.journal.state import RunState
from loadbench.engine.profile.plan import plan_cells
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.recommendation.capacity import cheapest, configurations
from loadbench.engine.report.recommendation.goals import Outcome
from loadbench.engine.report.recommendation.loads import LoadOutcome, load_outcomes
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

GOALS = Goals(p95_ms=100)
FAST, SLOW = 50.0, 200.0


def measured(cell: str, latency_ms: float = FAST, **changes: Any) -> list[Event]:
    """The events of a cell in which all 400 requests took the same time."""
    finished = cell_finished(cell, requests=requests(((latency_ms, 400),)), **changes)
    return [cell_started(cell), finished]


def died(cell: str) -> list[Event]:
    """The events of a cell in which a container exited."""
    return [cell_started(cell), cell_failed(cell)]


def state_of(*events: Event, **keys: Any) -> RunState:
    """The state of a run, by default of one cell."""
    return state_after(run_started(make_profile(**keys)), *events)


def load_of(*events: Event, goals: Goals = GOALS, **keys: Any) -> LoadOutcome:
    """The outcome of the only load."""
    [load] = load_outcomes(state_of(*events, **keys).cells.values(), goals)
    return load


THREE = tuple(cell.key for cell in plan_cells(make_profile(repeats=3)))


def test_a_load_passes_if_it_passes_at_every_spawn_rate() -> None:
    keys: dict[str, Any] = {"users": [8], "spawn_rates": [2, 4]}

    both = load_of(*measured("m1_u8_s2"), *measured("m1_u8_s4"), **keys)
    one = load_of(*measured("m1_u8_s2"), *measured("m1_u8_s4", SLOW), **keys)

    assert (both.outcome, both.is_divided) == (Outcome.PASSED, False)
    assert (one.outcome, one.is_divided) == (Outcome.MISSED, True)
    assert one.check is not None
    assert one.check.value == SLOW
    assert one.worst.level.key == "u8_s4"


def test_the_majority_of_the_repeats_decides() -> None:
    first, second, third = THREE
    events: list[Event] = [*measured(first), *measured(second, SLOW), *measured(third)]

    two_of_three = load_of(*events, repeats=3)
    one_of_three = load_of(*events[:4], *measured(third, SLOW), repeats=3)

    assert two_of_three.outcome is Outcome.PASSED
    assert two_of_three.repeats_note == " in 2 of 3 repeats"
    assert two_of_three.check is not None
    assert two_of_three.check.value == FAST
    assert one_of_three.outcome is Outcome.MISSED
    assert one_of_three.repeats_note == " in 2 of 3 repeats"


def test_repeats_that_have_not_ended_are_named_as_such() -> None:
    first, second, _ = THREE

    one = load_of(*measured(first), repeats=2)
    two = load_of(*measured(first), *measured(second), repeats=3)

    assert one.repeats_note == " in 1 of 2 repeats so far"
    assert two.repeats_note == " in 2 of 3 repeats so far"


def test_agreeing_repeats_need_no_note() -> None:
    first, second, third = THREE
    load = load_of(*measured(first), *measured(second), *measured(third), repeats=3)

    assert load.repeats_note == ""
    assert load.worst.count(Outcome.PASSED) == 3


def test_half_of_the_repeats_is_not_a_majority() -> None:
    first, second, _ = THREE

    load = load_of(*measured(first, 90), *measured(second, 105), repeats=2)

    assert (load.outcome, load.repeats_note) == (Outcome.MISSED, " in 1 of 2 repeats")
    assert load.check is not None
    # A value that was measured, not the mean of two.
    assert load.check.value == 105


def test_repeats_that_miss_different_goals_are_missed() -> None:
    first, second, third = THREE
    goals = Goals(p95_ms=100, min_rps=30)
    events = [*measured(first, SLOW), *measured(second, completed=100), *measured(third)]

    load = load_of(*events, goals=goals, repeats=3)

    assert load.outcome is Outcome.MISSED
    assert load.check is not None
    assert load.check.outcome is Outcome.MISSED


def test_the_deciding_repeat_has_the_outcome_of_the_level() -> None:
    first, second, third = THREE
    events = [*measured(first), *measured(second, SLOW), *measured(third, SLOW)]

    assert load_of(*events, repeats=3).worst.deciding.cell.cell.key == second


def test_an_undecided_repeat_does_not_decide() -> None:
    first, second, _ = THREE
    few: list[Event] = [
        cell_started(second),
        cell_finished(second, requests=requests(((FAST, 20),))),
    ]

    load = load_of(*measured(first), *few, repeats=2)

    assert load.outcome is Outcome.UNDECIDED


def test_an_exited_replica_counts_as_a_miss() -> None:
    first, second, third = THREE

    one = load_of(*measured(first), *died(second), *measured(third), repeats=3)
    two = load_of(*measured(first), *died(second), *died(third), repeats=3)
    only = load_of(*died("m1_u2_s2"))

    assert (one.outcome, one.failure) == (Outcome.PASSED, None)
    assert two.outcome is Outcome.MISSED
    assert two.failure is not None
    assert only.failure is not None
    assert (only.rps, only.check) == (None, None)


def test_a_failure_of_the_load_generator_does_not_count() -> None:
    failed = CellFailed(cell="m1_u2_s2", attempt=1, reason="Locust exited")
    state = state_of(cell_started(), failed)

    assert load_outcomes(state.cells.values(), GOALS) == ()


def test_invalid_skipped_and_pending_cells_do_not_count() -> None:
    first, second, third = THREE
    invalid = measured(first, verdict=Verdict.INVALID)

    state = state_of(*invalid, cell_skipped(second), cell_started(third), repeats=3)

    assert load_outcomes(state.cells.values(), GOALS) == ()


def test_suspect_cells_count() -> None:
    load = load_of(*measured("m1_u2_s2", verdict=Verdict.SUSPECT))

    assert (load.outcome, load.is_suspect) == (Outcome.PASSED, True)


def test_the_recheck_does_not_count() -> None:
    profile: dict[str, Any] = {"recheck_first": True}
    load = load_of(*measured("m1_u2_s2"), *measured("m1_u2_s2_recheck", SLOW), users=[2], **profile)

    assert load.outcome is Outcome.PASSED
    assert len(load.worst.repeats) == 1


def test_the_throughput_of_a_load_is_that_of_its_slowest_spawn_rate() -> None:
    keys: dict[str, Any] = {"users": [8], "spawn_rates": [2, 4]}
    events = [*measured("m1_u8_s2", completed=400), *measured("m1_u8_s4", completed=300)]

    assert load_of(*events, **keys).rps == 30.0


def test_the_capacity_lies_below_the_first_failure() -> None:
    keys: dict[str, Any] = {"users": [2, 4, 8, 16]}
    cells = {2: FAST, 4: FAST, 8: SLOW, 16: FAST}
    events = [e for users, ms in cells.items() for e in measured(f"m1_u{users}_s2", ms)]

    [one] = configurations(tuple(state_of(*events, **keys).cells.values()), GOALS)

    assert one.capacity is not None
    assert one.first_failed is not None
    assert (one.capacity.phrase, one.first_failed.phrase) == ("4 users", "8 users")
    assert [load.phrase for load in one.passed_above] == ["16 users"]


def test_a_small_load_cannot_miss_the_throughput() -> None:
    keys: dict[str, Any] = {"users": [2, 4, 8]}
    goals = Goals(min_rps=50)
    rates = {2: 30, 4: 60, 8: 40}
    events = [
        e for users, rps in rates.items() for e in measured(f"m1_u{users}_s2", completed=10 * rps)
    ]

    [one] = configurations(tuple(state_of(*events, **keys).cells.values()), goals)

    assert [load.phrase for load in one.too_small] == ["2 users"]
    assert one.capacity is not None
    assert one.first_failed is not None
    assert (one.capacity.phrase, one.first_failed.phrase) == ("4 users", "8 users")


def test_planned_loads_without_results_are_known() -> None:
    keys: dict[str, Any] = {"users": [2, 4, 8, 16]}
    invalid = measured("m1_u8_s2", verdict=Verdict.INVALID)
    events = [*measured("m1_u2_s2"), *invalid, cell_skipped("m1_u16_s2")]

    [one] = configurations(tuple(state_of(*events, **keys).cells.values()), GOALS)

    assert one.capacity is not None
    assert one.missing_above(one.capacity) == ("4 users", "8 users", "16 users")


def test_the_cheapest_configuration_of_a_load_has_the_fewest_models() -> None:
    keys: dict[str, Any] = {"models": [1, 2, 4], "users": [2, 4]}
    slow = {"m1_u4_s2", "m4_u2_s2"}
    events = [
        event
        for cell in plan_cells(make_profile(**keys))
        for event in measured(cell.key, SLOW if cell.key in slow else FAST)
    ]
    found = configurations(tuple(state_of(*events, **keys).cells.values()), GOALS)

    assert [(load.phrase, models) for load, models in cheapest(found)] == [
        ("2 users", 1),
        ("4 users", 2),
    ]
