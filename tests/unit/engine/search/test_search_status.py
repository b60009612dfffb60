"""Status, remaining range and texts of a search."""

import random
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.events import CellEnd, CellStarted, StackProgress
from loadbench.engine.journal.search import Bracket, ProbeReason, StopReason
from loadbench.engine.journal.state import RunState
from loadbench.engine.journal.timing.durations import durations_of
from loadbench.engine.profile.plan import Cell
from loadbench.engine.report.recommendation.subject import Subject
from loadbench.engine.search.eta import CellRange, further_cells, remaining_range_s
from loadbench.engine.search.model import Probe, Stop
from loadbench.engine.search.sentences import (
    bracket_sentence,
    progress_phrase,
    result_sentences,
    why_phrase,
)
from loadbench.engine.search.status import (
    SearchStatus,
    brackets,
    measured_cells,
    search_status,
)
from loadbench.engine.search.strategy import next_step
from loadbench.wording.search import search_sentences
from tests.support.builders import cell_finished, cell_skipped, requests
from tests.support.searches import (
    GOAL_MS,
    applied,
    planned,
    search_profile,
    search_started,
    searched,
    with_p95,
)

CONTAINERS = Subject("container", "containers", "", "")
SERVICE = Subject("", "", "", "The service")


def result(cell: Cell) -> CellEnd:
    """Return results that are proportional to users per model."""
    return with_p95(cell, GOAL_MS * cell.level.amount / (25 * cell.models), rps=cell.level.amount)


def states(users: list[int], models: list[int], **keys: Any) -> list[RunState]:
    """Return the state of a search before each of its cells, and at its end."""
    found = []
    state = search_started(search_profile(users=users, models=models, **keys))
    while isinstance(step := next_step(state), Probe):
        found.append(state)
        state = applied(
            state, planned(step), CellStarted(cell=step.cell.key, attempt=1), result(step.cell)
        )
    return [*found, state]


def test_cells_that_a_search_saved_are_counted() -> None:
    state, probes, _ = searched(search_started(search_profile()), result)
    status = search_status(state)

    assert status.measured == len(probes)
    assert (status.grid, status.saved) == (10, 10 - len(probes))
    assert status.brackets == brackets(state)


def test_search_that_measured_more_than_the_grid_saved_nothing() -> None:
    status = SearchStatus(brackets=(), measured=12, grid=10)

    assert status.saved == 0
    assert result_sentences(status, CONTAINERS) == (
        "The search measured 12 cells; the grid has 10.",
    )


@pytest.mark.parametrize("users", [[10, 20, 30, 40, 50], list(range(10, 170, 10)), [10]])
@pytest.mark.parametrize("models", [[1, 2, 4], [4, 2, 1]])
@pytest.mark.parametrize("recheck_first", [False, True])
def test_number_of_further_cells_is_within_its_range(
    users: list[int], models: list[int], recheck_first: bool
) -> None:
    found = states(users, models, recheck_first=recheck_first)

    for index, state in enumerate(found):
        ranges = further_cells(state).values()
        left = len(found) - 1 - index
        assert sum(one.fewest for one in ranges) <= left <= sum(one.most for one in ranges)
    assert further_cells(found[-1]) == {}
    assert max(one.most for one in further_cells(found[-2]).values()) >= 1


@given(
    capacities=st.lists(st.floats(0.2, 25), min_size=3, max_size=3),
    spread=st.sampled_from([0.0, 0.01]),
)
def test_fewest_further_cells_are_a_lower_bound_for_each_number_of_models(
    capacities: list[float], spread: float
) -> None:
    models = [1, 2, 4]
    capacity = dict(zip(models, capacities, strict=True))

    def measure(cell: Cell) -> CellEnd:
        chance = random.Random(cell.key).uniform(1 - spread, 1 + spread)
        return with_p95(cell, GOAL_MS * chance * cell.level.amount / (10 * capacity[cell.models]))

    profile = search_profile(models=models, users=list(range(10, 170, 10)))
    seen = []

    def choose(state: RunState) -> Probe | Stop:
        seen.append(
            (further_cells(state), Counter(one.cell.models for one in state.cells.values()))
        )
        return next_step(state)

    final, _, _ = searched(search_started(profile), measure, choose)
    total = Counter(one.cell.models for one in final.cells.values())
    for ranges, measured in seen:
        for number, one in ranges.items():
            assert one.fewest <= total[number] - measured[number]


