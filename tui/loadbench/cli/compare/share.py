"""Read options for a relative change."""

import re

import click

from loadbench.errors import UsageError

MAX_SHARE = 10.0
"""Largest relative change of an option. A larger one is probably a mistake."""
_SHARE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})\s*(%?)", re.ASCII)


def read_share(
    _context: click.Context, parameter: click.Parameter, value: str | None
) -> float | None:
    """Return a relative change as a ratio. A callback of click for options.

    Args:
        parameter: The option, for the error message.
        value: A percentage such as 5%, or a ratio below 1 such as 0.05. None without the option.

    Raises:
        UsageError: The text is neither, or the change is above 1000 %.
    """
    if value is None:
        return None
    match = _SHARE.fullmatch(value.strip())
    if match and (match[2] or float(match[1]) < 1):
        share = float(match[1]) / (100 if match[2] else 1)
        if share > MAX_SHARE:
            most = f"{100 * MAX_SHARE:g}%"
            raise UsageError(f"{parameter.opts[0]}: expected at most {most}, not {value}")
        return share
    raise UsageError(
        f"{parameter.opts[0]}: expected a percentage such as 5%, or a ratio below 1 such as 0.05, "
        f"not {value!r}"
    )
