"""Cleans the values that user code reports.

A user file and its client libraries may report arbitrary values as a request. All values pass
through `clean_event`, `clean_exceptions` or `clean_error` once and are not checked again.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from numbers import Real
from typing import Any

from loadbench.engine.bounds.texts import shortened
from loadbench.engine.measure.server_timing import parse_server_timing

MAX_ERROR_CHARACTERS = 300
MAX_NAME_CHARACTERS = 300
MAX_EXCEPTIONS = 50
"""Maximum number of distinct exceptions that are reported."""
MAX_LATENCY_MS = 1e9
"""Longest plausible latency in ms."""
MAX_TIME_S = 1e11
"""Latest plausible start time in seconds since the epoch."""
_ADDRESS = re.compile(r"0x[0-9a-f]+")


@dataclass(slots=True)
class RequestEvent:
    """A completed request, with cleaned values."""

    key: tuple[str, str]
    """Method and name."""
    latency_ms: float
    start_time_s: float | None
    """Start time in seconds since the epoch. None if it was not reported."""
    error: str | None
    """Error message. None if the request succeeded."""
    stages: Mapping[str, float]
    """Milliseconds by field of `Stages`. Empty if the response reports no stages."""


def clean_event(
    *,
    request_type: object,
    name: object,
    response_time: object,
    start_time: object = None,
    exception: object = None,
    response: Any = None,
    url: str = "",
    **_unused: Any,
) -> RequestEvent:
    """Clean the fields of Locust's `request` event.

    Args:
        request_type: Method, such as `POST`.
        name: Name under which requests are grouped.
        response_time: Latency in milliseconds; None and implausible values count as 0.
        start_time: Seconds since the epoch. An implausible value is ignored.
        exception: Cause of the failure, or None if the request succeeded.
        response: The response, whose `Server-Timing` header may report stages.
        url: URL of the request. It is removed from the error message, as it may differ each time.
    """
    return RequestEvent(
        (_clean_name(request_type), _clean_name(name)),
        _number(response_time, MAX_LATENCY_MS) or 0.0,
        _number(start_time, MAX_TIME_S),
        None if exception is None else clean_error(exception, url),
        _stages(response) if exception is None else {},
    )


def clean_exceptions(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Clean the exceptions that user code raised outside requests.

    Args:
        entries: The values of Locust's `runner.exceptions`. Those after `MAX_EXCEPTIONS` are
            dropped.

    Returns:
        The fields of one `ErrorCount` each.
    """
    return [
        {
            "error": shortened(_printable(str(entry["msg"])), MAX_ERROR_CHARACTERS),
            "count": entry["count"],
        }
        for entry in islice(entries, MAX_EXCEPTIONS)
    ]


def clean_error(exception: object, url: str = "") -> str:
    """Return an error message without the parts that differ between requests."""
    text = _printable(_text(exception) or type(exception).__name__)
    if url:
        text = text.replace(f"URL {url}: ", "").replace(f" for url: {url}", "")
    return shortened(_ADDRESS.sub("0x…", text), MAX_ERROR_CHARACTERS)


def _clean_name(value: object) -> str:
    # Called twice per request, so the common case has a fast path.
    if type(value) is str and len(value) <= MAX_NAME_CHARACTERS and value.isprintable():
        return value
    return _printable(shortened(_text(value), MAX_NAME_CHARACTERS))


def _text(value: object) -> str:
    """Return a value as text, or the name of its type if it cannot be converted."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001  # user code can raise any exception
        return type(value).__name__


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def _number(value: object, maximum: float) -> float | None:
    """Return a number from 0 to the maximum, or None if the value is anything else."""
    if type(value) is not float:
        if not isinstance(value, Real):
            return None
        try:
            value = float(value)
        except OverflowError:
            return None
    return value if 0 <= value <= maximum else None


def _stages(response: object) -> Mapping[str, float]:
    try:
        return parse_server_timing(getattr(response, "headers", None))
    except Exception:  # noqa: BLE001  # a response of user code can be any object
        return {}
