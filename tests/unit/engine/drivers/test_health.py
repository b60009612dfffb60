"""The readiness of a service, by the responses to its health checks."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadbench.engine.bounds.connect import Trust
from loadbench.engine.drivers import health
from loadbench.engine.drivers.health import HealthChecks, health_url
from loadbench.errors import StackError
from tests.support.certificates import make_certificate
from tests.support.hostile_server import OK, REDIRECT, HostileServer

STARTING = "it may still be starting; the log of the service may state the cause"
NO_WORKERS = "no response lists workers, of which stack.count_workers requires one per replica"


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as made:
        yield made


def missing(server: HostileServer, *checks: str, workers: int | None = None) -> str | None:
    made = HealthChecks(checks)
    found = made.missing(made.urls(server.host), workers)
    return found.replace(server.host, "HOST") if found else None


def answer(server: HostileServer, body: bytes, workers: int | None = 1) -> str | None:
    server.pages["/health"] = OK + b"\r\n" + body
    return missing(server, "/health", workers=workers)


def status(server: HostileServer, line: bytes, body: bytes = b"") -> str | None:
    server.pages["/health"] = b"HTTP/1.1 " + line + b"\r\nConnection: close\r\n\r\n" + body
    return missing(server, "/health")


def listed(*ready: object) -> bytes:
    return json.dumps({"workers": [{"ready": value} for value in ready]}).encode()


def test_counted_workers_must_be_ready_in_the_requested_number(server: HostileServer) -> None:
    assert answer(server, listed(True, True), 2) is None
    assert answer(server, listed(True, False), 2) == "HOST/health: 1 of 2 models ready"
    more = "stack.count_workers requires one ready worker per replica"
    found = answer(server, listed(True, True, True), 2)
    assert found == f"HOST/health: 3 of 2 models ready; {more}"


def test_a_list_of_workers_of_another_meaning_does_not_count(server: HostileServer) -> None:
    body = b'{"status": "healthy", "workers": [{"pid": 11, "state": "idle"}]}'

    assert answer(server, body, None) is None
    assert answer(server, listed(False), None) is None


@pytest.mark.parametrize("value", ["false", "true", 1, [1], {"a": 1}, None])
def test_only_true_counts_as_ready(server: HostileServer, value: object) -> None:
    assert answer(server, listed(value)) == "HOST/health: 0 of 1 models ready"


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
def test_a_body_without_workers_is_ready_unless_they_count(
    server: HostileServer, body: bytes
) -> None:
    assert answer(server, body, None) is None
    assert answer(server, body, 1) == NO_WORKERS


def test_a_long_list_of_workers_becomes_only_a_number(server: HostileServer) -> None:
    body = b'{"workers": [' + b",".join([b'{"ready": true}'] * 50_000) + b"]}"
    found = answer(server, body, 2)
    assert found is not None
    assert found.startswith("HOST/health: 50000 of 2 models ready; ")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/endless-body", "HOST/endless-body: response larger than 1 MB"),
        (
            "/dripping-body",
            (
                "HOST/dripping-body: no complete response within 0.5 s; stack.health can name "
                "another path, or tcp"
            ),
        ),
        (
            "/nonsense",
            (
                "HOST/nonsense: invalid HTTP response (BadStatusLine); if the service does not use "
                "HTTP, set stack.health: tcp"
            ),
        ),
    ],
)
def test_the_cause_of_a_missing_response_is_named(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch, path: str, expected: str
) -> None:
    monkeypatch.setattr(health, "REQUEST_TIMEOUT_S", 0.5)
    assert missing(server, path) == expected


@pytest.mark.parametrize(
    ("line", "body", "expected"),
    [
        (b"503 Busy", b"", f"HTTP status 503 Service Unavailable; {STARTING}"),
        (
            b"404 None",
            b"",
            (
                "HTTP status 404 Not Found; name another path in stack.health, or the host name in "
                "stack.headers: {Host: NAME}"
            ),
        ),
        (
            b"400 Bad",
            b"Invalid HTTP_HOST header",
            (
                "HTTP status 400 Bad Request; if the service expects another host name, set "
                "stack.headers: {Host: NAME}"
            ),
        ),
        (
            b"400 Bad",
            b"The plain HTTP request was sent to HTTPS port",
            "HTTP status 400 Bad Request; use https:// in host or stack.port",
        ),
        (b"599 Own", b"", f"HTTP status 599; {STARTING}"),
        (b"418 Teapot", b"", "HTTP status 418 I'm a Teapot"),
    ],
)
def test_an_error_status_is_named_with_what_to_do(
    server: HostileServer, line: bytes, body: bytes, expected: str
) -> None:
    assert status(server, line, body) == f"HOST/health: {expected}"


def test_503_then_200_becomes_ready(server: HostileServer) -> None:
    made = HealthChecks(("/health",))
    urls = made.urls(server.host)
    server.pages["/health"] = b"HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\n"
    assert made.missing(urls)
    server.pages["/health"] = server.pages["/ok"]
    assert made.missing(urls) is None


def test_headers_are_sent(server: HostileServer) -> None:
    made = HealthChecks(("/ok",), headers={"Host": "api.example.com"})

    assert made.missing(made.urls(server.host)) is None
    assert b"Host: api.example.com\r\n" in server.requests[0]


def test_all_of_several_checks_must_pass(server: HostileServer) -> None:
    with HostileServer() as other:
        assert missing(server, "/ok", "tcp", f"{other.host}/ok", "containers") is None
        other.pages["/ok"] = b"HTTP/1.1 500 Broken\r\nConnection: close\r\n\r\n"
        found = missing(server, "/ok", f"{other.host}/ok")
    assert found == f"{other.host}/ok: HTTP status 500 Internal Server Error; {STARTING}"


def test_a_port_without_http_is_ready_once_it_is_open(server: HostileServer) -> None:
    place = server.host.replace("http:", "tcp:")
    assert missing(server, "tcp") is None
    assert missing(server, place) is None
    found = missing(server, "tcp://127.0.0.1:1")
    assert missing(server, "tcp://x..y:80") == (
        "tcp://x..y:80: cannot resolve the host name x..y; write an address, or a name that this "
        "machine can resolve"
    )
    expected = (
        "connection refused: nothing listens on port 1 of 127.0.0.1; it may still be starting; "
        "otherwise correct the port"
    )
    assert found == f"tcp://127.0.0.1:1: {expected}"


@pytest.mark.parametrize(
    ("check", "host", "expected"),
    [
        ("/health", "http://a:8/v1", "http://a:8/v1/health"),
        ("https://b/x?y", "http://a:8", "https://b/x?y"),
        ("tcp", "http://u:p@[::1]:8/v1", "tcp://[::1]:8"),
        ("tcp", "https://a", "tcp://a:443"),
        ("tcp", "http://a", "tcp://a:80"),
    ],
)
def test_paths_are_appended_to_the_host(check: str, host: str, expected: str) -> None:
    assert health_url(check, host) == expected


def test_one_of_several_checks_must_list_the_counted_workers(server: HostileServer) -> None:
    server.pages["/workers"] = OK + b"\r\n" + listed(True)
    assert missing(server, "/workers", "/ok", "tcp", workers=1) is None
    assert missing(server, "/ok", "tcp", workers=1) == NO_WORKERS


def test_a_failing_check_names_its_container(server: HostileServer) -> None:
    made = HealthChecks(("/missing",))
    [url] = made.urls(server.host)
    found = made.missing([url], names={url: "app-2"})
    assert found is not None
    assert found.startswith(f"app-2 at {url}: ")


def test_a_redirect_to_another_host_is_not_ready(server: HostileServer) -> None:
    to = REDIRECT + b"Location: https://api.example.com/health?token=x\r\n\r\n"
    server.pages["/health"] = to
    assert missing(server, "/health") == (
        "HOST/health: redirects to https://api.example.com; requests would not reach the service "
        "under test"
    )
    port = server.host.rpartition(":")[2]
    server.pages["/health"] = REDIRECT + f"Location: http://localhost:{port}/ok\r\n\r\n".encode()
    assert missing(server, "/health") is None


def test_messages_contain_no_passwords(server: HostileServer) -> None:
    found = missing(server, "http://me:s3cret@127.0.0.1:1/health")
    assert found is not None
    assert found.startswith("http://***@127.0.0.1:1/health: ")


def test_a_self_signed_certificate_is_refused_or_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path, "IP:127.0.0.1,DNS:api.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with HostileServer(context) as server:
        for trust in (Trust(verify=False), Trust(ca_file=str(certificate))):
            trusting = HealthChecks(("/ok",), trust=trust)
            assert trusting.missing(trusting.urls(server.host)) is None
        made = HealthChecks(("/ok",))
        urls = made.urls(server.host)
        found = made.missing(urls)
        assert found is not None
        assert "its certificate is not trusted: self" in found
        assert "set stack.ca_file to the certificate of its CA, or stack.verify: false" in found
        wrong = HealthChecks(("/ok",), trust=Trust(ca_file=str(make_other(tmp_path))))
        found = wrong.missing(wrong.urls(server.host))
        assert found is not None
        assert "it is not signed by" in found
        assert "correct stack.ca_file" in found
        trusting = HealthChecks(("/ok",), trust=Trust(ca_file=str(certificate)))
        by_name = server.host.replace("127.0.0.1", "localhost")
        found = trusting.missing(trusting.urls(by_name))
        assert found is not None
        assert "certificate is not valid for 'localhost'; use a name of the certificate" in found
        # A start is not delayed until its timeout: the certificate will not change.
        monkeypatch.setattr(health, "MAX_UNTRUSTED_S", 0.0)
        with pytest.raises(StackError, match="not trusted"):
            made.missing(urls)
        # Another start waits again.
        assert made.missing(urls)


def make_other(folder: Path) -> Path:
    """Make a certificate that has signed no other."""
    (folder / "other").mkdir()
    return make_certificate(folder / "other")
