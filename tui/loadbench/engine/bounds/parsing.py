"""Parse input from outside: limited in size, and any failure of the parser is bad input."""

from collections.abc import Callable
from typing import Any, TypeVar

import yaml
from pydantic_core import from_json

MAX_JSON_BYTES = 16_000_000
"""Default size limit of a JSON text. The largest that the program itself writes is the first event
of a run with 100,000 cells, about 10 MB."""

_FAILURES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    yaml.YAMLError,
)
"""Errors that parsers raise for input that they cannot handle. They depend on the input only."""

D = TypeVar("D", bytes, str)
T = TypeVar("T")


class BadInputError(ValueError):
    """Input from outside is too large or cannot be parsed. The message states the reason."""


def parse(data: D, parser: Callable[[D], T], *, max_bytes: int) -> T:
    """Parse data from outside.

    Args:
        data: The data.
        parser: Function that parses it and converts its values.
        max_bytes: Maximum size of the data in bytes, or in characters if it is text.

    Returns:
        The result of the parser.

    Raises:
        BadInputError: The data is too large, too deeply nested or otherwise invalid.
    """
    if len(data) > max_bytes:
        raise BadInputError(f"larger than {max_bytes / 1e6:g} MB")
    try:
        return parser(data)
    except RecursionError:
        raise BadInputError("nested too deeply") from None
    except MemoryError:
        raise BadInputError("needs too much memory") from None
    except _FAILURES as error:
        raise BadInputError(str(error) or type(error).__name__) from error


def parse_json(data: bytes | str, *, max_bytes: int = MAX_JSON_BYTES) -> Any:
    """Parse a JSON text from outside.

    Its nesting is limited to 200 levels by the parser.

    Raises:
        BadInputError: The text is too large, too deeply nested or not valid JSON.
    """
    # Unlike `json`, `from_json` shares equal strings, which saves memory: samples repeat them.
    return parse(data, from_json, max_bytes=max_bytes)  # type: ignore[type-var]  # either type
