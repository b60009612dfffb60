"""The axes of charts."""

import math
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loadbench.ui.lines.charts.axes import spread, y_axis

VALUES = st.floats(1e-6, 1e12)
SPANS = st.integers(1, 60)


def mantissa(value: float) -> float:
    """The value without its power of ten, from 1 to below 10."""
    found = value / 10.0 ** math.floor(math.log10(value) + 1e-9)
    return round(found, 6)


@given(st.lists(st.none() | VALUES), SPANS)
@example([], 6)
@example([None, 0.0], 6)
def test_ticks_are_multiples_of_a_nice_step_from_0(values: list[float | None], span: int) -> None:
    axis = y_axis(values, span)

    steps = [b - a for a, b in pairwise(axis.ticks)]
    assert axis.ticks[0] == 0
    assert 1 <= len(steps) <= 10
    assert mantissa(steps[0]) in (1, 2, 2.5, 5)
    assert steps == pytest.approx([steps[0]] * len(steps))


@given(VALUES, SPANS)
def test_the_axis_covers_the_value_and_ends_before_the_second_tick_above_it(
    value: float, span: int
) -> None:
    axis = y_axis([value], span)

    step = axis.ticks[1]
    assert value * (1 - 1e-6) <= axis.limit < (value + 2 * step)
    assert axis.ticks[-1] <= axis.limit * (1 + 1e-6) < axis.ticks[-1] + step * (1 + 1e-6)


@given(VALUES, st.integers(4, 60))
def test_a_chart_of_seven_rows_or_more_uses_two_thirds_of_its_height(
    value: float, span: int
) -> None:
    assert value * 1.5 >= y_axis([value], span).limit * (1 - 1e-6)


@given(VALUES, VALUES, SPANS, st.booleans())
def test_the_limit_never_falls_when_a_value_grows(
    one: float, other: float, span: int, whole: bool
) -> None:
    low, high = sorted((one, other))

    assert y_axis([low], span, whole=whole).limit <= y_axis([high], span, whole=whole).limit


@given(st.integers(0, 10_000), SPANS)
def test_whole_ticks_are_integers(value: int, span: int) -> None:
    assert all(tick.is_integer() for tick in y_axis([float(value)], span, whole=True).ticks)


@given(VALUES, st.integers(2, 60))
def test_ticks_are_on_whole_rows_unless_the_axis_would_be_much_higher(
    value: float, span: int
) -> None:
    axis = y_axis([value], span)

    rows = span * axis.ticks[1] / axis.limit
    even = math.isclose(rows, round(rows), rel_tol=1e-6)
    assert even or axis.ticks[-1] == axis.limit


@pytest.mark.parametrize(
    ("value", "span", "limit", "ticks"),
    [
        (800.0, 6, 800, [0, 200, 400, 600, 800]),
        (850.0, 20, 1000, [100 * i for i in range(11)]),
        (101.0, 6, 120, [0, 20, 40, 60, 80, 100, 120]),
        (86.4, 8, 100, [0, 25, 50, 75, 100]),
        (101.0, 2, 200, [0, 100, 200]),
        (5e-324, 6, 1, [0, 0.5, 1]),
    ],
)
def test_typical_axes(value: float, span: int, limit: float, ticks: list[float]) -> None:
    axis = y_axis([value], span)

    assert (axis.limit, list(axis.ticks)) == (limit, ticks)


def test_labels_of_close_values_on_the_x_axis_are_omitted() -> None:
    assert spread([1, 2, 4, 8, 16, 100]) == [1, 16, 100]
