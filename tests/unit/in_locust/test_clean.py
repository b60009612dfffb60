"""Cleaning of the values that user code reports."""

import json
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from pydantic import TypeAdapter

from loadbench.engine.journal.events import Requests
from loadbench.engine.measure.buckets import num_requests
from loadbench.in_locust.clean import (
    MAX_ERROR_CHARACTERS,
    MAX_EXAMPLE_CHARACTERS,
    MAX_NAME_CHARACTERS,
    clean_error,
    clean_event,
)
from loadbench.in_locust.recorder import Recorder


class Response:
    headers = {"server-timing": "queue;dur=1, decode;dur=2, infer;dur=3, total;dur=8"}  # noqa: RUF012  # read only


def test_a_success_has_latency_and_stages() -> None:
    event = clean_event(
        request_type="POST",
        name="/predict",
        response_time=12.5,
        start_time=1000.0,
        response=Response(),
        context={},
        response_length=3,
    )

    assert (event.key, event.latency_ms) == (("POST", "/predict"), 12.5)
    assert (event.start_time_s, event.error) == (1000.0, None)
    assert event.stages["total_ms"] == 8.0


def test_a_failure_has_an_error_and_no_stages() -> None:
    event = clean_event(
        request_type="POST",
        name="/predict",
        response_time=1.0,
        exception=ValueError("503 for url: http://h/p"),
        response=Response(),
        url="http://h/p",
    )

    assert (event.error, event.stages) == ("503", {})


@dataclass
class Metres:
    """A number of another library."""

    value: float

    def __float__(self) -> float:
        return self.value


class UndecidableError(Exception):
    def __bool__(self) -> bool:
        raise RuntimeError("neither true nor false")


def notes_of(**fields: Any) -> tuple[tuple[str, str], ...]:
    return clean_event(request_type="GET", name="/", **fields).notes


def test_a_request_without_a_response_time_has_no_latency_and_no_note() -> None:
    event = clean_event(request_type="GET", name="/", response_time=None)

    assert (event.latency_ms, event.notes) == (None, ())


@pytest.mark.parametrize(
    ("response_time", "example"),
    [
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (-1.5, "-1.5"),
        ("5", "5"),
        (timedelta(seconds=1), "0:00:01"),
        (1e300, "1e+300"),
        (Decimal("sNaN"), "sNaN"),
        (["a" * 100], f"['{'a' * (MAX_EXAMPLE_CHARACTERS - 3)}…"),
    ],
)
def test_an_unusable_response_time_counts_as_none_and_is_noted(
    response_time: Any, example: str
) -> None:
    event = clean_event(request_type="GET", name="/", response_time=response_time)

    assert (event.latency_ms, event.notes) == (None, (("response_time", example),))


@pytest.mark.parametrize(
    ("response_time", "latency_ms"),
    [(7, 7.0), (True, 1.0), (Decimal("2.5"), 2.5), (Fraction(1, 4), 0.25), (Metres(3.5), 3.5)],
)
def test_a_response_time_of_another_numeric_type_is_kept(
    response_time: Any, latency_ms: float
) -> None:
    event = clean_event(request_type="GET", name="/", response_time=response_time)

    assert (event.latency_ms, event.notes) == (latency_ms, ())


@pytest.mark.parametrize("exception", [None, "", 0, False, [], UndecidableError()])
def test_a_falsy_exception_is_a_success(exception: Any) -> None:
    event = clean_event(request_type="GET", name="/", response_time=5, exception=exception)

    assert event.error is None


@pytest.mark.parametrize(
    ("exception", "error"), [("no", "no"), (5, "5"), (" ", "str"), (["x"], "['x']")]
)
def test_any_truthy_exception_is_a_failure(exception: Any, error: str) -> None:
    event = clean_event(request_type="GET", name="/", response_time=5, exception=exception)

    assert event.error == error


