"""The edge between user code and what is counted: the one place where its values are cleaned.

A user file, and the client libraries under it, may report anything as a request. Whatever comes in
passes `clean_event` or `clean_error` once; nothing behind them checks again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadbench.engine.measure.server_timing import parse_server_timing

MAX_ERROR_CHARACTERS = 300
_ADDRESS = re.compile(r"0x[0-9a-f]+")


@dataclass(slots=True)
class RequestEvent:
    """One request that has ended, as it is counted."""

    key: tuple[str, str]
    """Method and name."""
    latency_ms: float
    start_time_s: float | None
    """When it began, in seconds since the epoch. None: not reported."""
    error: str | None
    """What went wrong. None: it succeeded."""
    stages: Mapping[str, float]
    """Milliseconds by field of `Stages`; empty where the response reports none."""


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
    """Clean the fields that Locust's `request` event was fired with.

    Args:
        request_type: Method, such as `POST`.
        name: What requests are grouped by.
        response_time: Latency in milliseconds; None counts as 0.
        start_time: Seconds since the epoch.
        exception: Why the request failed; None: it succeeded.
        response: Its `headers` may report stages by `Server-Timing`.
        url: Left out of the error, since it may differ from one request to the next.
    """
    return RequestEvent(
        (request_type, name),
        response_time or 0.0,
        start_time,
        None if exception is None else clean_error(exception, url),
        parse_server_timing(getattr(response, "headers", None)) if exception is None else {},
    )


def clean_exception(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Clean an exception that user code raised outside of a request, as Locust counts them.

    Args:
        entry: One value of `runner.exceptions`.

    Returns:
        The fields of an `ErrorCount`.
    """
    return {"error": entry["msg"], "count": entry["count"]}


def clean_error(exception: object, url: str = "") -> str:
    """Return what a failure says, without what differs from one request to the next."""
    text = str(exception) or type(exception).__name__
    if url:
        text = text.replace(f"URL {url}: ", "").replace(f" for url: {url}", "")
    return _ADDRESS.sub("0x…", text)[:MAX_ERROR_CHARACTERS]
