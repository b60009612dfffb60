"""The search chooses cells as `docs/search.md` describes."""

from collections.abc import Mapping
from typing import Any

import pytest

from loadbench.engine.journal.events import CellEnd, CellStarted, Verdict
from loadbench.engine.journal.search import ProbeReason, StopReason
from loadbench.engine.journal.state import EMPTY, RunState
from loadbench.engine.profile.plan import Cell
from loadbench.engine.report.recommendation.recommend import recommendation_of
from loadbench.engine.search.model import Probe, Stop
from loadbench.engine.search.strategy import next_step, out_of_budget
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    make_cell,
    requests,
)
from tests.support.searches import (
    applied,
    planned,
    search_profile,
    search_started,
    searched,
    with_p95,
)

GOOD_MS, BAD_MS = 50.0, 200.0
USERS = [10, 20, 30, 40, 50]


def service(capacities: Mapping[int, float], cell: Cell) -> CellEnd:
    """Return the results of a service that carries a number of users for each number of models."""
    is_met = cell.level.amount <= capacities[cell.models]
    return with_p95(cell, GOOD_MS if is_met else BAD_MS, rps=cell.level.amount)


def search(
    capacities: Mapping[int, float],
    instead: Mapping[str, CellEnd] | None = None,
    **keys: Any,
) -> tuple[RunState, list[Probe], Stop]:
    """Search a service with one number of models for each capacity.

    Args:
        capacities: Users that each number of models carries.
        instead: Other results of some cells, by key.
        keys: Other keys of the profile.
    """
    profile = search_profile(models=list(capacities), **keys)
    other = instead or {}
    return searched(
        search_started(profile), lambda cell: other.get(cell.key) or service(capacities, cell)
    )


def chosen(probes: list[Probe]) -> list[tuple[str, str]]:
    return [(probe.cell.key, probe.why.value) for probe in probes]


def test_first_row_is_bisected_and_both_edges_are_confirmed() -> None:
    state, probes, stop = search({1: 20})

    assert chosen(probes) == [
        ("m1_u30_s50", "first"),
        ("m1_u20_s50", "lower"),
        ("m1_u30_s50_r2", "confirm"),
        ("m1_u20_s50_r2", "confirm"),
    ]
    assert stop.reason is StopReason.EDGE_FOUND
    (bracket,) = stop.brackets
    assert (bracket.passed, bracket.missed) == (20, 30)
    assert (bracket.reason, bracket.is_confirmed) == (StopReason.EDGE_FOUND, True)
    assert stop.grid == len(USERS)
    assert state.search_ended


def test_further_rows_start_at_the_predicted_load() -> None:
    _, probes, stop = search({1: 10, 2: 20, 4: 40})

    started = [probe.cell.key for probe in probes if probe.why is ProbeReason.PREDICTED]
    assert started == ["m2_u20_s50", "m4_u40_s50"]
    assert [bracket.passed for bracket in stop.brackets] == [10, 20, 40]


def test_row_with_fewer_models_starts_below_the_capacity_of_the_row_before() -> None:
    _, probes, _ = search({4: 40, 2: 20})

    assert ("m2_u20_s50", "predicted") in chosen(probes)


@pytest.mark.parametrize(
    ("capacity", "reason", "passed", "missed"),
    [
        (5, StopReason.BOTTOM_FAILED, None, 10),
        (10, StopReason.EDGE_FOUND, 10, 20),
        (49, StopReason.EDGE_FOUND, 40, 50),
        (50, StopReason.TOP_PASSED, 50, None),
    ],
)
def test_edges_at_the_ends_of_the_range(
    capacity: float, reason: StopReason, passed: float | None, missed: float | None
) -> None:
    _, _, stop = search({1: capacity})

    (bracket,) = stop.brackets
    assert (bracket.reason, bracket.passed, bracket.missed) == (reason, passed, missed)
    assert bracket.is_confirmed


def test_row_is_saturated_if_the_largest_load_adds_no_throughput() -> None:
    profile = search_profile(models=[1])

    _, _, stop = searched(search_started(profile), lambda cell: with_p95(cell, GOOD_MS, rps=40))

    assert stop.brackets[0].reason is StopReason.SATURATED


