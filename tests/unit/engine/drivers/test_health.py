"""The readiness of a service, by the response of its health URL."""

import json
from collections.abc import Iterator

import pytest

from loadbench.engine.drivers import health
from loadbench.engine.drivers.health import Health, check_health, not_ready_reason
from tests.support.hostile_server import OK, HostileServer


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as made:
        yield made


def reason(server: HostileServer, path: str, models: int | None = 1) -> str | None:
    found = not_ready_reason(check_health(server.host + path), models)
    return found.replace(server.host, "HOST") if found else None


def answer(server: HostileServer, body: bytes, models: int | None = 1) -> str | None:
    server.pages["/health"] = OK + b"\r\n" + body
    return reason(server, "/health", models)


def workers(*ready: object) -> bytes:
    return json.dumps({"workers": [{"ready": value} for value in ready]}).encode()


def test_workers_must_be_ready_in_the_requested_number(server: HostileServer) -> None:
    assert answer(server, workers(True, True), 2) is None
    assert answer(server, workers(True, False), 2) == "1 of 2 models ready"
    assert answer(server, workers(True, True, True), 2) == "3 of 2 models ready"
    assert answer(server, workers(False), None) is None


@pytest.mark.parametrize("value", ["false", "true", 1, [1], {"a": 1}, None])
def test_only_true_counts_as_ready(server: HostileServer, value: object) -> None:
    assert answer(server, workers(value)) == "0 of 1 models ready"


@pytest.mark.parametrize(
    "body",
    [
        b"ok",
        b"",
        b"\xff\xfe",
        b"[" * 900_000,
        b'{"workers": ' + b'{"a":' * 100_000,
        b'{"workers": [NaN]}',
        b"9" * 5000,
        b'{"workers": "many"}',
        b'{"workers": [1, 2]}',
    ],
)
def test_a_body_that_lists_no_workers_leaves_the_decision_to_the_status(
    server: HostileServer, body: bytes
) -> None:
    assert answer(server, body) is None


def test_a_long_list_of_workers_becomes_only_a_number(server: HostileServer) -> None:
    body = b'{"workers": [' + b",".join([b'{"ready": true}'] * 50_000) + b"]}"
    assert answer(server, body, 2) == "50000 of 2 models ready"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/endless-body", "no valid response from HOST/endless-body: response larger than 1 MB"),
        (
            "/dripping-body",
            "no valid response from HOST/dripping-body: no complete response within 0.5 s",
        ),
    ],
)
def test_the_cause_of_a_missing_response_is_named(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch, path: str, expected: str
) -> None:
    monkeypatch.setattr(health, "REQUEST_TIMEOUT_S", 0.5)
    assert reason(server, path) == expected


def test_a_refused_connection_and_an_error_status_are_named() -> None:
    refused = check_health("http://127.0.0.1:1/health")
    assert not_ready_reason(refused, None) == (
        "no valid response from http://127.0.0.1:1/health: Connection refused"
    )
    assert not_ready_reason(Health("URL", 503), None) == (
        "URL (from stack.health) returned HTTP status 503"
    )
