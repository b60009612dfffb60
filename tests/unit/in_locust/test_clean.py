"""Cleaning of the values that user code reports."""

import pytest

from loadbench.in_locust.clean import MAX_ERROR_CHARACTERS, clean_error, clean_event


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