@pytest.mark.parametrize(
    ("users", "peak", "reason"),
    [
        ([100, 102, 104], 1000, StopReason.TOP_PASSED),
        (list(range(10, 501, 10)), 1000, StopReason.TOP_PASSED),
        ([10, 20, 30, 40, 160], 35, StopReason.SATURATED),
    ],
)
def test_saturation_does_not_depend_on_the_distance_of_the_loads(
    users: list[int], peak: float, reason: StopReason
) -> None:
    profile = search_profile(models=[1], users=users)

    _, _, stop = searched(
        search_started(profile),
        lambda cell: with_p95(cell, GOOD_MS, rps=min(peak, cell.level.amount)),
    )

    assert stop.brackets[0].reason is reason


def test_confirmation_that_disagrees_is_followed_by_a_third_repeat() -> None:
    passed = make_cell(users=20, spawn_rate=50, repeat=2)
    other = with_p95(passed, BAD_MS, rps=20)

    state, probes, stop = search({1: 20}, {passed.key: other})

    assert chosen(probes)[-1] == ("m1_u20_s50_r3", "tie")
    assert stop.brackets[0].passed == 20
    found = recommendation_of(state)
    assert found
    assert found.best
    assert found.best.capacity
    assert found.best.capacity.amount == 20


def test_edge_that_flips_moves_the_bracket() -> None:
    first = make_cell(users=30, spawn_rate=50)
    lucky = with_p95(first, GOOD_MS, rps=30)

    _, probes, stop = search({1: 20}, {first.key: lucky})

    assert stop.brackets[0].passed == 20
    assert stop.brackets[0].missed == 30
    assert ("m1_u30_s50_r3", "tie") in chosen(probes)


def test_edges_far_from_the_limit_are_not_confirmed_once_the_spread_is_known() -> None:
    def measure(cell: Cell) -> CellEnd:
        jitter = 1.02 if cell.repeat % 2 else 0.98
        is_met = cell.level.amount <= 10 * cell.models
        return with_p95(cell, (GOOD_MS if is_met else BAD_MS) * jitter, rps=cell.level.amount)

    profile = search_profile(models=[1, 2, 3, 4])
    _, probes, stop = searched(search_started(profile), measure)

    confirmed = {probe.cell.models for probe in probes if probe.why is ProbeReason.CONFIRM}
    assert confirmed == {1, 2, 3}  # six degrees of freedom
    assert all(bracket.is_confirmed for bracket in stop.brackets)


@pytest.mark.parametrize(("beyond_ms", "fewest", "most"), [(BAD_MS, 3, 7), (102.0, 2, 2)])
def test_edge_close_to_its_limit_is_repeated_if_the_levels_can_be_separated(
    beyond_ms: float, fewest: int, most: int
) -> None:
    def measure(cell: Cell) -> CellEnd:
        jitter = 1.02 if cell.repeat % 2 else 0.98
        is_met = cell.level.amount <= 10 * cell.models
        if cell.models == 4:
            return with_p95(cell, 99.0 if is_met else beyond_ms, rps=cell.level.amount)
        return with_p95(cell, (GOOD_MS if is_met else BAD_MS) * jitter, rps=cell.level.amount)

    profile = search_profile(models=[1, 2, 3, 4])
    _, probes, _ = searched(search_started(profile), measure)

    edges = [probe for probe in probes if (probe.cell.models, probe.cell.level.amount) == (4, 40)]
    assert fewest <= len(edges) <= most


def test_edges_are_as_far_apart_as_the_nearest_of_all_spawn_rates() -> None:
    def measure(cell: Cell) -> CellEnd:
        jitter = 1.02 if cell.repeat % 2 else 0.98
        is_met = cell.level.amount <= 10 * cell.models
        if cell.models == 4:
            return with_p95(cell, 93.0 if is_met else 101.0, rps=cell.level.amount)
        return with_p95(cell, (GOOD_MS if is_met else BAD_MS) * jitter, rps=cell.level.amount)

    profile = search_profile(models=[1, 2, 3, 4], spawn_rates=[5, 25, 50])
    _, probes, _ = searched(search_started(profile), measure)

    # The edges are 3 spreads apart: 0.4 beyond the limit, and 2.6 below it at each spawn rate.
    missed = [probe for probe in probes if (probe.cell.models, probe.cell.level.amount) == (4, 50)]
    assert len(missed) == 2


