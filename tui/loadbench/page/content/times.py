"""Times as text."""

from datetime import UTC, datetime

from loadbench.engine.journal.codec import read_time


def time_text(recorded: str) -> str:
    """Return a recorded time to the minute, such as `2026-11-30 12:00 UTC`."""
    time = read_time(recorded)
    return minute_text(time) if time else recorded


def minute_text(time: datetime) -> str:
    """Return a time to the minute, in UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
