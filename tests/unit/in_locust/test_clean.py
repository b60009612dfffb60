"""Cleaning of the values that user code reports."""

import json
from typing import Any

import pytest

from loadbench.in_locust.clean import (
    MAX_ERROR_CHARACTERS,
    MAX_EXCEPTIONS,
    MAX_NAME_CHARACTERS,
    clean_error,
    clean_event,
    clean_exceptions,
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


def test_a_missing_response_time_counts_as_zero() -> None:
    assert clean_event(request_type="GET", name="/", response_time=None).latency_ms == 0.0


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
    assert sum(n for _, n in [*counted["successes"], *counted["failures"]]) == 1


def test_a_response_time_of_another_numeric_type_is_kept() -> None:
    assert clean_event(request_type="GET", name="/", response_time=7).latency_ms == 7.0


def test_exceptions_are_printable_and_limited() -> None:
    entries = [{"msg": f"\x1b[2J{number}", "count": 1} for number in range(MAX_EXCEPTIONS + 5)]
    cleaned = clean_exceptions(entries)
    assert cleaned[0] == {"error": " [2J0", "count": 1}
    assert len(cleaned) == MAX_EXCEPTIONS


def test_long_texts_of_user_code_end_with_a_mark() -> None:
    long = "word " * 100
    [cleaned] = clean_exceptions([{"msg": long, "count": 1}])
    event = clean_event(request_type="GET", name=long, response_time=1, exception=long)
    for text in (cleaned["error"], event.error, event.key[1]):
        assert text is not None
        assert len(text) <= 300
        assert text.endswith("word…")
