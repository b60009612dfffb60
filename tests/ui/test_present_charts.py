"""From samples and rows to charts, and from charts to lines of text."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import (
    cell_failed,
    cell_finished,
    cell_started,
    make_profile,
    requests,
    run_started,
    sample,
    state_after,
)
from loadbench.engine.events import Buckets, Phase, Sample
from loadbench.engine.measure.histogram import count, merge, successes
from loadbench.engine.report.rows import Row, rows
from loadbench.engine.runs import Run, RunStatus
from loadbench.engine.state import PhaseStart
from loadbench.ui.catalog import Catalog
from loadbench.ui.present.glyphs import UNICODE
from loadbench.ui.present.lines import SERIES, Line, Tone, plain, width
from loadbench.ui.present.plot import Chart, Point, Series, draw, nice_ceiling
from loadbench.ui.present.results import (
    COLUMNS,
    by_users,
    cell_values,
    no_runs,
    run_entries,
    sorted_rows,
)
from loadbench.ui.present.series import (
    Slice,
    Slices,
    latency_chart,
    legend,
    slice_width_s,
    throughput_chart,
    time_ticks,
)


def seconds(number: int, since: int = 0) -> list[Sample]:
    """Samples of a cell, each second a little different."""
    return [
        sample(
            second=second,
            users=1 + second % 7,
            requests=requests(((10.0 + second % 5, 1 + second % 3),), ((1.0, second % 2),)),
        )
        for second in range(since, since + number)
    ]


HOUR = seconds(4000)


# Slices


def test_each_second_of_a_short_cell_is_a_slice() -> None:
    slices = Slices().of(seconds(3))

    assert [(one.start_s, one.seconds) for one in slices] == [(0, 1), (1, 1), (2, 1)]
    assert slices[1] == Slice(1, 1, latency=((11.0, 2),), failures=1, users=2)


def test_without_a_sample_there_is_no_slice() -> None:
    assert Slices().of([]) == []


@pytest.mark.parametrize(
    ("length", "width_s"),
    [(0, 1), (1, 1), (120, 1), (121, 2), (240, 2), (241, 5), (3600, 30), (3601, 60), (86400, 1800)],
)
def test_slices_of_a_longer_cell_are_longer(length: int, width_s: int) -> None:
    assert slice_width_s(length) == width_s


@given(st.integers(1, 172_800))
def test_there_are_never_more_slices_than_a_chart_can_show(length: int) -> None:
    assert math.ceil(length / slice_width_s(length)) <= 120


@given(st.integers(0, 400))
def test_slices_hold_every_second_once(length: int) -> None:
    samples = HOUR[:length]

    slices = Slices().of(samples)

    assert sum(one.seconds for one in slices) == length
    assert merge(one.latency for one in slices) == merge(successes(it.requests) for it in samples)
    starts = [one.start_s for one in slices]
    assert starts == list(range(0, length, slice_width_s(length)))


@given(st.lists(st.integers(0, 600), max_size=8))
def test_slices_of_a_growing_cell_are_those_of_a_whole_one(lengths: list[int]) -> None:
    growing = Slices()

    for length in sorted(lengths):
        assert growing.of(HOUR[:length]) == Slices().of(HOUR[:length])


@settings(max_examples=5)
@given(st.integers(0, 4000), st.integers(0, 4000))
def test_slices_of_hours_are_the_same_however_they_came(one: int, other: int) -> None:
    growing = Slices()
    growing.of(HOUR[: min(one, other)])

    assert growing.of(HOUR[: max(one, other)]) == Slices().of(HOUR[: max(one, other)])


def test_slices_can_be_asked_of_fewer_samples_again() -> None:
    slices = Slices()
    slices.of(HOUR[:100])

    assert slices.of(HOUR[:50]) == Slices().of(HOUR[:50])


def test_another_attempt_begins_anew() -> None:
    slices = Slices()
    slices.of(seconds(10))

    again = [replace(one, attempt=2, users=99) for one in seconds(10)]

    assert {one.users for one in slices.of(again)} == {99}


def test_slices_begin_where_the_samples_do() -> None:
    assert [one.start_s for one in Slices().of(seconds(2, since=7))] == [7, 8]


def test_the_users_of_a_slice_are_the_most_at_once() -> None:
    assert Slices().of(HOUR[:240])[2].users == max(it.users for it in HOUR[4:6])


# Series


def drawn(samples: Sequence[Sample], *, growing: bool = False) -> tuple[Chart, Chart]:
    """The two charts of a cell."""
    slices = Slices().of(samples)
    phases = (PhaseStart(Phase.SETTLING, 0), PhaseStart(Phase.MEASURING, 5))
    return (
        latency_chart(slices, phases, growing=growing),
        throughput_chart(slices, phases, growing=growing),
    )


def points(chart: Chart) -> dict[str, list[Point]]:
    """The points of each series by its name."""
    return {one.name: list(one.points) for one in chart.series}


def test_latency_has_a_line_for_each_of_three_percentiles() -> None:
    one = sample(requests=requests(tuple((float(ms), 1) for ms in range(1, 101))))

    latency, _ = drawn([one])

    assert points(latency) == {"p50": [(0, 50.0)], "p90": [(0, 90.0)], "p99": [(0, 99.0)]}


def test_seconds_without_a_success_are_gaps() -> None:
    latency, throughput = drawn([sample(second=0), sample(second=1, requests=())])

    assert points(latency)["p50"] == [(0, 10.0), (1, None)]
    assert points(throughput)["req/s"] == [(0, 40.0), (1, 0.0)]


def test_throughput_is_a_second_s_however_long_a_slice_is() -> None:
    _, throughput = drawn([sample(second=second) for second in range(121)])

    assert {y for _, y in points(throughput)["req/s"]} == {40.0}


def test_users_have_the_axis_at_the_right() -> None:
    _, throughput = drawn(seconds(3))

    assert {one.name for one in throughput.series if one.right} == {"users"}
    assert points(throughput)["users"] == [(0, 1.0), (1, 2.0), (2, 3.0)]


def test_failures_have_a_line_where_there_are_any() -> None:
    _, without = drawn([sample()])
    _, there = drawn([sample(requests=requests(failures=((1.0, 6),)))])

    assert "failures/s" not in points(without)
    assert points(there)["failures/s"] == [(0, 6.0)]


def test_a_mark_stands_where_measuring_begins() -> None:
    assert [chart.marks for chart in drawn(seconds(9))] == [[5.0], [5.0]]


def test_a_cell_that_is_over_fills_its_axis() -> None:
    assert drawn(seconds(33))[0].x_limits == (0.0, 33.0)


def test_the_axis_of_a_growing_cell_grows_in_steps() -> None:
    ends = [drawn(HOUR[:length], growing=True)[0].x_limits[1] for length in range(1, 62)]

    assert sorted(set(ends)) == [10, 20, 30, 45, 60, 90]
    assert ends == sorted(ends)


@given(st.integers(1, 4000))
@settings(max_examples=20)
def test_a_growing_axis_has_room_for_all_there_is(length: int) -> None:
    assert drawn(HOUR[:length], growing=True)[0].x_limits[1] >= length


def test_beyond_an_hour_the_axis_grows_by_hours() -> None:
    assert drawn(HOUR[:3601], growing=True)[0].x_limits[1] == 7200


@pytest.mark.parametrize("growing", [True, False])
def test_an_empty_chart_is_ten_seconds_long(growing: bool) -> None:
    latency, throughput = drawn([], growing=growing)

    assert (latency.x_limits, throughput.x_limits) == ((0.0, 10.0), (0.0, 10.0))
    assert not latency.has_points


def test_a_chart_of_gaps_alone_has_nothing_to_draw() -> None:
    latency, throughput = drawn([sample(requests=())])

    assert not latency.has_points
    assert throughput.has_points


@pytest.mark.parametrize(
    ("end_s", "labels"),
    [
        (10, ["0s", "2s", "4s", "6s", "8s", "10s"]),
        (20, ["0s", "5s", "10s", "15s", "20s"]),
        (33, ["0s", "10s", "20s", "30s"]),
        (150, ["0s", "30s", "60s", "90s", "2m", "2:30"]),
        (600, ["0s", "2m", "4m", "6m", "8m", "10m"]),
        (3600, ["0s", "20m", "40m", "1:00h"]),
        (20_000, ["0s", "2:00h", "4:00h"]),
        (86_400, ["0s", "6:00h", "12:00h", "18:00h", "24:00h"]),
    ],
)
def test_moments_of_a_time_axis_are_round(end_s: float, labels: list[str]) -> None:
    ticks = time_ticks(end_s)

    assert [label for _, label in ticks] == labels


@given(st.integers(10, 72_000))
def test_a_time_axis_has_a_few_moments_at_even_distances(end_s: int) -> None:
    ticks = [at for at, _ in time_ticks(end_s)]

    assert 3 <= len(ticks) <= 6
    assert ticks[0] == 0
    assert ticks[-1] <= end_s
    assert len({b - a for a, b in pairwise(ticks)}) == 1


def test_the_legend_names_the_series_with_what_they_are_drawn_with() -> None:
    series = drawn(seconds(3))[0].series

    assert plain(tuple(legend(series, signs=False))) == " ─ p50 ─ p90 ─ p99"
    assert plain(tuple(legend(series, signs=True))) == " . p50 o p90 * p99"


# Plots


def chart(*lines: Sequence[Point], right: bool = False, **changes: object) -> Chart:
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


STEADY: list[Point] = [(float(x), 50.0 + x) for x in range(11)]
BROKEN: list[Point] = [(float(x), None if 3 <= x <= 6 else 50.0) for x in range(11)]


def body(lines: Sequence[Line]) -> str:
    """Everything that is drawn."""
    return "\n".join(plain(one) for one in lines)


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("signs", [False, True])
def test_a_chart_fills_the_room_it_is_given(right: bool, signs: bool) -> None:
    made = chart(STEADY, BROKEN, right=right)

    for columns in (20, 21, 37, 60, 119, 200):
        for height in (4, 5, 8, 11, 30):
            lines = draw(made, columns, height, signs=signs, ascii_frame=signs)
            assert len(lines) == height
            assert {width(one) for one in lines} == {columns}


@settings(max_examples=30)
@given(
    st.lists(st.none() | st.floats(0, 1e6), min_size=1, max_size=40),
    st.integers(20, 150),
    st.integers(4, 40),
    st.booleans(),
)
def test_whatever_is_drawn_fits(
    values: list[float | None], columns: int, rows: int, right: bool
) -> None:
    line: list[Point] = [(float(x), y) for x, y in enumerate(values)]
    end_s = float(max(10, len(values)))
    made = chart(STEADY, line, right=right, x_limits=(0.0, end_s), x_ticks=time_ticks(end_s))

    lines = draw(made, columns, rows, signs=False, ascii_frame=False)

    assert len(lines) == rows
    assert all(width(one) <= columns for one in lines)


def test_a_chart_of_signs_in_an_ascii_frame_has_ascii_characters_alone() -> None:
    text = body(draw(chart(STEADY, BROKEN, right=True), 60, 12, signs=True, ascii_frame=True))

    assert text.isascii()
    assert "." in text
    assert "o" in text


def test_a_line_is_drawn_in_its_tone_and_the_frame_is_dim() -> None:
    lines = draw(chart(STEADY), 60, 12, signs=False, ascii_frame=False)
    tones = {piece.tone for one in lines for piece in one if piece.text.strip()}

    assert tones == {Tone.DIM, SERIES[0]}
    braille = [c for one in lines for piece in one for c in piece.text if "⠀" < c <= "⣿"]
    assert braille


def test_the_axes_say_what_they_go_to() -> None:
    lines = draw(chart(STEADY), 60, 12, signs=False, ascii_frame=False)
    text = body(lines)

    for label in ("60┤", "0┤", "0s", "10s"):
        assert label in text


def test_a_right_axis_has_numbers_of_its_own() -> None:
    few: list[Point] = [(float(x), 2.0) for x in range(11)]

    lines = draw(chart(STEADY, few, right=True), 60, 12, signs=False, ascii_frame=False)

    assert any(plain(one).rstrip().endswith("├2") for one in lines)
    assert any("60┤" in plain(one) for one in lines)


def test_without_a_line_at_the_right_there_is_no_right_axis() -> None:
    text = body(draw(chart(STEADY), 60, 12, signs=False, ascii_frame=False))

    assert "├" not in text
    assert "┘" not in text


def test_a_gap_is_not_drawn_over() -> None:
    def signs_in(points_: list[Point]) -> int:
        # The mark at 5 s would hide some.
        made = chart(points_, marks=[])
        return body(draw(made, 60, 12, signs=True, ascii_frame=True)).count(".")

    whole: list[Point] = [(x, 50.0) for x, _ in BROKEN]
    assert 0 < signs_in(BROKEN) < 0.75 * signs_in(whole)


def test_a_single_point_is_seen() -> None:
    made = chart([(5.0, 50.0)], marks=[])

    assert "." in body(draw(made, 60, 12, signs=True, ascii_frame=True))


def test_points_that_stand_out_are_dots() -> None:
    made = chart([(2.0, 50.0), (8.0, 20.0)], marks=[])
    dotted = replace(made, series=[replace(made.series[0], dotted=True)])

    assert body(draw(dotted, 60, 12, signs=False, ascii_frame=False)).count("●") == 2
    assert "●" not in body(draw(made, 60, 12, signs=False, ascii_frame=False))


def test_a_mark_is_a_vertical_line() -> None:
    def bars(made: Chart) -> int:
        return body(draw(made, 60, 12, signs=True, ascii_frame=True)).count("|")

    assert bars(chart(STEADY)) > bars(chart(STEADY, marks=[])) + 5


def test_a_chart_without_a_point_is_an_empty_frame() -> None:
    lines = draw(chart([(0.0, None)]), 40, 8, signs=False, ascii_frame=False)

    assert len(lines) == 8
    assert "1┤" in body(lines)


def test_one_chart_leaves_nothing_for_the_next() -> None:
    alone = draw(chart(BROKEN), 60, 12, signs=False, ascii_frame=False)
    draw(chart(STEADY, STEADY, right=True), 100, 20, signs=True, ascii_frame=True)

    assert draw(chart(BROKEN), 60, 12, signs=False, ascii_frame=False) == alone


# Ceilings


@pytest.mark.parametrize(
    ("values", "ceiling"),
    [
        ([], 1),
        ([None], 1),
        ([0.0], 1),
        ([-3.0], 1),
        ([1.0], 1),
        ([None, 1.01], 1.2),
        ([7.0, 3.0], 8),
        ([99.0], 100),
        ([100.0], 100),
        ([1000.0], 1000),
        ([1001.0], 1200),
        ([0.03], 0.03),
        ([0.031], 0.04),
        ([8231.0], 10_000),
    ],
)
def test_a_ceiling_is_a_round_number(values: list[float | None], ceiling: float) -> None:
    assert nice_ceiling(values) == pytest.approx(ceiling)


@given(st.lists(st.none() | st.floats(1e-6, 1e12), min_size=1))
def test_no_value_is_above_the_ceiling_and_it_is_near_the_highest(
    values: list[float | None],
) -> None:
    ceiling = nice_ceiling(values)

    highest = max((value for value in values if value is not None), default=1.0)
    assert highest * (1 - 1e-9) <= ceiling <= 1.5 * highest


@given(st.floats(1e-6, 1e12), st.floats(1e-6, 1e12))
def test_a_higher_value_has_no_lower_ceiling(one: float, other: float) -> None:
    assert nice_ceiling([min(one, other)]) <= nice_ceiling([max(one, other)])


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
        assert sorted_rows(planned, column("users"), falling=falling) == planned


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
        **dict.fromkeys(("p50", "p90", "p95", "p99", "max"), "10.0"),
        "models": "3",
        "users": "20",
        "rate": "2",
        "req/s": "40.0",
        "fails": "0",
        "verdict": "valid",
    }


def test_a_cell_that_was_not_run_has_no_values() -> None:
    (pending,) = rows(state_after(run_started()))

    assert cell_values(pending)[3:] == (*7 * ("-",), "not run")


def test_a_chart_against_users_has_a_line_for_each_number_of_models() -> None:
    planned = [row(2, 8), row(1, 8), row(2, 4), row(1, 4, rps=7.0)]

    made = by_users(planned, lambda it: it.rps)

    assert made is not None
    assert points(made) == {"1m": [(4.0, 7.0), (8.0, 40.0)], "2m": [(4.0, 40.0), (8.0, 40.0)]}
    assert [one.tone for one in made.series] == list(SERIES[:2])
    assert made.x_limits == (0.0, 8.0)
    assert list(made.x_ticks) == [(4.0, "4"), (8.0, "8")]


def test_cells_of_the_same_users_and_models_are_averaged() -> None:
    repeats = [row(rps=10.0), row(rps=20.0, spawn_rate=5.0), row(rps=60.0, repeat=2), row(rps=None)]

    made = by_users(repeats, lambda it: it.rps)

    assert made is not None
    assert points(made) == {"1m": [(2.0, 30.0)]}


def test_models_without_a_value_have_no_line() -> None:
    made = by_users([row(1), row(2, 50, rps=None)], lambda it: it.rps)

    assert made is not None
    assert points(made) == {"1m": [(2.0, 40.0)]}
    assert made.x_limits == (0.0, 50.0)


def test_without_a_value_there_is_no_chart() -> None:
    assert by_users([], lambda it: it.rps) is None
    assert by_users([row(rps=None)], lambda it: it.rps) is None


def test_more_models_than_tones_take_them_anew() -> None:
    made = by_users([row(models) for models in range(1, 9)], lambda it: it.rps)

    assert made is not None
    assert [one.tone for one in made.series] == [*SERIES, *SERIES[:2]]


@given(st.sets(st.integers(1, 2000), min_size=1, max_size=30))
def test_numbers_of_users_stand_apart_below_the_axis(users: set[int]) -> None:
    made = by_users([row(1, number) for number in users], lambda it: it.rps)

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


def test_percentiles_of_a_slice_are_those_of_all_its_seconds() -> None:
    buckets: list[Buckets] = [((10.0, 9),), ((500.0, 1),)]
    samples = [
        sample(second=second, requests=requests(buckets[second % 2])) for second in range(121)
    ]

    latency, _ = drawn(samples)

    assert points(latency)["p50"][0] == (0, 10.0)
    assert points(latency)["p99"][0] == (0, 500.0)
    assert count(Slices().of(samples)[0].latency) == 10
