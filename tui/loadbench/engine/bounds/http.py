"""Send HTTP requests, each limited in total time and in the size of its response.

Timeouts of HTTP libraries apply to each read, so a response that arrives byte by byte has none.
Here every read of the socket, whether of headers or of the body, counts towards both limits.
"""

import gzip
import http.client
import io
import socket
import time
import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlencode, urljoin, urlsplit

from loadbench.engine.bounds.connect import (
    DEFAULT_TRUST,
    Cause,
    Limits,
    NoResponseError,
    TooLargeError,
    Trust,
    connect,
    explained,
)
from loadbench.engine.bounds.loopback import is_loopback, origin_of
from loadbench.engine.bounds.parsing import BadInputError

MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_READ_BYTES = 65_536
_DEFAULT_PORTS = {"http": 80, "https": 443}
_TLS_ALERT = "\x15\x03"
"""Start of a TLS alert, with which servers that expect TLS answer plain HTTP (RFC 8446, B.1)."""

_SAFE_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"
_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    # Open keep-alive connections would delay the shutdown of a service.
    "Connection": "close",
    "User-Agent": "loadbench-tui",
}


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A complete response."""

    status: int
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300


class _Source(io.RawIOBase):
    """The received bytes of a socket, as a file for `http.client`."""

    def __init__(self, sock: socket.socket, limits: Limits) -> None:
        self._sock = sock
        self._limits = limits

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._limits.remaining_s())
        received = self._sock.recv_into(buffer)
        self._limits.count(received)
        return received


class _LimitedSocket:
    """The part of a socket's interface that `http.client` uses, within the limits."""

    def __init__(self, sock: socket.socket, limits: Limits) -> None:
        self._sock = sock
        self._limits = limits

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._limits.remaining_s())
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Source(self._sock, self._limits), _READ_BYTES)

    def close(self) -> None:
        """Do nothing: `http.client` calls this before it reads the body."""


def request(
    url: str,
    *,
    timeout_s: float,
    max_bytes: int,
    headers: Mapping[str, str] | None = None,
    fields: Mapping[str, str] | None = None,
    trust: Trust = DEFAULT_TRUST,
    stays_on_host: bool = False,
) -> HttpResponse:
    """Send a request and return the response. Proxies of the environment are ignored.

    Args:
        url: Address with scheme `http` or `https`. User and password become an `Authorization`
            header.
        timeout_s: Time limit of the whole request, with name resolution and redirects.
        max_bytes: Size limit of everything received, and of the body after decompression.
        headers: Further headers. A redirect to another scheme, host or port does not get them.
        fields: Fields of a form to send with `POST`. If None, send `GET` and follow redirects.
        trust: Which certificates to trust.
        stays_on_host: Whether a redirect to another host name is an error.

    Raises:
        NoResponseError: There was no complete, valid response in time.
        BadInputError: The response exceeds the size limit.
    """
    limits = Limits(time.monotonic() + timeout_s, max_bytes)
    try:
        get = partial(_send_once, fields=fields, limits=limits, max_bytes=max_bytes, trust=trust)
        return _follow(url, headers or {}, get, stays_on_host=stays_on_host)
    except TooLargeError:
        raise BadInputError(f"response larger than {max_bytes / 1e6:g} MB") from None
    except TimeoutError:
        raise NoResponseError(
            f"no complete response within {timeout_s:g} s", Cause.TIMEOUT
        ) from None
    except http.client.RemoteDisconnected as error:
        raise NoResponseError(
            "the connection was closed without a response", Cause.CLOSED
        ) from error
    except http.client.HTTPException as error:
        raise _not_http(error) from error
    except OSError as error:
        parts = urlsplit(url)
        raise explained(error, str(parts.hostname), _port_of(parts)) from error
    except (ValueError, EOFError, zlib.error) as error:
        raise NoResponseError(str(error)) from error


