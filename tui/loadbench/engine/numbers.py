"""Formatting of numbers for display."""


def number(value: float | None, digits: int = 3) -> str:
    """Format a number with `digits` significant digits. Return `-` for None."""
    if value is None:
        return "-"
    if not value or abs(value) >= 10 ** (digits - 1):
        return f"{value:.0f}"
    return f"{value:#.{digits}g}".rstrip(".")


def latency(value_ms: float | None, *, backed: bool) -> str:
    """Format a latency in ms, prefixed with `~` (estimate) if too few samples back it."""
    return number(value_ms) if backed or value_ms is None else f"~{number(value_ms)}"
