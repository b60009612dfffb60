"""Cleans the values that user code reports.

A user file and its client libraries may report arbitrary values as a request. All values pass
through `clean_event` or `clean_error` once and are not checked again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadbench.engine.bounds.texts import shortened
from loadbench.engine.journal.request_names import NoteKind
from loadbench.engine.measure.server_timing import parse_server_timing

MAX_ERROR_CHARACTERS = 300
MAX_NAME_CHARACTERS = 300
MAX_MESSAGE_CHARACTERS = 2_000
MAX_LATENCY_MS = 1e9
"""Longest plausible latency in ms."""
MAX_TIME_S = 1e11
"""Latest plausible start time in seconds since the epoch."""
MAX_RESPONSE_BYTES = 1e15
"""Maximum length of a response. Sums of such numbers are finite."""
MAX_EXAMPLE_CHARACTERS = 40
MAX_MEASUREMENT = 1e15
"""Largest amount of a measurement, as that of all numbers in the journal."""
MAX_UNIT_CHARACTERS = 20
_UNITS = (
    r"[mµun]?s|min|%|[kKMG]i?B|B|bytes|tok|tokens?|chars|characters|words|items|images|requests"
    r"|\w{1,15}/\w{1,15}"
)
_UNIT = re.compile(rf"[(\[]({_UNITS})[)\]]\s*$|(?<!per)(?<!per_)[_\s](ms)$|(?:^|\s)(\S{{1,18}}/s)$")
"""A unit at the end of a name: a known one in brackets, `_ms`, ` ms`, or `NAME/s`."""
_RATE = re.compile(r"([A-Za-z]{1,15})[_\s]per[_\s](?:s|sec|second)$")
"""A rate at the end of a name, such as `tokens_per_second`."""
_ADDRESS = re.compile(r"0x[0-9a-f]+")


@dataclass(slots=True)
class RequestEvent:
    """A completed request, with cleaned values."""

    key: tuple[str, str]
    """Method and name."""
    latency_ms: float | None
    """None if it has no latency."""
    start_time_s: float | None
    """Start time in seconds since the epoch. None if it was not reported."""
    error: str | None
    """Error message. None if the request succeeded."""
    stages: Mapping[str, float]
    """Milliseconds by field of `Stages`. Empty if the response reports no stages."""
    response_bytes: float = 0
    is_custom: bool = False
    """Whether it has neither a response nor a URL, so that user code has fired it itself."""
    bucket: float | None = None
    """Bucket of the latency, once it has been counted."""
    undelayed_ms: float | None = None
    """Latency of a success without the delay by the load generator. None if unknown."""
    notes: tuple[tuple[str, str], ...] = ()
    """Kind and example of each `EventNote` about its values."""


@dataclass(slots=True)
class MeasurementEvent:
    """A value that an event reports beside requests, with cleaned fields."""

    key: tuple[str, str]
    """Type and name."""
    value: float | None
    """None if the event has an exception or no usable value."""
    unit: str
    """Unit of the value. Empty if unknown."""
    start_time_s: float | None
    """Start time in seconds since the epoch. None if it was not reported."""


def clean_event(
    *,
    request_type: object = None,
    name: object = None,
    response_time: object = None,
    response_length: object = None,
    start_time: object = None,
    exception: object = None,
    response: Any = None,
    url: object = None,
    **_unused: Any,
) -> RequestEvent:
    """Clean the fields of Locust's `request` event, so that it counts as in Locust.

    Args:
        request_type: Method, such as `POST`.
        name: Name under which requests are grouped.
        response_time: Latency in milliseconds. None if there is none, as for messages that the
            service pushes. Unusable values, such as NaN, count as None and are noted.
        response_length: Bytes of the response. Unusable values count as 0.
        start_time: Seconds since the epoch. An unusable value is ignored and noted.
        exception: Cause of the failure. If it is falsy, such as None or an empty text, the request
            succeeded.
        response: The response, whose `Server-Timing` header may report stages.
        url: URL of the request. It is removed from the error message, as it may differ each time.
    """
    has_failed = exception is not None and _is_true(exception)
    event = RequestEvent(
        (clean_text(request_type), clean_text(name)),
        None if response_time is None else _number(response_time, MAX_LATENCY_MS),
        None if start_time is None else _number(start_time, MAX_TIME_S),
        clean_error(exception, url) if has_failed else None,
        {} if has_failed else _stages(response),
        _number(response_length, MAX_RESPONSE_BYTES) or 0,
        response is None and url is None,
    )
    if event.latency_ms is None and response_time is not None:
        event.notes = ((NoteKind.RESPONSE_TIME, _example(response_time)),)
    if event.start_time_s is None and start_time is not None:
        event.notes = (*event.notes, (NoteKind.START_TIME, _example(start_time)))
    return event


def clean_measurement(
    *,
    request_type: object = None,
    name: object = None,
    response_time: object = None,
    start_time: object = None,
    exception: object = None,
    context: object = None,
    **_unused: Any,
) -> MeasurementEvent:
    """Clean the fields of a `request` event that reports a measurement.

    Args:
        request_type: Type of the event, such as `METRIC`.
        name: Name of the measurement.
        response_time: The value, of any unit.
        start_time: Seconds since the epoch at which the request behind the value started.
        exception: If it is truthy, the event counts as a failure without a value.
        context: May contain the unit of the value, such as `{"unit": "ms"}`.
    """
    kind, own = clean_text(request_type), clean_text(name)
    has_failed = exception is not None and _is_true(exception)
    return MeasurementEvent(
        (kind, own),
        None if has_failed else _number(response_time, MAX_MEASUREMENT, -MAX_MEASUREMENT),
        _unit(context) or unit_of(kind, own),
        None if start_time is None else _number(start_time, MAX_TIME_S),
    )


def unit_of(kind: str, name: str) -> str:
    """Return the unit in the name of a measurement, such as `ms` of `first token (ms)`.

    Args:
        kind: Type of the events. `TTFT` stands for a time to first token in ms.
        name: Name of the measurement.

    Returns:
        The unit, or an empty text if it is unknown.
    """
    if match := _RATE.search(name):
        return f"{match[1]}/s"
    if match := _UNIT.search(name):
        return match[1] or match[2] or match[3]
    return "ms" if kind.upper() == "TTFT" else ""


def clean_message(value: Any) -> Any:
    """Return plain data with printable texts of limited length, for a message to the runner."""
    match value:
        case str():
            return shortened(_printable(value), MAX_MESSAGE_CHARACTERS)
        case dict():
            return {clean_message(str(key)): clean_message(inner) for key, inner in value.items()}
        case list() | tuple():
            return [clean_message(inner) for inner in value]
        case _:
            return value


def clean_error(exception: object, url: object = None) -> str:
    """Return an error message without the parts that differ between requests."""
    # Cut first: texts may be whole responses. An escaped character takes at most ten.
    text = _text(exception)[: 10 * MAX_ERROR_CHARACTERS]
    text = _printable(text).strip() or type(exception).__name__
    if isinstance(url, str) and url:
        text = text.replace(f"URL {url}: ", "").replace(f" for url: {url}", "")
    return shortened(_ADDRESS.sub("0x…", text), MAX_ERROR_CHARACTERS)


def clean_text(value: object) -> str:
    """Return a name or an address as a printable text of limited length."""
    # Called twice per request, so the common case has a fast path.
    if type(value) is str and len(value) <= MAX_NAME_CHARACTERS and value.isprintable():
        return value
    # Cut at the end: only the beginnings of secret values are found and masked later.
    return _printable(shortened(_text(value), MAX_NAME_CHARACTERS))


def _text(value: object) -> str:
    """Return a value as text, or the name of its type if it cannot be converted."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001  # user code can raise any exception
        return type(value).__name__


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def _number(value: object, maximum: float, minimum: float = 0) -> float | None:
    """Return a number between the minimum and the maximum, or None if it is anything else."""
    if type(value) is not float:
        if isinstance(value, str | bytes | bytearray):
            return None
        try:
            # Numbers of other libraries, such as NumPy's, are not all a `Real`.
            value = float(value)  # type: ignore[arg-type]  # any exception is handled
        except Exception:  # noqa: BLE001  # user code can raise any exception
            return None
    return value if minimum <= value <= maximum else None


def _is_true(value: object) -> bool:
    """Return whether a value is truthy. False if that cannot be determined, as in Locust."""
    try:
        return bool(value)
    except Exception:  # noqa: BLE001  # user code can raise any exception
        return False


def _example(value: object) -> str:
    """Return a value as a short text for a note."""
    return _printable(shortened(_text(value), MAX_EXAMPLE_CHARACTERS))


def _unit(context: object) -> str:
    """Return the unit that user code reports, or an empty text."""
    try:
        unit = context.get("unit")  # type: ignore[attr-defined]  # any exception is handled
    except Exception:  # noqa: BLE001  # user code can pass any object
        return ""
    return shortened(clean_text(unit), MAX_UNIT_CHARACTERS) if isinstance(unit, str) else ""


def _stages(response: object) -> Mapping[str, float]:
    try:
        return parse_server_timing(getattr(response, "headers", None))
    except Exception:  # noqa: BLE001  # a response of user code can be any object
        return {}
