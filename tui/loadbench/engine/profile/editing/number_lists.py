"""Lists of numbers with ranges: `1 2 4`, `10..100 step 10`, `1..64 x2`."""

import re
from collections.abc import Iterator, Sized
from decimal import Decimal

from loadbench.engine.profile.error_messages import shown
from loadbench.engine.profile.source import MAX_VALUES

RANGE_HINT = "10..100 step 10 or 1..64 ×2"

_MAX_NUMBER = 10**9
_MAX_DIGITS = 15
_NUMBER = r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_RANGE = re.compile(
    rf"{_NUMBER}\s*\.\.\s*{_NUMBER}"
    rf"(?:\s+step\s*{_NUMBER}|\s*[x×]\s*{_NUMBER})?(?=[\s,]|$)",
    re.IGNORECASE,
)
_ITEM = re.compile(r"[^\s,]+")
_PART_OF_RANGE = re.compile(r"step\b|[x×]|.*\.\.", re.IGNORECASE)


def expand_numbers(text: str) -> list[str | int | float]:
    """Return the values of a list, with each range replaced by its values.

    A range ends at or before its second number. Without a step, its step is 1.

    Args:
        text: Numbers and ranges, separated by spaces or commas. Brackets around them are ignored.

    Returns:
        Numbers from ranges, and all other items as text, which the profile model validates.

    Raises:
        ValueError: A range is invalid, or the list has more than 10,000 values.
    """
    text = text.strip("[] \t\n")
    values: list[str | int | float] = []
    position = 0
    while item := _ITEM.search(text, position):
        match = _RANGE.match(text, item.start())
        if match:
            for value in _values(match):
                values.append(int(value) if value == int(value) else float(value))
                _check_length(values, text)
        elif _PART_OF_RANGE.match(item[0]):
            raise ValueError(f"expected a range such as {RANGE_HINT}, got {shown(text)}")
        else:
            values.append(item[0])
            _check_length(values, text)
        position = (match or item).end()
    return values


def _check_length(values: Sized, text: str) -> None:
    if len(values) > MAX_VALUES:
        raise ValueError(f"expected at most {MAX_VALUES} values, got {shown(text)}")


def _values(match: re.Match[str]) -> Iterator[Decimal]:
    """Return the values of a range, without rounding errors.

    Raises:
        ValueError: The range is invalid.
    """
    if any(len(text) > _MAX_DIGITS or Decimal(text) > _MAX_NUMBER for text in match.groups("1")):
        raise ValueError(
            f"expected a range of numbers up to {_MAX_NUMBER} with up to {_MAX_DIGITS} digits, "
            f"got {shown(match[0])}"
        )
    start, end, step, factor = map(Decimal, match.groups("1"))
    is_geometric = match[4] is not None
    problem = ""
    if start > end:
        problem = "a range from the smaller to the larger number"
    elif not step:
        problem = "a step above 0"
    elif is_geometric and factor <= 1:
        problem = "a factor above 1"
    elif is_geometric and not start:
        problem = "a first number above 0, because it is multiplied"
    if problem:
        raise ValueError(f"expected {problem}, got {shown(match[0])}")
    return _geometric(start, end, factor) if is_geometric else _arithmetic(start, end, step)


def _arithmetic(start: Decimal, end: Decimal, step: Decimal) -> Iterator[Decimal]:
    while start <= end:
        yield start
        start += step


def _geometric(start: Decimal, end: Decimal, factor: Decimal) -> Iterator[Decimal]:
    while start <= end:
        yield start
        start *= factor
