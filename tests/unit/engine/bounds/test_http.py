"""HTTP requests: every response is limited in time and size."""

import base64
import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.bounds import http
from loadbench.engine.bounds.http import MAX_REDIRECTS, HttpResponse, NoResponseError, request
from loadbench.engine.bounds.parsing import BadInputError
from tests.support.hostile_server import OK, REDIRECT, HostileServer

TIMEOUT_S = 0.5
TOO_SLOW = "no complete response within 0.5 s"
TOO_LARGE = "response larger than 1 MB"
PROBLEMS = {
    "/endless-body": TOO_LARGE,
    "/endless-header": TOO_LARGE,
    "/endless-header-line": "invalid HTTP response (LineTooLong)",
    "/endless-chunk-size": "invalid HTTP response (LineTooLong)",
    "/dripping-body": TOO_SLOW,
    "/dripping-header": TOO_SLOW,
    "/dripping-chunks": TOO_SLOW,
    "/silent": TOO_SLOW,
    "/gzip-bomb": TOO_LARGE,
    "/huge-length": "connection closed before the end of the response",
    "/redirect-loop": f"more than {MAX_REDIRECTS} redirects",
    "/nonsense": "invalid HTTP response (BadStatusLine)",
}


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as made:
        yield made


def get(url: str, *, timeout_s: float = TIMEOUT_S, **options: Any) -> HttpResponse:
    return request(url, timeout_s=timeout_s, max_bytes=1_000_000, **options)


@pytest.mark.parametrize(("path", "problem"), PROBLEMS.items())
def test_a_bad_response_ends_in_time_and_its_cause_is_named(
    server: HostileServer, path: str, problem: str
) -> None:
    started = time.monotonic()
    with pytest.raises((NoResponseError, BadInputError)) as caught:
        get(server.host + path)
    assert str(caught.value) == problem
    assert time.monotonic() - started < TIMEOUT_S + 0.5


@pytest.mark.parametrize("path", ["/endless-chunks", "/endless-continue"])
def test_small_parts_without_end_reach_one_of_the_limits(server: HostileServer, path: str) -> None:
    with pytest.raises((NoResponseError, BadInputError), match=f"{TOO_SLOW}|{TOO_LARGE}"):
        get(server.host + path)


def test_get_follows_redirects_without_reading_their_bodies(server: HostileServer) -> None:
    assert get(f"{server.host}/redirect-endless") == HttpResponse(200, b"ok")


def test_post_sends_a_form_and_follows_no_redirect(server: HostileServer) -> None:
    response = get(f"{server.host}/redirect-loop", fields={"a b": "1&2"}, timeout_s=5)

    assert response.status == 302
    [received] = server.requests
    assert received.startswith(b"POST /redirect-loop HTTP/1.1\r\n")
    assert received.endswith(b"\r\n\r\na+b=1%262")


def test_an_unknown_path_or_a_query_is_encoded(server: HostileServer) -> None:
    with pytest.raises(NoResponseError):
        get(f"{server.host}/grün und blau?x=ü&y=%20#part")
    assert server.requests[0].startswith(b"GET /gr%C3%BCn%20und%20blau?x=%C3%BC&y=%20 HTTP/1.1")


def test_user_and_password_are_sent_only_to_their_own_origin(server: HostileServer) -> None:
    expected = b"Authorization: Basic " + base64.b64encode(b"me:s:cret") + b"\r\n"
    with HostileServer() as other:
        server.pages["/here"] = REDIRECT + f"Location: {server.host}/away\r\n\r\n".encode()
        server.pages["/away"] = REDIRECT + f"Location: {other.host}/ok\r\n\r\n".encode()
        assert get(server.host.replace("//", "//me:s%3Acret@") + "/here").status == 200
        assert [expected in received for received in server.requests] == [True, True]
        assert [b"Authorization" in received for received in other.requests] == [False]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://x/"])
def test_redirects_to_other_schemes_are_not_followed(server: HostileServer, target: str) -> None:
    server.pages["/go"] = REDIRECT + f"Location: {target}\r\n\r\n".encode()
    with pytest.raises(NoResponseError, match="not an HTTP address"):
        get(f"{server.host}/go")


