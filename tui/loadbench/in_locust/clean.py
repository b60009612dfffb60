"""Cleans the values that user code reports.

A user file and its client libraries may report arbitrary values as a request. All values pass
through `clean_event`, `clean_exception` or `clean_error` once and are not checked again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadbench.engine.masking import CUT
from loadbench.engine.measure.server_timing import parse_server_timing

MAX_ERROR_CHARACTERS = 300
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
    request_type: str,
    name: str,
    response_time: float | None,
    start_time: float | None = None,
    exception: object = None,
    response: Any = None,
    url: str = "",
    **_unused: Any,
) -> RequestEvent:
    """Clean the fields of Locust's `request` event.

    Args:
        request_type: Method, such as `POST`.
        name: Name under which requests are grouped.
        response_time: Latency in milliseconds; None counts as 0.
        start_time: Seconds since the epoch.
        exception: Cause of the failure, or None if the request succeeded.
        response: The response, whose `Server-Timing` header may report stages.
        url: URL of the request. It is removed from the error message, as it may differ each time.
    """
    return RequestEvent(
        (request_type, name),
        response_time or 0.0,
        start_time,
        None if exception is None else clean_error(exception, url),
        parse_server_timing(getattr(response, "headers", None)) if exception is None else {},
    )


def clean_exception(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Clean an exception that user code raised outside a request.

    Args:
        entry: One value of Locust's `runner.exceptions`.

    Returns:
        The fields of an `ErrorCount`.
    """
    return {"error": entry["msg"], "count": entry["count"]}


def clean_error(exception: object, url: str = "") -> str:
    """Return an error message without the parts that differ between requests."""
    text = str(exception) or type(exception).__name__
    if url:
        text = text.replace(f"URL {url}: ", "").replace(f" for url: {url}", "")
    text = _ADDRESS.sub("0x…", text)
    return text if len(text) <= MAX_ERROR_CHARACTERS else text[: MAX_ERROR_CHARACTERS - 1] + CUT
