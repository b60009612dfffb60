"""Runs and their results."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadbench.engine.catalog import Catalog
from loadbench.engine.journal.events import Verdict
from loadbench.engine.report.rows import Row, rows
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.glyphs import UNICODE
from loadbench.ui.lines.plot import Chart, PlotPoint, Series
from loadbench.ui.lines.series import (
    time_ticks,
)
from loadbench.ui.lines.text import SERIES, plain, width
from loadbench.ui.reports.lines import (
    COLUMNS,
    cell_values,
    columns_of,
    latency_by_level,
    no_runs,
    repeated_lines,
    run_entries,
    sorted_rows,
    throughput_by_level,
)
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_started,
    make_profile,
    requests,
    run_started,
    state_after,
    swept,
)


def points(chart: Chart) -> dict[str, list[PlotPoint]]:
    """The points of each series by its name."""
    return {one.name: list(one.points) for one in chart.series}


def chart(*lines: Sequence[PlotPoint], right: bool = False, **changes: object) -> Chart:
    """A chart of ten seconds, the last line at the right axis if that is asked for."""
    series = [
        Series(
            name=f"line {i}",
            points=line,
            tone=SERIES[i],
            sign=".o*"[i],
            right=right and i == len(lines) - 1,
        )
        for i, line in enumerate(lines)
    ]
    made = Chart(series=series, x_limits=(0.0, 10.0), x_ticks=time_ticks(10), marks=[5.0])
    return replace(made, **changes)  # type: ignore[arg-type]  # names are Chart's own


# Results


def row(models: int = 1, users: int = 2, **changes: object) -> Row:
    """A cell that was measured."""
    profile = make_profile(models=[models], users=[users])
    key = f"m{models}_u{users}_s2"
    state = state_after(run_started(profile), cell_started(key), cell_finished(key))
    return replace(rows(state)[0], **changes)  # type: ignore[arg-type]  # names are Row's own


def column(name: str) -> int:
    """The number of a column."""
    return [title for title, _ in COLUMNS].index(name)


def test_rows_stand_as_they_were_planned_until_a_column_is_chosen() -> None:
    planned = [row(2), row(1)]

    assert sorted_rows(planned, None, falling=False) == planned
    assert sorted_rows(planned, None, falling=True) == planned


@pytest.mark.parametrize(("falling", "expected"), [(False, [1, 3, 2]), (True, [3, 1, 2])])
def test_rows_without_a_value_are_last_whichever_way(falling: bool, expected: list[int]) -> None:
    planned = [row(3, rps=9.0), row(2, rps=None), row(1, rps=5.0)]

    ordered = sorted_rows(planned, column("req/s"), falling=falling)

    assert [it.models for it in ordered] == expected


def test_rows_of_equal_value_keep_their_order() -> None:
    planned = [row(2), row(1), row(3)]

    for falling in (False, True):
        assert sorted_rows(planned, column("u"), falling=falling) == planned


@pytest.mark.parametrize("number", range(len(COLUMNS)))
def test_every_column_can_be_sorted_with_cells_that_failed(number: int) -> None:
    begun = run_started(make_profile(models=[1, 2, 3]))
    state = state_after(
        begun, cell_started(), cell_finished(), cell_started("m2_u2_s2"), cell_failed("m2_u2_s2")
    )

    ordered = sorted_rows(rows(state), number, falling=True)

    assert {it.cell for it in ordered} == {cell.key for cell in begun.cells}


def test_the_values_of_a_row_stand_under_their_columns() -> None:
    values = dict(zip((title for title, _ in COLUMNS), cell_values(row(3, 20)), strict=True))

    assert values == {
        **dict.fromkeys(("p50", "p90", "p95", "max"), "10.0"),
        **dict.fromkeys(("p99", "p99.9"), "~10.0"),
        "m": "3",
        "u": "20",
        "s": "2",
        "#": "1",
        "req/s": "40.0",
        "fails": "0",
        "verdict": "valid",
    }


def test_a_cell_that_was_not_run_has_no_values() -> None:
    (pending,) = rows(state_after(run_started()))

    assert cell_values(pending)[4:] == (*8 * ("-",), "pending")


def test_repeats_have_a_column_where_there_are_some() -> None:
    names = [title for title, _ in COLUMNS]

    assert [names[it] for it in columns_of([row()])] == [it for it in names if it != "#"]
    assert columns_of([row(), row(repeat=2)]) == list(range(len(names)))


def test_the_first_cell_measured_again_is_told_from_the_first_and_sorted_after_repeats() -> None:
    state = swept(make_profile(repeats=2, recheck_first=True))
    names = [title for title, _ in COLUMNS]

    first, second, again = sorted_rows(rows(state), column("#"), falling=False)

    assert [cell_values(it)[column("#")] for it in (first, second, again)] == ["1", "2", "1+"]
    assert columns_of([again]) == list(range(len(names)))


def test_the_first_cell_measured_again_is_in_no_chart() -> None:
    state = swept(make_profile(recheck_first=True), m1_u2_s2_recheck={"completed": 4})

    made = throughput_by_level(state)

    assert made is not None
    assert points(made) == {"1m": [(2.0, 40.0)]}


def test_what_was_measured_more_than_once_is_told_in_few_lines() -> None:
    state = swept(make_profile(repeats=2, recheck_first=True), m1_u2_s2_r2={"completed": 300})

    lines = [plain(one).rstrip() for one in repeated_lines(state, 75)]

    assert lines == [
        "Recheck of m1_u2_s2 at the end: 40.0 → 40.0 req/s (+0.0 %), p50 10.0 → 10.0",
        "  ms (+0.0 %), p95 10.0 → 10.0 ms (+0.0 %)",
        "m1_u2_s2  2 repeats: 35.0 [30.0, 40.0] req/s, p50 10.0 [10.0, 10.0], p95",
        "  10.0 [10.0, 10.0], p99 10.0 [10.0, 10.0] ms",
        "[low, high]: range of all repeats, contains the true median with a",
        "  probability of 50 % with 2 repeats; 95 % takes 6 repeats",
    ]
    assert repeated_lines(swept(make_profile()), 75) == []


def test_a_chart_against_users_has_a_line_for_each_number_of_models() -> None:
    state = swept(make_profile(models=[2, 1], users=[8, 4]), m1_u4_s2={"completed": 70})

    made = throughput_by_level(state)

    assert made is not None
    assert points(made) == {"1m": [(4.0, 7.0), (8.0, 40.0)], "2m": [(4.0, 40.0), (8.0, 40.0)]}
    assert [one.tone for one in made.series] == list(SERIES[:2])
    assert made.x_limits == (0.0, 8.0)
    assert list(made.x_ticks) == [(4.0, "4"), (8.0, "8")]


def test_cells_of_the_same_users_and_models_are_one_by_all_their_requests() -> None:
    slow = {"requests": requests(((100.0, 300),)), "completed": 100}
    state = swept(make_profile(repeats=2), m1_u2_s2_r2=slow)

    latency, throughput = latency_by_level(state), throughput_by_level(state)

    assert latency is not None
    assert throughput is not None
    # 400 of 10 ms and 300 of 100 ms: no mean of their percentiles.
    assert points(latency) == {"1m": [(2.0, 100.0)]}
    assert points(throughput) == {"1m": [(2.0, 25.0)]}


def test_what_is_invalid_is_in_no_chart() -> None:
    invalid = {"verdict": Verdict.INVALID}
    state = swept(make_profile(models=[1, 2], users=[2, 50]), m2_u50_s2=invalid, m1_u50_s2=invalid)

    made = throughput_by_level(state)

    assert made is not None
    assert points(made) == {"1m": [(2.0, 40.0)], "2m": [(2.0, 40.0)]}
    assert made.x_limits == (0.0, 2.0)


def test_without_a_finished_cell_there_is_no_chart() -> None:
    begun = state_after(run_started(), cell_started(), cell_failed())

    assert latency_by_level(begun) is None
    assert throughput_by_level(begun) is None


def test_models_have_signs_of_their_own_where_tones_begin_anew() -> None:
    made = throughput_by_level(swept(make_profile(models=[*range(1, 12)])))

    assert made is not None
    assert [one.tone for one in made.series[:8]] == [*SERIES, *SERIES[:2]]
    assert len({one.sign for one in made.series}) == 11


@given(st.sets(st.integers(1, 2000), min_size=1, max_size=12))
@settings(max_examples=25)
def test_numbers_of_users_stand_apart_below_the_axis(users: set[int]) -> None:
    made = throughput_by_level(swept(make_profile(users=sorted(users))))

    assert made is not None
    ticks = [at for at, _ in made.x_ticks]
    assert ticks[0] == min(users)
    gaps = [b - a for a, b in pairwise(ticks)]
    assert all(gap >= max(users) / 10 for gap in gaps)


# The list of runs


def run(name: str, status: RunStatus = RunStatus.DONE) -> Run:
    """A run whose one cell was measured."""
    state = state_after(run_started(), cell_started(), cell_finished())
    return Run(Path("/nowhere/reports") / name, state, status)


def test_runs_stand_under_the_names_of_their_profiles() -> None:
    catalog = Catalog(
        runs=(
            run("with_cpu/20261123-120000", RunStatus.LIVE),
            run("demo/20261122-130000"),
            run("demo/20261122-120000", RunStatus.INTERRUPTED),
        )
    )

    entries = run_entries(catalog, UNICODE)

    assert [(it.key, plain(it.lines[0]).rstrip()) for it in entries] == [
        ("", "demo"),
        ("demo/20261122-130000", " ● 22 Nov 13:00 done        1/1"),
        ("demo/20261122-120000", " ! 22 Nov 12:00 interrupted 1/1"),
        ("", "with_cpu"),
        ("with_cpu/20261123-120000", " ▶ 23 Nov 12:00 live        1/1"),
    ]


def test_journals_that_cannot_be_read_are_told_below_and_cannot_be_chosen() -> None:
    problem = "/tmp/reports/demo/20261122-120000/journal.jsonl: its first line cannot be read"

    (entry,) = run_entries(Catalog(unreadable=(problem,)), UNICODE)

    assert entry.key == ""
    assert all(width(one) <= 36 for one in entry.lines)
    told = "".join(plain(one) for one in entry.lines).replace(" ", "")
    assert told == f"unreadable: {problem}".replace(" ", "")


def test_where_no_run_is_it_says_whether_any_may_come() -> None:
    assert "reading" in plain(no_runs(complete=False)[0])
    assert plain(no_runs(complete=True)[0]) == " No run yet."