def test_compressed_responses_are_decompressed(server: HostileServer) -> None:
    server.pages["/zipped"] = OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"text")
    server.pages["/cut"] = server.pages["/zipped"][:-12]
    server.pages["/other"] = OK + b"Content-Encoding: br\r\n\r\nxxx"

    assert get(f"{server.host}/zipped").body == b"text"
    with pytest.raises(NoResponseError, match="end-of-stream"):
        get(f"{server.host}/cut")
    with pytest.raises(NoResponseError, match="unsupported Content-Encoding br"):
        get(f"{server.host}/other")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://127.0.0.1:1/", "Connection refused"),
        ("http://[::1]:1/", "Connection refused|Cannot assign|not supported"),
        ("http://x..y/", "idna"),
        ("http://127.0.0.1:99999/", "Port out of range"),
        ("ftp://x/", "not an HTTP address"),
    ],
)
def test_an_address_that_cannot_be_used_is_no_response(url: str, problem: str) -> None:
    with pytest.raises(NoResponseError, match=problem):
        get(url)


def test_a_resolver_that_does_not_respond_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    released, resolve = threading.Event(), socket.getaddrinfo

    def hang(host: str, port: int, *, type: int, flags: int = 0) -> Any:  # noqa: A002  # as there
        if not flags:
            released.wait(30)
        return resolve(host, port, type=type, flags=flags)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    started = time.monotonic()
    with pytest.raises(NoResponseError, match=TOO_SLOW):
        get("http://localhost/")
    assert time.monotonic() - started < TIMEOUT_S + 0.5
    released.set()


def test_addresses_that_do_not_respond_share_the_time_and_leave_some_for_the_last(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as opened:
        full = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            # Further connections to a full backlog get no response.
            client = opened.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        silent = (socket.AF_INET, socket.SOCK_STREAM, 0, "", full.getsockname())
        port = int(server.host.rpartition(":")[2])
        good = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [*[silent] * 20, good])
        assert get("http://service/ok", timeout_s=2).status == 200

        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [silent] * 20)
        started = time.monotonic()
        with pytest.raises(NoResponseError, match=TOO_SLOW):
            get("http://service/ok")
        assert time.monotonic() - started < TIMEOUT_S + 0.5


def test_an_address_family_that_the_kernel_lacks_is_skipped(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(server.host.rpartition(":")[2])
    unsupported = (socket.AF_APPLETALK, socket.SOCK_STREAM, 99, "", ("::1", port))
    good = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [unsupported, good])
    assert get("http://service/ok").status == 200


def test_an_ipv6_address_that_ends_in_letters_has_no_port(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(server.host.rpartition(":")[2])
    good = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [good])
    assert get(f"http://[2001:db8::a]:{port}/ok").status == 200
    assert f"Host: [2001:db8::a]:{port}".encode() in server.requests[-1]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a certificate for the loopback address, with its key in the same file."""
    if shutil.which("openssl") is None:
        pytest.skip("requires openssl")
    file = tmp_path / "certificate.pem"
    options = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost")
    alternative = ("-addext", "subjectAltName=IP:127.0.0.1")
    files = ("-keyout", str(file), "-out", str(tmp_path / "public.pem"))
    command = ["openssl", "req", *options, *alternative, *files]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    with file.open("a") as target:
        target.write((tmp_path / "public.pem").read_text())
    return file


def test_the_limits_hold_with_tls(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with HostileServer(context) as server:
        with pytest.raises(NoResponseError, match="certificate verify failed"):
            get(f"{server.host}/ok", timeout_s=5)

        trusting = ssl.create_default_context(cafile=str(certificate))
        monkeypatch.setattr(http, "_tls_context", lambda: trusting)
        assert get(f"{server.host}/ok", timeout_s=5).body == b"ok"
        with pytest.raises(BadInputError, match=TOO_LARGE):
            get(f"{server.host}/endless-body", timeout_s=5)
        started = time.monotonic()
        with pytest.raises(NoResponseError, match=TOO_SLOW):
            get(f"{server.host}/dripping-body")
        assert time.monotonic() - started < TIMEOUT_S + 0.5


def test_a_server_that_does_not_start_tls_is_limited(server: HostileServer) -> None:
    with pytest.raises(NoResponseError, match=TOO_SLOW):
        get(server.host.replace("http:", "https:"))