def test_exits_of_replicas_are_confirmed_once() -> None:
    def measure(cell: Cell) -> CellEnd:
        jitter = 1.02 if cell.repeat % 2 else 0.98
        if cell.level.amount > 10 * cell.models:
            return cell_failed(cell.key)
        return with_p95(cell, GOOD_MS * jitter, rps=cell.level.amount)

    profile = search_profile(models=[1, 2, 3, 4], repeats=2)
    _, probes, stop = searched(search_started(profile), measure)

    assert max(probe.cell.repeat for probe in probes) == 2
    assert [bracket.missed for bracket in stop.brackets] == [20, 30, 40, 50]


def test_load_passes_only_at_every_spawn_rate() -> None:
    slow, fast = 5.0, 50.0

    def measure(cell: Cell) -> CellEnd:
        limit = 20 if cell.level.fields["spawn_rate"] == fast else 30
        is_met = cell.level.amount <= limit
        return with_p95(cell, GOOD_MS if is_met else BAD_MS, rps=cell.level.amount)

    profile = search_profile(models=[1], spawn_rates=[slow, fast])
    _, probes, stop = searched(search_started(profile), measure)

    assert (stop.brackets[0].passed, stop.brackets[0].missed) == (20, 30)
    assert ("m1_u30_s50", "spawn_rate") in chosen(probes)


def test_load_that_missed_at_one_spawn_rate_is_not_measured_at_the_next() -> None:
    _, probes, stop = search({1: 20}, spawn_rates=[5, 50])

    assert (stop.brackets[0].passed, stop.brackets[0].missed) == (20, 30)
    keys = [key for key, _ in chosen(probes)]
    assert "m1_u20_s50" in keys
    assert "m1_u30_s5" in keys
    assert "m1_u30_s50" not in keys


def test_profile_with_repeats_measures_each_probe_that_many_times() -> None:
    _, probes, stop = search({1: 20}, repeats=3)

    assert {key for key, _ in chosen(probes)} == {
        f"m1_u{users}_s50{suffix}" for users in (20, 30) for suffix in ("", "_r2", "_r3")
    }
    assert stop.brackets[0].is_confirmed


def test_load_without_usable_results_is_retried_once_then_left_out() -> None:
    first, again = "m1_u30_s50", "m1_u30_s50_r2"
    invalid = {key: cell_finished(key, verdict=Verdict.INVALID) for key in (first, again)}

    _, probes, stop = search({1: 20}, invalid)

    assert chosen(probes)[:2] == [(first, "first"), (again, "retry")]
    assert (stop.brackets[0].passed, stop.brackets[0].missed) == (20, 40)
    assert stop.brackets[0].reason is StopReason.UNDECIDED


def test_loads_are_not_retried_if_a_retry_was_undecided() -> None:
    state = search_started(search_profile(models=[1]))
    few = requests(((GOOD_MS, 30),))

    _, probes, stop = searched(state, lambda cell: cell_finished(cell.key, requests=few))

    assert len(probes) == len(USERS) + 1
    assert [probe.why for probe in probes].count(ProbeReason.RETRY) == 1
    assert stop.brackets[0].reason is StopReason.UNDECIDED


def test_undecided_load_is_retried() -> None:
    few = cell_finished("m1_u30_s50", requests=requests(((GOOD_MS, 40),)), completed=40)

    _, probes, stop = search({1: 30}, {"m1_u30_s50": few})

    assert chosen(probes)[1] == ("m1_u30_s50_r2", "retry")
    assert stop.brackets[0].passed == 30


def test_skipped_cell_is_left_out_at_once() -> None:
    _, probes, stop = search({1: 20}, {"m1_u30_s50": cell_skipped("m1_u30_s50")})

    assert not any(probe.cell.key.startswith("m1_u30_s50_r") for probe in probes)
    assert stop.brackets[0].reason is StopReason.UNDECIDED


