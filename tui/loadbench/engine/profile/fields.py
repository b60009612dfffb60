"""The kinds of values that a profile holds, and what is said of one that is none."""

from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from loadbench.engine.profile.duration import format_duration, parse_duration

Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
]
"""Seconds; written as `90s`, `7m` or `1h20m`."""


class KeyMistakeError(ValueError):
    """Keys that do not fit each other.

    Args:
        key: The one that the message is about.
        message: What is wrong and what is allowed.
    """

    def __init__(self, key: tuple[str, ...], message: str) -> None:
        super().__init__(message)
        self.key = key


def _no_truth_value(value: Any) -> Any:
    # YAML reads yes and no as truth values, which Python counts as 1 and 0.
    if isinstance(value, bool):
        raise ValueError("a number is needed")  # noqa: TRY004  # pydantic's word for a mistake
    return value


def _as_list(value: Any) -> Any:
    return [_no_truth_value(value)] if isinstance(value, int | float) else value


def _axis(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise ValueError("a list such as [1, 2] is needed")
    # Cells and their reports are named by %g of the value, so that must tell them apart.
    if len({f"{value:g}" for value in values}) < len(values):
        raise ValueError("the same value is given twice")
    return values


def _path(path: str) -> str:
    if not path.strip() or "\0" in path:
        raise ValueError("a path is needed")
    return str(PurePosixPath(path))


def _as_paths(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _paths(paths: tuple[str, ...]) -> tuple[str, ...]:
    if not paths:
        raise ValueError("a file is needed, such as [stack/compose.yaml]")
    return paths


def _health(text: str) -> str:
    if not text.startswith("/"):
        _http_url(text, with_path=True)
    return text


def _variables(environment: dict[str, str]) -> dict[str, str]:
    for name, value in environment.items():
        if not name or "=" in name or "\0" in name + value:
            raise ValueError(f"{name!r} cannot be an environment variable")
    return environment


def _http_url(url: str | None, *, with_path: bool = False) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        more = parts.path.strip("/") or parts.query or parts.fragment
    except ValueError:
        named, more = False, ""
    if with_path and not named:
        raise ValueError("a path such as /health, or a URL such as http://127.0.0.1:8000/health")
    if not with_path and (not named or more):
        raise ValueError("a URL such as http://127.0.0.1:8000 is needed, without a path")
    return url.rstrip("/")


Whole = Annotated[int, BeforeValidator(_no_truth_value)]
Rate = Annotated[float, BeforeValidator(_no_truth_value)]
PositiveInt = Annotated[Whole, Field(ge=1, le=1_000_000)]
PositiveRate = Annotated[Rate, Field(ge=0.001, le=1000)]
PositiveInts = Annotated[tuple[PositiveInt, ...], BeforeValidator(_as_list), AfterValidator(_axis)]
PositiveRates = Annotated[
    tuple[PositiveRate, ...], BeforeValidator(_as_list), AfterValidator(_axis)
]

PathText = Annotated[str, AfterValidator(_path)]
PathTexts = Annotated[tuple[PathText, ...], BeforeValidator(_as_paths), AfterValidator(_paths)]
HealthText = Annotated[str, AfterValidator(_health)]
Variables = Annotated[dict[str, str], AfterValidator(_variables)]
HttpUrl = Annotated[str | None, AfterValidator(_http_url)]
