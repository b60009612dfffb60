"""Parse and format durations such as `90s`, `7m` and `1h20m`."""

import re
from decimal import Decimal

DURATION_PATTERN = r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?"
"""Regular expression of durations with units. It also matches the empty text."""

_PARTS = re.compile(DURATION_PATTERN)
_SECONDS = (3600, 60, 1)
_EXPECTED = "expected a duration such as 90s, 7m or 1h20m"


def parse_duration(text: object) -> float:
    """Return a duration in seconds.

    Args:
        text: `90s`, `7m`, `1h20m`, `1.5s`, or a plain number of seconds.

    Raises:
        ValueError: The text is not a duration.
    """
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise ValueError(_EXPECTED)  # noqa: TRY004  # pydantic expects ValueError
    match = _PARTS.fullmatch(text.strip()) if isinstance(text, str) else None
    if match and any(match.groups()):
        return sum(
            float(part) * unit for part, unit in zip(match.groups(), _SECONDS, strict=True) if part
        )
    try:
        return float(text)
    except (ValueError, OverflowError):
        raise ValueError(_EXPECTED) from None


AUTO = "auto"
"""A duration that depends on the results."""


def is_auto(text: object) -> bool:
    """Return whether a text is `auto`."""
    return isinstance(text, str) and text.strip() == AUTO


def parse_run_time(text: object) -> float:
    """Return a duration in seconds, where `auto` is possible, too.

    Raises:
        ValueError: The text is not a duration.
    """
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ValueError(f"{error}, or auto") from None


def format_run_time(run_time: float | str) -> str:
    """Format a run time so that a profile converts it back."""
    return run_time if isinstance(run_time, str) else format_duration(run_time)


def format_duration(seconds: float) -> str:
    """Format seconds as a string that `parse_duration` converts back to the same number."""
    whole = int(seconds)
    if whole != seconds:
        return f"{Decimal(repr(seconds)):f}s"
    if not whole:
        return "0s"
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "m"), (rest, "s"))
    return "".join(f"{amount}{unit}" for amount, unit in parts if amount)


def readable_duration(seconds: float) -> str:
    """Format a duration for display: `45 s`, `2 min 5 s`, `1 h 52 min`."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes >= 10:
        return f"{minutes} min"
    if minutes:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{rest} s"
