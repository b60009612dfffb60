"""Parsing and formatting of durations."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.profile.duration import format_duration, parse_duration, readable_duration


@given(st.floats(min_value=0, max_value=1e9))
def test_formatted_duration_parses_to_the_same_number(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("7m", 420),
        ("1h20m", 4800),
        ("1h1s", 3601),
        ("1.5s", 1.5),
        ("0.5h", 1800),
        (" 30s ", 30),
        ("90", 90),
        (90, 90),
        (1.5, 1.5),
    ],
)
def test_hours_minutes_seconds_and_plain_numbers_are_parsed(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "s",
        "soon",
        "5x",
        "2m1h",
        "1h 20m",
        "-5s",
        "1e3s",
        True,
        None,
        [5],
        pytest.param(10**400, id="huge"),
    ],
)
def test_invalid_duration_raises_an_error_with_examples(text: object) -> None:
    with pytest.raises(ValueError, match="expected a duration such as 90s, 7m or 1h20m"):
        parse_duration(text)


@given(st.text() | st.from_regex(r"[0-9.hms+-]{1,8}", fullmatch=True))
def test_any_text_parses_or_raises_value_error(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert isinstance(seconds, float)


@given(st.integers(min_value=0, max_value=10**7))
def test_whole_seconds_are_formatted_without_fractions(seconds: int) -> None:
    assert "." not in format_duration(float(seconds))
    assert math.trunc(parse_duration(format_duration(float(seconds)))) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4800.0, "1h20m"), (420.0, "7m"), (90.0, "1m30s"), (0.0, "0s"), (0.5, "0.5s")],
)
def test_durations_are_formatted_in_short_notation(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (45.4, "45 s"),
        (59.6, "1 min"),
        (125, "2 min 5 s"),
        (3600, "1 h"),
        (6720, "1 h 52 min"),
    ],
)
def test_readable_durations_have_at_most_two_units(seconds: float, text: str) -> None:
    assert readable_duration(seconds) == text
