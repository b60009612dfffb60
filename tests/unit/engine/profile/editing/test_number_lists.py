"""Lists of numbers with ranges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.profile.editing.number_lists import expand_numbers
from loadbench.engine.profile.source import MAX_VALUES


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", []),
        (" , ,", []),
        ("1 2 4 8", ["1", "2", "4", "8"]),
        ("1, 2,4", ["1", "2", "4"]),
        ("[0.5, 2]", ["0.5", "2"]),
        ("8 1 8", ["8", "1", "8"]),
        ("few", ["few"]),
        ("-1", ["-1"]),
        ("1..4", [1, 2, 3, 4]),
        ("5..5", [5]),
        ("10..50 step 20", [10, 30, 50]),
        ("10..50 step 30", [10, 40]),
        ("10 .. 50  step  20", [10, 30, 50]),
        ("1..64 x2", [1, 2, 4, 8, 16, 32, 64]),
        ("1..64x2", [1, 2, 4, 8, 16, 32, 64]),
        ("1..64 ×2", [1, 2, 4, 8, 16, 32, 64]),
        ("1..100 X10", [1, 10, 100]),
        ("1..3 x1.5", [1, 1.5, 2.25]),
        ("1 2 10..50 step 20", ["1", "2", 10, 30, 50]),
        ("10..20 step 10, 5, 1..4 ×2", [10, 20, "5", 1, 2, 4]),
        ("0.1..0.5 step 0.1", [0.1, 0.2, 0.3, 0.4, 0.5]),
        (".5..2 step .5", [0.5, 1, 1.5, 2]),
        ("0.001..0.1 x10", [0.001, 0.01, 0.1]),
    ],
)
def test_ranges_are_expanded_in_the_order_of_the_text(
    text: str, values: list[str | int | float]
) -> None:
    assert expand_numbers(text) == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10..100 step 0", "expected a step above 0, got '10..100 step 0'"),
        ("1..64 x1", "expected a factor above 1, got '1..64 x1'"),
        ("1..64 x0.5", "expected a factor above 1, got '1..64 x0.5'"),
        ("0..64 x2", "expected a first number above 0, because it is multiplied, got '0..64 x2'"),
        ("5 10..1", "expected a range from the smaller to the larger number, got '10..1'"),
        ("1..1000000", "expected at most 10000 values, got '1..1000000'"),
        ("1..2 step 0.000001", "expected at most 10000 values, got '1..2 step 0.000001'"),
        ("1..1000000000 x1.0000001", "expected at most 10000 values, got"),
        ("1..6000 1..6000", "expected at most 10000 values, got '1..6000 1..6000'"),
        ("1..9999999999", "expected a range of numbers up to 1000000000 with up to 15 digits"),
        ("1..2 step 0.00000000000000000001", "expected a range of numbers up to"),
        (f"1..{'9' * 5000}", "expected a range of numbers up to 1000000000 with up to 15 digits"),
        ("10..", "expected a range such as 10..100 step 10 or 1..64 ×2, got '10..'"),
        ("..10", "expected a range such as"),
        ("1....5", "expected a range such as"),
        ("1...5", "expected a range from the smaller to the larger number, got '1...5'"),
        ("1..5..9", "expected a range such as"),
        ("-5..5", "expected a range such as"),
        ("a..b", "expected a range such as"),
        (
            "10..100 step",
            "expected a range such as 10..100 step 10 or 1..64 ×2, got '10..100 step'",
        ),
        ("10..100 step x", "expected a range such as"),
        ("10..100 x", "expected a range such as"),
        ("step 5", "expected a range such as"),
        ("1e1..1e3 x10", "expected a range such as"),
    ],
)
def test_invalid_range_is_reported_with_the_expected_notation(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="expected") as raised:
        expand_numbers(text)

    assert str(raised.value).startswith(message)
    assert len(str(raised.value)) < 250


def test_a_list_without_ranges_has_the_same_limit() -> None:
    assert len(expand_numbers("1 " * MAX_VALUES)) == MAX_VALUES
    with pytest.raises(ValueError, match="expected at most 10000 values"):
        expand_numbers("1 " * (MAX_VALUES + 1))


@given(st.integers(0, 10**6), st.integers(1, 10**4), st.integers(0, 900), st.integers(0, 6))
def test_values_of_a_range_equal_the_decimal_numbers(
    start: int, step: int, count: int, digits: int
) -> None:
    def text(number: int) -> str:
        whole, fraction = divmod(number, 10**digits)
        return f"{whole}.{fraction:0{digits}d}" if digits else str(whole)

    values = expand_numbers(f"{text(start)}..{text(start + count * step)} step {text(step)}")

    assert values == [float(text(start + index * step)) for index in range(count + 1)]


@given(st.text() | st.text("0123456789.x× step,[]-+e"))
def test_any_text_is_expanded_or_refused(text: str) -> None:
    try:
        values = expand_numbers(text)
    except ValueError as error:
        assert str(error).startswith("expected ")  # noqa: PT017  # other texts are expanded
    else:
        assert len(values) <= MAX_VALUES
