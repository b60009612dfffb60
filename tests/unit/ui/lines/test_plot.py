"""Charts as lines of text."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loadbench.ui.lines.charts.axes import time_ticks
from loadbench.ui.lines.charts.plot import (
    Chart,
    Margins,
    PlotPoint,
    Series,
    coincide,
    draw,
    margins_of,
    widest,
)
from loadbench.ui.lines.text import SERIES, Line, Tone, plain, width

# Plots


def chart(*lines: Sequence[PlotPoint], right: bool = False, **changes: object) -> Chart:
    """A chart of ten seconds; `right`: with the last line on the right axis."""
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


STEADY: list[PlotPoint] = [(float(x), 50.0 + x) for x in range(11)]
BROKEN: list[PlotPoint] = [(float(x), None if 3 <= x <= 6 else 50.0) for x in range(11)]


def body(lines: Sequence[Line]) -> str:
    """The text of the drawing."""
    return "\n".join(plain(one) for one in lines)


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("signs", [False, True])
def test_a_chart_has_the_requested_size(right: bool, signs: bool) -> None:
    made = chart(STEADY, BROKEN, right=right)

    for columns in (20, 21, 37, 60, 119, 200):
        for height in (4, 5, 8, 11, 30):
            lines = draw(made, columns, height, signs=signs, ascii_frame=signs)
            assert len(lines) == height
            assert {width(one) for one in lines} == {columns}


@settings(max_examples=30)
@example([5e-324], 20, 4, True)
@given(
    st.lists(st.none() | st.floats(0, 1e6), min_size=1, max_size=40),
    st.integers(20, 150),
    st.integers(4, 40),
    st.booleans(),
)
def test_any_values_fit_the_size(
    values: list[float | None], columns: int, rows: int, right: bool
) -> None:
    line: list[PlotPoint] = [(float(x), y) for x, y in enumerate(values)]
    end_s = float(max(10, len(values)))
    made = chart(STEADY, line, right=right, x_limits=(0.0, end_s), x_ticks=time_ticks(end_s))

    lines = draw(made, columns, rows, signs=False, ascii_frame=False)

    assert len(lines) == rows
    assert all(width(one) <= columns for one in lines)


def test_a_chart_of_signs_in_an_ascii_frame_is_ascii() -> None:
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


def test_the_axes_have_labels() -> None:
    lines = draw(chart(STEADY), 60, 12, signs=False, ascii_frame=False)
    text = body(lines)

    for label in ("60┤", "0┤", "0s", "10s"):
        assert label in text


def test_the_right_axis_has_its_own_scale() -> None:
    few: list[PlotPoint] = [(float(x), 2.0) for x in range(11)]

    lines = draw(chart(STEADY, few, right=True), 60, 12, signs=False, ascii_frame=False)

    assert any(plain(one).rstrip().endswith("├2") for one in lines)
    assert any("60┤" in plain(one) for one in lines)


def test_a_chart_without_a_right_line_has_no_right_axis() -> None:
    text = body(draw(chart(STEADY), 60, 12, signs=False, ascii_frame=False))

    assert "├" not in text
    assert "┘" not in text


def test_a_gap_is_not_drawn_over() -> None:
    def signs_in(points_: list[PlotPoint]) -> int:
        # The mark at 5 s would hide some signs.
        made = chart(points_, marks=[])
        return body(draw(made, 60, 12, signs=True, ascii_frame=True)).count(".")

    whole: list[PlotPoint] = [(x, 50.0) for x, _ in BROKEN]
    assert 0 < signs_in(BROKEN) < 0.75 * signs_in(whole)


def test_a_single_point_is_visible() -> None:
    made = chart([(5.0, 50.0)], marks=[])

    assert "." in body(draw(made, 60, 12, signs=True, ascii_frame=True))


def test_emphasised_points_are_dots() -> None:
    made = chart([(2.0, 50.0), (8.0, 20.0)], marks=[])
    dotted = replace(made, series=[replace(made.series[0], dotted=True)])

    assert body(draw(dotted, 60, 12, signs=False, ascii_frame=False)).count("●") == 2
    assert "●" not in body(draw(made, 60, 12, signs=False, ascii_frame=False))


def test_a_mark_is_a_vertical_line() -> None:
    def bars(made: Chart) -> int:
        return body(draw(made, 60, 12, signs=True, ascii_frame=True)).count("|")

    assert bars(chart(STEADY)) > bars(chart(STEADY, marks=[])) + 5


def goal_lines(made: Chart) -> list[int]:
    """The rows of dotted lines."""
    lines = draw(made, 60, 9, signs=False, ascii_frame=False)
    return [row for row, one in enumerate(lines) if plain(one).count("┈") > 10]


def test_a_goal_is_a_dotted_line_behind_the_curves() -> None:
    made = chart(STEADY, marks=[], goal=20.0)
    lines = draw(made, 60, 9, signs=False, ascii_frame=False)

    (row,) = goal_lines(made)
    assert plain(lines[row]) == "20┼" + "┈" * 57
    assert {piece.tone for piece in lines[row] if "┈" in piece.text} == {Tone.STRONG}
    crossed = draw(replace(made, goal=55.0), 60, 9, signs=False, ascii_frame=False)
    text = next(plain(one) for one in crossed if "┈┈" in plain(one))
    assert any("⠀" < sign <= "⣿" for sign in text)


def test_a_goal_in_an_ascii_frame_is_ascii() -> None:
    text = body(draw(chart(STEADY, goal=30.0), 60, 12, signs=True, ascii_frame=True))

    assert text.isascii()
    assert "-" * 20 in text


@pytest.mark.parametrize(("goal", "highest"), [(60.0, 60), (90.0, 100), (120.0, 120)])
def test_the_axis_reaches_a_goal_of_up_to_twice_the_largest_value(
    goal: float, highest: float
) -> None:
    made = chart(STEADY, goal=goal)

    assert made.has_room_for_goal
    top = plain(draw(made, 60, 9, signs=False, ascii_frame=False)[0])
    assert top.startswith((f"{highest}┤", f"{highest}┼"))
    assert goal_lines(made)


def test_a_goal_changes_no_more_cells_from_second_to_second() -> None:
    values: list[PlotPoint] = [(float(x), 60.0 + 30 * math.sin(x)) for x in range(30)]

    def changed_cells(goal: float | None) -> int:
        frames = [
            body(
                draw(
                    chart(values[:length], x_limits=(0.0, 30.0), goal=goal),
                    *(70, 14),
                    signs=False,
                    ascii_frame=False,
                )
            )
            for length in range(3, 30)
        ]
        return sum(
            a != b for one, other in pairwise(frames) for a, b in zip(one, other, strict=True)
        )

    assert 0 < changed_cells(80.0) <= changed_cells(None)


def test_a_goal_far_above_all_values_does_not_flatten_them() -> None:
    far, near = chart(STEADY, goal=121.0), chart(STEADY)

    assert not far.has_room_for_goal
    shapes = [draw(made, 60, 13, signs=False, ascii_frame=False) for made in (far, near)]
    assert shapes[0] == shapes[1]


def test_the_goal_belongs_to_the_left_axis() -> None:
    many: list[PlotPoint] = [(float(x), 5000.0) for x in range(11)]

    made = chart(STEADY, many, right=True, goal=500.0)

    assert not made.has_room_for_goal
    assert not goal_lines(made)


def test_a_chart_without_a_point_is_an_empty_frame() -> None:
    lines = draw(chart([(0.0, None)]), 40, 8, signs=False, ascii_frame=False)

    assert len(lines) == 8
    assert "1┤" in body(lines)


def test_a_chart_does_not_affect_the_next_one() -> None:
    alone = draw(chart(BROKEN), 60, 12, signs=False, ascii_frame=False)
    draw(chart(STEADY, STEADY, right=True), 100, 20, signs=True, ascii_frame=True)

    assert draw(chart(BROKEN), 60, 12, signs=False, ascii_frame=False) == alone


# Alignment


def frame_columns(lines: Sequence[Line]) -> list[int]:
    """The columns of the ticks below a chart."""
    return [i for i, sign in enumerate(plain(lines[-2])) if sign in "┬┴└┘"]


@pytest.mark.parametrize("columns", [40, 61, 120])
def test_charts_with_common_margins_have_their_plots_aligned(columns: int) -> None:
    few: list[PlotPoint] = [(float(x), 2.0) for x in range(11)]
    many: list[PlotPoint] = [(float(x), 12_345.0) for x in range(11)]
    narrow, broad = chart(STEADY, marks=[]), chart(many, few, right=True, marks=[])
    margins = widest([margins_of(narrow, 9), margins_of(broad, 9)])

    lines = [
        draw(made, columns, 9, signs=False, ascii_frame=False, margins=margins)
        for made in (narrow, broad)
    ]

    ticks, with_right_axis = map(frame_columns, lines)
    assert ticks == with_right_axis[: len(ticks)]
    assert {width(one) for both in lines for one in both} == {columns}


def test_a_chart_that_is_too_narrow_for_margins_has_none() -> None:
    alone = draw(chart(STEADY), 24, 9, signs=False, ascii_frame=False)

    assert alone == draw(
        chart(STEADY), 24, 9, signs=False, ascii_frame=False, margins=Margins(8, 8)
    )


# Order and coincidence


@pytest.mark.parametrize("signs", [False, True])
def test_the_first_series_is_drawn_over_the_others(signs: bool) -> None:
    made = chart(STEADY, STEADY, marks=[])

    lines = draw(made, 60, 12, signs=signs, ascii_frame=signs)

    tones = {piece.tone for one in lines for piece in one}
    assert SERIES[0] in tones
    assert SERIES[1] not in tones


def test_lines_in_the_same_rows_coincide() -> None:
    close = [(x, (y or 0) + 0.5) for x, y in STEADY]
    apart = [(x, (y or 0) + 40) for x, y in STEADY]
    made = chart(STEADY, close, apart)
    first, second, third = made.series

    assert coincide(made, first, second, 12)
    assert not coincide(made, first, third, 12)


def test_lines_without_common_points_do_not_coincide() -> None:
    made = chart([(0.0, 5.0), (1.0, None)], [(0.0, None), (1.0, 5.0)])

    first, second = made.series
    assert not coincide(made, first, second, 12)
