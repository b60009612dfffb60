"""HTTP requests: every response is limited in time and size."""

import base64
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.bounds.connect import Cause, NoResponseError, Trust, require_open_port
from loadbench.engine.bounds.http import MAX_REDIRECTS, HttpResponse, request
from loadbench.engine.bounds.parsing import BadInputError
from tests.support.certificates import make_certificate
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


def test_headers_are_sent_only_to_their_own_origin(server: HostileServer) -> None:
    with HostileServer() as other:
        server.pages["/here"] = REDIRECT + f"Location: {server.host}/away\r\n\r\n".encode()
        server.pages["/away"] = REDIRECT + f"Location: {other.host}/ok\r\n\r\n".encode()
        assert get(f"{server.host}/here", headers={"host": "api.test", "X-Key": "k"}).status == 200
        for received in server.requests:
            assert b"host: api.test\r\n" in received
            assert received.lower().count(b"host:") == 1
        assert b"X-Key" not in other.requests[0]
        assert b"api.test" not in other.requests[0]


def test_a_name_below_localhost_is_loopback(server: HostileServer) -> None:
    url = server.host.replace("127.0.0.1", "api.localhost")
    assert get(f"{url}/ok").status == 200
    assert f"Host: {url.partition('//')[2]}\r\n".encode() in server.requests[-1]


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
        ("http://127.0.0.1:1/", "connection refused: nothing listens on port 1 of 127.0.0.1"),
        ("http://api.localhost:1/", "nothing listens on port 1 of api.localhost"),
        ("http://[::1]:1/", "connection refused|Cannot assign|not supported|no route"),
        ("http://x..y/", "cannot resolve the host name x..y"),
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
    with pytest.raises(NoResponseError, match="host name service was not resolved in time"):
        get("http://service/")
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
    return make_certificate(tmp_path)


def test_the_limits_hold_with_tls(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with HostileServer(context) as server:
        with pytest.raises(NoResponseError, match=r"not trusted: self.signed certificate"):
            get(f"{server.host}/ok", timeout_s=5)
        trusted = Trust(ca_file=str(certificate))
        for trust in (Trust(verify=False), trusted):
            assert get(f"{server.host}/ok", timeout_s=5, trust=trust).body == b"ok"
        with pytest.raises(BadInputError, match=TOO_LARGE):
            get(f"{server.host}/endless-body", timeout_s=5, trust=trusted)
        started = time.monotonic()
        with pytest.raises(NoResponseError, match=TOO_SLOW):
            get(f"{server.host}/dripping-body", trust=trusted)
        assert time.monotonic() - started < TIMEOUT_S + 0.5


def test_a_server_that_does_not_start_tls_is_limited(server: HostileServer) -> None:
    with pytest.raises(NoResponseError, match=TOO_SLOW):
        get(server.host.replace("http:", "https:"))


def cause_of(url: str, **options: Any) -> Cause:
    with pytest.raises(NoResponseError) as caught:
        get(url, **options)
    return caught.value.cause


def test_every_cause_is_told_apart(server: HostileServer, certificate: Path) -> None:
    server.pages["/redis"] = b"-ERR wrong number of arguments for 'get' command\r\n"
    server.pages["/nothing"] = b""
    server.pages["/alert"] = bytes([0x15, 3, 1, 0, 2, 2, 0x46])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    plain = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    with HostileServer(context) as secure, socket.create_server(("127.0.0.1", 0)) as closed:
        refused = closed.getsockname()[1]
        closed.close()
        plain_to_tls = secure.host.replace("https:", "http:")
        tls_to_plain = f"https://127.0.0.1:{plain.server_port}/"
        found = {
            "name": cause_of("http://no-such-name.invalid/", timeout_s=5),
            "refused": cause_of(f"http://127.0.0.1:{refused}/"),
            "certificate": cause_of(f"{secure.host}/ok", timeout_s=5),
            "no TLS": cause_of(tls_to_plain, timeout_s=5),
            "no HTTP": cause_of(f"{server.host}/redis"),
            "closed": cause_of(f"{server.host}/nothing"),
            "slow": cause_of(f"{server.host}/silent"),
            "TLS needed": cause_of(f"{server.host}/alert"),
            "TLS needed, not said": cause_of(f"{plain_to_tls}/ok", timeout_s=5),
        }
    plain.shutdown()
    plain.server_close()
    expected = [
        *(Cause.NAME, Cause.REFUSED, Cause.CERTIFICATE, Cause.NOT_TLS),
        *(Cause.NOT_HTTP, Cause.CLOSED, Cause.TIMEOUT, Cause.NEEDS_TLS, Cause.CLOSED),
    ]
    assert list(found.values()) == expected


def test_a_port_is_open_only_if_it_keeps_connections(server: HostileServer) -> None:
    port = int(server.host.rpartition(":")[2])
    require_open_port("127.0.0.1", port, timeout_s=TIMEOUT_S)
    with socket.create_server(("127.0.0.1", 0)) as closing:
        number = closing.getsockname()[1]

        def close_at_once() -> None:
            closing.accept()[0].close()

        threading.Thread(target=close_at_once, daemon=True).start()
        with pytest.raises(NoResponseError, match="closes them at once") as caught:
            require_open_port("127.0.0.1", number, timeout_s=TIMEOUT_S)
        assert caught.value.cause is Cause.CLOSED
    with pytest.raises(NoResponseError, match="connection refused"):
        require_open_port("127.0.0.1", number, timeout_s=TIMEOUT_S)