def _not_http(error: http.client.HTTPException) -> NoResponseError:
    if isinstance(error, http.client.BadStatusLine) and _TLS_ALERT in str(error):
        return NoResponseError("the server expects TLS", Cause.NEEDS_TLS)
    return NoResponseError(f"invalid HTTP response ({type(error).__name__})", Cause.NOT_HTTP)


def _port_of(parts: SplitResult) -> int:
    return parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


def _follow(
    url: str,
    headers: Mapping[str, str],
    get: Callable[[str, Mapping[str, str]], HttpResponse | str],
    *,
    stays_on_host: bool,
) -> HttpResponse:
    """Send a request and follow its redirects. `get` returns a response, or the next URL."""
    first = urlsplit(url)
    for _ in range(MAX_REDIRECTS + 1):
        found = get(url, headers)
        if isinstance(found, HttpResponse):
            return found
        url, parts = found, urlsplit(found)
        is_elsewhere = parts.hostname != first.hostname and not (
            is_loopback(parts.hostname) and is_loopback(first.hostname)
        )
        if stays_on_host and is_elsewhere:
            raise NoResponseError(f"redirects to {origin_of(url)[:100]}", Cause.REDIRECTED)
        if origin_of(url) != origin_of(first.geturl()):
            headers = {}
    raise NoResponseError(f"more than {MAX_REDIRECTS} redirects")


def _send_once(
    url: str,
    headers: Mapping[str, str],
    *,
    fields: Mapping[str, str] | None,
    limits: Limits,
    max_bytes: int,
    trust: Trust,
) -> HttpResponse | str:
    """Return the response, or the URL to which it redirects."""
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise NoResponseError(f"not an HTTP address: {url[:100]}")
    tls = trust if parts.scheme == "https" else None
    with closing(connect(parts.hostname, _port_of(parts), limits, tls)) as sock:
        # Without a port, it would look for one at the end of an IPv6 address. It uses neither.
        connection = http.client.HTTPConnection(parts.hostname, 80)
        connection.sock = _LimitedSocket(sock, limits)
        _send(connection, parts, headers, fields)
        response = connection.getresponse()
        target = response.headers.get("Location") if fields is None else None
        if response.status not in _REDIRECTS or not target:
            return HttpResponse(response.status, _read_body(response, max_bytes))
    return _redirected(parts, url, target)


def _send(
    connection: http.client.HTTPConnection,
    parts: SplitResult,
    headers: Mapping[str, str],
    fields: Mapping[str, str] | None,
) -> None:
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
    is_default_port = parts.port in (None, _DEFAULT_PORTS[parts.scheme])
    merged = {"Host": host if is_default_port else f"{host}:{parts.port}", **_HEADERS}
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        merged["Authorization"] = f"Basic {b64encode(credentials.encode()).decode()}"
    named = {name.casefold() for name in headers}
    merged = {name: value for name, value in merged.items() if name.casefold() not in named}
    merged |= headers
    target = quote(parts.path or "/", safe=_SAFE_CHARACTERS)
    if parts.query:
        target += f"?{quote(parts.query, safe=_SAFE_CHARACTERS)}"
    if fields is None:
        connection.request("GET", target, headers=merged)
    else:
        merged["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("POST", target, body=urlencode(fields), headers=merged)


def _redirected(parts: SplitResult, url: str, target: str) -> str:
    """Return the target of a redirect. User and password are kept for the same origin."""
    found = urlsplit(urljoin(url, quote(target, safe=_SAFE_CHARACTERS)))
    if (found.scheme, found.hostname, found.port) == (parts.scheme, parts.hostname, parts.port):
        found = found._replace(netloc=parts.netloc)
    return found.geturl()


def _read_body(response: http.client.HTTPResponse, max_bytes: int) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise NoResponseError(f"unsupported Content-Encoding {encoding[:40]}")
    body = bytearray()
    while chunk := response.read(_READ_BYTES):
        body += chunk
    if response.length:
        raise NoResponseError("connection closed before the end of the response")
    if encoding == "identity":
        return bytes(body)
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
        text = file.read(max_bytes + 1)
    if len(text) > max_bytes:
        raise TooLargeError
    return text