@pytest.mark.parametrize(
    ("events", "left_s"),
    [
        ([], 600.0),
        ([(900.0, StackProgress.WAITING)], 600.0),
        ([(1.0, StackProgress.WAITING), (900.0, "start"), (1000.0, "build")], 500.0),
        ([(100.0, "build")], 500.0),
    ],
)
def test_budget_does_not_include_waiting_for_another_run(
    events: list[tuple[float, str]], left_s: float
) -> None:
    profile = search_profile(run_time="10m", search={"strategy": "bisection", "budget": "10m"})
    state = search_started(profile)
    for number, (elapsed_s, step) in enumerate(events):
        event = StackProgress(step=step, line="Waiting")
        state = state.apply(Entry(10**6 + number, "2026-11-22T07:21:00.000Z", elapsed_s, event))

    assert remaining_range_s(profile, state)[1] == left_s


def test_range_does_not_include_the_outstanding_cell() -> None:
    state = search_started(search_profile(models=[1]))
    step = next_step(state)
    assert isinstance(step, Probe)

    before = further_cells(state)[1]
    after = further_cells(applied(state, planned(step)))[1]

    assert after == CellRange(fewest=before.fewest - 1, most=before.most - 1)


def test_remaining_time_is_a_range_that_ends_at_zero() -> None:
    profile = search_profile(run_time="30s")
    found = states([10, 20, 30, 40, 50], [1, 2])

    shortest, longest = remaining_range_s(profile, found[0])
    durations = durations_of(profile)
    assert 2 * durations.scaling_s(1) < shortest < longest
    assert remaining_range_s(profile, found[-1]) == (0, 0)


def test_status_of_a_large_search_is_cheap() -> None:
    profile = search_profile(models=list(range(1, 9)), users=list(range(10, 170, 10)))

    def measure(cell: Cell) -> CellEnd:
        ratio = cell.level.amount / (12 * cell.models)
        buckets = [(float(f"{GOAL_MS * ratio * step / 190:.3g}"), 2) for step in range(1, 201)]
        return cell_finished(cell.key, requests=requests(tuple(sorted(dict(buckets).items()))))

    state, _, _ = searched(search_started(profile), measure)
    state = replace(state, search_ended=None)
    durations = []
    for _ in range(20):
        start = time.process_time()
        search_status(state)
        remaining_range_s(profile, state)
        durations.append(time.process_time() - start)

    assert min(durations) < 0.005


def test_range_of_a_search_over_thousands_of_loads_is_cheap() -> None:
    profile = search_profile(models=list(range(1, 9)), users=list(range(1, 1001)))
    state = search_started(profile)
    start = time.process_time()
    ranges = further_cells(state)
    first_s = time.process_time() - start
    start = time.process_time()

    assert further_cells(state) == ranges
    assert sum(one.most for one in ranges.values()) < 200
    assert first_s < 1  # it was 1.7 s when the number of loads was squared
    assert time.process_time() - start < first_s / 10


