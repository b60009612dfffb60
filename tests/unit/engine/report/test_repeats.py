"""The medians of repeated cells and their confidence intervals."""

from dataclasses import replace
from math import comb
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import Event, Verdict
from loadbench.engine.journal.state import RunState
from loadbench.engine.report.repeats import (
    COLUMNS,
    MIN_COVERAGE,
    MIN_REPEATS,
    Interval,
    coverage,
    groups,
    interval_of,
)
from loadbench.engine.report.rows import rows
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_started,
    make_profile,
    requests,
    run_started,
    state_after,
)

KEYS = ("m1_u2_s2", "m1_u2_s2_r2", "m1_u2_s2_r3")


def repeated(*ends: Event) -> RunState:
    """A run with three repeats of one cell and these outcomes."""
    return state_after(run_started(make_profile(repeats=3)), *ends)


def finished(key: str, slower: float = 1.0, **changes: Any) -> Event:
    """A measured repeat; by default 40 requests per second of 10 ms."""
    numbers = {"completed": round(400 / slower), "requests": requests(((10 * slower, 400),))}
    return cell_finished(key, **{**numbers, **changes})


@pytest.mark.parametrize(
    ("number", "low", "high", "probability"),
    [
        (1, 1, 1, 0.0),
        (2, 1, 2, 0.5),
        (3, 1, 3, 0.75),
        (4, 1, 4, 0.875),
        (5, 1, 5, 0.9375),
        (6, 1, 6, 0.969),
        (8, 1, 8, 0.992),
        (9, 2, 8, 0.961),
        (12, 3, 10, 0.961),
        (15, 4, 12, 0.965),
        (17, 5, 13, 0.951),
        (20, 6, 15, 0.959),
    ],
)
def test_intervals_match_published_tables(
    number: int, low: int, high: int, probability: float
) -> None:
    found = interval_of([*range(number, 0, -1)])

    assert (found.low, found.high) == (low, high)
    assert found.median == (number + 1) / 2
    assert found.coverage == pytest.approx(probability, abs=0.0005)


@given(st.integers(MIN_REPEATS, 300))
def test_the_interval_of_six_or_more_values_is_the_narrowest_with_95_percent_coverage(
    number: int,
) -> None:
    found = interval_of([*range(1, number + 1)])
    rank = round(found.low)

    assert found.high == number + 1 - rank
    assert found.coverage >= MIN_COVERAGE > coverage(number, rank + 1)


@given(st.integers(1, 40), st.data())
def test_the_coverage_is_that_of_a_binomial_distribution(number: int, data: st.DataObject) -> None:
    rank = data.draw(st.integers(1, (number + 1) // 2))

    # The interval contains the median if `rank` to n - rank values are below the median.
    inside = sum(comb(number, below) for below in range(rank, number - rank + 1))

    assert coverage(number, rank) == pytest.approx(inside / 2**number, abs=1e-12)


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=30))
def test_the_median_lies_in_its_interval_for_any_order_of_values(
    values: list[float],
) -> None:
    found = interval_of(values)

    assert found.median == pytest.approx(median(values), abs=1e-4)
    assert found.low - 1e-4 <= found.median <= found.high + 1e-4
    assert {found.low, found.high} <= set(values)
    assert interval_of(values[::-1]) == found


def test_repeats_of_a_cell_form_a_group_with_an_interval_per_column() -> None:
    (group,) = groups(rows(repeated(*map(finished, KEYS, (1.0, 2.0, 1.25)))))

    assert (group.cell, group.planned, group.used, group.suspect) == ("m1_u2_s2", 3, 3, 0)
    assert tuple(group.intervals) == COLUMNS
    assert group.intervals["rps"] == Interval(32.0, 20.0, 40.0, 0.75)
    assert group.intervals["p95_ms"] == Interval(12.5, 10.0, 20.0, 0.75)


def test_repeats_without_valid_results_are_excluded_and_counted() -> None:
    invalid = finished(KEYS[1], 9.0, verdict=Verdict.INVALID)
    failed = (cell_started(KEYS[2]), cell_failed(KEYS[2]))

    (group,) = groups(rows(repeated(finished(KEYS[0]), invalid, *failed)))

    assert (group.planned, group.used) == (3, 1)
    assert group.intervals["rps"] == Interval(40.0, 40.0, 40.0, 0.0)


def test_suspect_repeats_are_used_and_counted() -> None:
    suspect = finished(KEYS[1], verdict=Verdict.SUSPECT)

    (group,) = groups(rows(repeated(finished(KEYS[0]), suspect)))

    assert (group.used, group.suspect) == (2, 1)


def test_a_group_without_measured_repeats_has_no_interval() -> None:
    (group,) = groups(rows(repeated()))

    assert (group.used, set(group.intervals.values())) == (0, {None})


def test_cells_measured_once_form_no_group() -> None:
    assert groups(rows(state_after(run_started(make_profile(models=[1, 2]))))) == ()


def test_the_recheck_is_not_a_repeat() -> None:
    once = make_profile(recheck_first=True)
    twice = make_profile(recheck_first=True, repeats=2)

    assert groups(rows(state_after(run_started(once)))) == ()
    assert [group.planned for group in groups(rows(state_after(run_started(twice))))] == [2]


def test_groups_are_in_the_order_of_the_plan() -> None:
    profile = make_profile(models=[2, 1], users=[8, 4], repeats=2)

    found = groups(rows(state_after(run_started(profile))))

    assert [group.cell for group in found] == ["m2_u8_s2", "m2_u4_s2", "m1_u8_s2", "m1_u4_s2"]


def test_all_aggregated_columns_are_fields_of_a_row() -> None:
    (row,) = rows(state_after(run_started()))

    assert replace(row, **dict.fromkeys(COLUMNS, 1.0)).rps == 1.0  # type: ignore[arg-type]  # fields of a row