def test_skipped_confirmation_leaves_the_edge_unconfirmed() -> None:
    _, _, stop = search({1: 20}, {"m1_u20_s50_r2": cell_skipped("m1_u20_s50_r2")})

    assert stop.brackets[0].reason is StopReason.EDGE_FOUND
    assert not stop.brackets[0].is_confirmed


def test_load_at_which_a_replica_exits_counts_as_missed() -> None:
    exits = {key: cell_failed(key) for key in ("m1_u30_s50", "m1_u30_s50_r2")}

    _, _, stop = search({1: 50}, exits)

    assert stop.brackets[0].missed == 30


def test_search_of_models_that_never_start_ends() -> None:
    state = search_started(search_profile())
    for _ in range(2):
        step = next_step(state)
        assert isinstance(step, Probe)
        started = CellStarted(cell=step.cell.key, attempt=1)
        state = applied(state, planned(step), started, cell_failed(step.cell.key))

    step = next_step(state)

    assert isinstance(step, Probe)
    assert step.cell.models == 2


def test_loads_too_small_for_the_throughput_goal_are_lower_bounds() -> None:
    _, _, stop = search({1: 40}, goals={"p95_ms": 100, "min_rps": 35})

    assert (stop.brackets[0].passed, stop.brackets[0].missed) == (40, 50)


def test_throughput_goal_out_of_reach_is_decided() -> None:
    _, _, stop = search({1: 40}, goals={"p95_ms": 100, "min_rps": 1000})

    assert stop.brackets[0].passed is None


def test_throughput_goal_out_of_reach_of_every_load_is_a_result() -> None:
    _, _, stop = search({1: 60}, goals={"p95_ms": 100, "min_rps": 1000})

    (bracket,) = stop.brackets
    assert bracket.reason is StopReason.TOO_SMALL
    assert bracket.is_decided
    assert not bracket.is_known


def test_budget_does_not_matter_if_no_cell_remains() -> None:
    state, _, stop = search({1: 20})

    assert out_of_budget(state) == stop
    assert out_of_budget(applied(state, answered("again", "m1_u30_s50"))).reason is (
        StopReason.BUDGET_USED
    )


def test_added_cells_outside_of_the_profile_narrow_the_bracket_without_being_confirmed() -> None:
    extra = make_cell(users=35, spawn_rate=50)
    state = search_started(search_profile(models=[1]))
    state = applied(state, answered("add", added=(extra,)), service({1: 30}, extra))

    _, probes, stop = searched(state, lambda cell: service({1: 30}, cell))

    assert (stop.brackets[0].passed, stop.brackets[0].missed) == (30, 35)
    assert {probe.cell.level.amount for probe in probes} <= {10, 20, 30}
    assert not stop.brackets[0].is_confirmed


def test_outstanding_cell_does_not_change_the_answer() -> None:
    state = search_started(search_profile())
    step = next_step(state)
    assert isinstance(step, Probe)

    pending = applied(state, planned(step))
    running = applied(pending, CellStarted(cell=step.cell.key, attempt=1))

    assert next_step(pending) == next_step(running) == step


def test_first_cell_is_rechecked_at_the_end() -> None:
    _, probes, _ = search({1: 20}, recheck_first=True)

    assert chosen(probes)[-1] == ("m1_u30_s50_recheck", "recheck")
    assert [probe.cell.recheck for probe in probes].count(True) == 1


def test_max_cells_is_never_exceeded() -> None:
    state, _, stop = search({1: 20}, users=[10, 20, 30], max_cells=3)

    assert len(state.cells) == 3
    assert stop.reason is StopReason.MAX_CELLS


def test_end_at_the_budget_names_every_number_of_models() -> None:
    stop = out_of_budget(search_started(search_profile()))

    assert stop.reason is StopReason.BUDGET_USED
    assert [(one.models, one.passed, one.reason) for one in stop.brackets] == [
        (1, None, ""),
        (2, None, ""),
    ]


def test_run_without_a_profile_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown"):
        next_step(EMPTY)


def test_bracket_of_a_probe_is_that_of_its_number_of_models() -> None:
    _, probes, _ = search({1: 10, 2: 20})

    assert all(probe.bracket.models == probe.cell.models for probe in probes)