@pytest.mark.parametrize(
    ("bracket", "sentence", "progress"),
    [
        (Bracket(models=2), "2 containers: not searched", "not searched"),
        (
            Bracket(models=2, passed=56, missed=110),
            "2 containers: 56 users passed, 110 missed",
            "searching between 56 and 110 users",
        ),
        (
            Bracket(models=1, missed=1),
            "1 container: 1 user missed",
            "searching below 1 user",
        ),
        (
            Bracket(models=2, passed=160),
            "2 containers: 160 users passed",
            "searching above 160 users",
        ),
        (
            Bracket(
                models=2, passed=56, missed=78, reason=StopReason.EDGE_FOUND, is_confirmed=True
            ),
            "2 containers: 56 users passed, 78 missed",
            "edge found, confirmed",
        ),
        (
            Bracket(models=2, missed=78, reason=StopReason.EDGE_FOUND),
            "2 containers: 78 users missed",
            "no load met all goals, not confirmed",
        ),
        (
            Bracket(models=2, passed=160, reason=StopReason.TOP_PASSED, is_confirmed=True),
            "2 containers: 160 users passed",
            "at least 160 users: the largest load passed, confirmed",
        ),
        (
            Bracket(models=2, passed=160, reason=StopReason.SATURATED, is_confirmed=True),
            "2 containers: 160 users passed",
            "at least 160 users: throughput no longer grows, confirmed",
        ),
        (
            Bracket(models=2, missed=10, reason=StopReason.BOTTOM_FAILED, is_confirmed=True),
            "2 containers: 10 users missed",
            "below 10 users: the smallest load missed, confirmed",
        ),
        (
            Bracket(models=2, passed=10, reason=StopReason.UNDECIDED),
            "2 containers: 10 users passed",
            "undecided: loads without usable results remain",
        ),
        (
            Bracket(models=2, reason=StopReason.TOO_SMALL),
            "2 containers: no load passed",
            "no load reaches the throughput goal",
        ),
        (Bracket(models=2, passed=10, reason="later"), "2 containers: 10 users passed", "later"),
    ],
)
def test_bracket_as_text(bracket: Bracket, sentence: str, progress: str) -> None:
    assert bracket_sentence(bracket, CONTAINERS) == sentence
    assert progress_phrase(bracket) == progress


def test_result_names_what_the_budget_left_out() -> None:
    status = SearchStatus(
        brackets=(
            Bracket(models=1, passed=20, missed=28, reason=StopReason.EDGE_FOUND),
            Bracket(models=2, passed=20),
            Bracket(models=4, passed=56, missed=160),
            Bracket(models=8),
        ),
        measured=31,
        grid=128,
    )

    assert result_sentences(status, CONTAINERS) == (
        "The search measured 31 cells; the grid has 128.",
        "Not searched: 8 containers.",
        "Not finished: 2 containers, above 20 users; 4 containers, between 56 and 160 users.",
    )


def test_skipped_cells_are_not_measured() -> None:
    state, _, _ = searched(search_started(search_profile()), lambda cell: cell_skipped(cell.key))

    assert state.cells
    assert measured_cells(state) == 0
    assert search_sentences(state)[0].startswith("The search measured 0 cells; the grid has 10")


def test_result_of_a_search_that_found_all_edges_names_the_saved_cells() -> None:
    found = Bracket(models=1, passed=20, missed=28, reason=StopReason.EDGE_FOUND)
    status = SearchStatus(brackets=(found,), measured=31, grid=128)

    assert result_sentences(status, CONTAINERS) == (
        "The search measured 31 cells; the grid has 128 (97 saved).",
    )


def test_service_that_is_not_scaled_is_named() -> None:
    status = SearchStatus(brackets=(Bracket(models=1),), measured=0, grid=4)

    assert result_sentences(status, SERVICE)[1] == "Not searched: the service."


def test_each_reason_has_a_phrase() -> None:
    phrases = {why_phrase(reason) for reason in ProbeReason}

    assert len(phrases) == len(ProbeReason)
    assert why_phrase("of_a_later_version") == "of_a_later_version"


def test_stop_names_the_brackets_of_the_status() -> None:
    state, _, stop = searched(search_started(search_profile()), result)

    assert isinstance(stop, Stop)
    assert stop.brackets == brackets(state)