@pytest.mark.parametrize(
    ("length", "response_bytes"),
    [(3, 3), (None, 0), (float("nan"), 0), ("3", 0), (10**400, 0), (-1, 0)],
)
def test_an_unusable_response_length_counts_as_zero(length: Any, response_bytes: float) -> None:
    event = clean_event(
        request_type="GET", name="/", response_time=5, response_length=length, exception=None
    )

    assert event.response_bytes == response_bytes


@pytest.mark.parametrize("start_time", ["now", float("nan"), -1, 10**400])
def test_an_unusable_start_time_is_ignored_and_noted(start_time: Any) -> None:
    [(kind, example)] = notes_of(response_time=5, start_time=start_time)

    assert kind == "start_time"
    assert len(example) <= MAX_EXAMPLE_CHARACTERS


def test_missing_fields_count_as_none() -> None:
    event = clean_event()

    assert (event.key, event.latency_ms, event.error) == (("None", "None"), None, None)


@pytest.mark.parametrize(
    ("exception", "url", "error"),
    [
        (KeyError("x"), "", "'x'"),
        (TimeoutError(), "", "TimeoutError"),
        (ValueError("URL http://h/1: refused"), "http://h/1", "refused"),
        (ValueError("<Box at 0x7f00aa>"), "", "<Box at 0x…>"),
        (ValueError("a" * 1000), "", "a" * (MAX_ERROR_CHARACTERS - 1) + "…"),
    ],
)
def test_parts_that_differ_between_requests_are_removed_from_errors(
    exception: Exception, url: str, error: str
) -> None:
    assert clean_error(exception, url) == error


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class NoHeaders:
    @property
    def headers(self) -> Any:
        raise RuntimeError("no headers")


HOSTILE: dict[str, tuple[Any, ...]] = {
    "request_type": (None, 5, b"POST", ["POST"], {}, UnprintableError(), "a" * 10_000, "\x1b[31m"),
    "name": (None, 5, ["unhashable"], UnprintableError(), "\ud800", "\u202ename", "a" * 10_000),
    "response_time": ("5", float("nan"), float("inf"), -1.0, 10**400, [], True, 1 + 2j),
    "start_time": ("now", float("nan"), float("-inf"), 10**400, -5, object()),
    "exception": (UnprintableError(), "\x9d0;title\x9c", 5, "", "\ud800", UnprintableError),
    "response": (5, "text", NoHeaders(), UnprintableError, type("R", (), {"headers": [1]})()),
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field in HOSTILE for value in HOSTILE[field]]
)
def test_any_value_of_user_code_is_counted_as_a_request(field: str, value: Any) -> None:
    fields: dict[str, Any] = {"request_type": "POST", "name": "/", "response_time": 5.0}
    moments = [100.0]
    recorder = Recorder(clock=lambda: moments[-1], wall=lambda: moments[-1] + 1000)
    recorder.measure(10, users=1)
    moments.append(105.0)
    recorder.record(clean_event(**{**fields, field: value}))

    window = recorder.result()
    assert window is not None
    text = json.dumps(window, allow_nan=False, ensure_ascii=False)
    assert text.isprintable()
    text.encode()
    [counted] = window["requests"]
    assert len(counted["method"] + counted["name"]) <= 2 * MAX_NAME_CHARACTERS
    requests = TypeAdapter(Requests).validate_python(counted)
    assert num_requests([requests]) == 1


def test_long_texts_of_user_code_end_with_a_mark() -> None:
    long = "word " * 100
    event = clean_event(request_type="GET", name=long, response_time=1, exception=long)
    for text in (clean_error(long), event.error):
        assert text is not None
        assert len(text) <= 300
        assert text.endswith("word…")


def test_long_names_are_cut_at_the_end() -> None:
    event = clean_event(request_type="GET", name=f"/start/{'x' * 10_000}/end", response_time=1)

    name = event.key[1]
    assert name == f"/start/{'x' * (MAX_NAME_CHARACTERS - 8)}…"


def test_newlines_and_lone_surrogates_become_spaces_in_names() -> None:
    event = clean_event(request_type="two\nlines", name="\ud83d emoji", response_time=1)

    assert event.key == ("two lines", "  emoji")
