"""How numbers are written for people. Pure."""


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with that many significant digits, `-` where there is none."""
    if value is None:
        return "-"
    if not value or abs(value) >= 10 ** (digits - 1):
        return f"{value:.0f}"
    return f"{value:#.{digits}g}".rstrip(".")


def latency(value_ms: float | None, *, backed: bool) -> str:
    """Return a latency, marked `~` where too few samples are behind it."""
    return number(value_ms) if backed or value_ms is None else f"~{number(value_ms)}"
