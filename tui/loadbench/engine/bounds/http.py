"""Send HTTP requests, each limited in total time and in the size of its response.

Timeouts of HTTP libraries apply to each read, so a response that arrives byte by byte has none.
Here every read of the socket, whether of headers or of the body, counts towards both limits.
"""

import gzip
import http.client
import io
import socket
import ssl
import threading
import time
import zlib
from base64 import b64encode
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlencode, urljoin, urlsplit

import certifi

from loadbench.engine.bounds.parsing import BadInputError

MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_READ_BYTES = 65_536
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SAFE_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"
_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    # Open keep-alive connections would delay the shutdown of a service.
    "Connection": "close",
    "User-Agent": "loadbench-tui",
}

_Address = tuple[Any, ...]
"""One result of `socket.getaddrinfo`."""


class NoResponseError(Exception):
    """There was no complete, valid response in time. The message states the reason."""


class _TooLargeError(Exception):
    """The response exceeds the size limit. Not a ValueError, which `http.client` would catch."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A complete response."""

    status: int
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300


@dataclass(slots=True)
class _Limits:
    """What is left of the limits of one request, with its redirects."""

    deadline: float
    left_bytes: int

    def remaining_s(self) -> float:
        remaining_s = self.deadline - time.monotonic()
        if remaining_s <= 0:
            raise TimeoutError
        return remaining_s

    def count(self, received: int) -> None:
        self.left_bytes -= received
        if self.left_bytes < 0:
            raise _TooLargeError


class _Source(io.RawIOBase):
    """The received bytes of a socket, as a file for `http.client`."""

    def __init__(self, sock: socket.socket, limits: _Limits) -> None:
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

    def __init__(self, sock: socket.socket, limits: _Limits) -> None:
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
) -> HttpResponse:
    """Send a request and return the response. Proxies of the environment are ignored.

    Args:
        url: Address with scheme `http` or `https`. User and password become an `Authorization`
            header.
        timeout_s: Time limit of the whole request, with name resolution and redirects.
        max_bytes: Size limit of everything received, and of the body after decompression.
        headers: Further headers.
        fields: Fields of a form to send with `POST`. If None, send `GET` and follow redirects.

    Raises:
        NoResponseError: There was no complete, valid response in time.
        BadInputError: The response exceeds the size limit.
    """
    limits = _Limits(time.monotonic() + timeout_s, max_bytes)
    try:
        return _send_and_follow(url, {**_HEADERS, **(headers or {})}, fields, limits, max_bytes)
    except _TooLargeError:
        raise BadInputError(f"response larger than {max_bytes / 1e6:g} MB") from None
    except TimeoutError:
        raise NoResponseError(f"no complete response within {timeout_s:g} s") from None
    except http.client.HTTPException as error:
        raise NoResponseError(f"invalid HTTP response ({type(error).__name__})") from error
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise NoResponseError(getattr(error, "strerror", None) or str(error)) from error


def _send_and_follow(
    url: str,
    headers: Mapping[str, str],
    fields: Mapping[str, str] | None,
    limits: _Limits,
    max_bytes: int,
) -> HttpResponse:
    for _ in range(MAX_REDIRECTS + 1):
        parts = urlsplit(url)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise NoResponseError(f"not an HTTP address: {url[:100]}")
        with closing(_connect(parts, limits)) as sock:
            # Without a port, it would look for one at the end of an IPv6 address. It uses neither.
            connection = http.client.HTTPConnection(parts.hostname, 80)
            connection.sock = _LimitedSocket(sock, limits)
            _send(connection, parts, headers, fields)
            response = connection.getresponse()
            target = response.headers.get("Location") if fields is None else None
            if response.status not in _REDIRECTS or not target:
                return HttpResponse(response.status, _read_body(response, max_bytes))
        url = _redirected(parts, url, target)
    raise NoResponseError(f"more than {MAX_REDIRECTS} redirects")


def _send(
    connection: http.client.HTTPConnection,
    parts: SplitResult,
    headers: Mapping[str, str],
    fields: Mapping[str, str] | None,
) -> None:
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
    is_default_port = parts.port in (None, _DEFAULT_PORTS[parts.scheme])
    merged = {"Host": host if is_default_port else f"{host}:{parts.port}", **headers}
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        merged["Authorization"] = f"Basic {b64encode(credentials.encode()).decode()}"
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
    is_same_origin = (found.scheme, found.hostname, found.port) == (
        parts.scheme,
        parts.hostname,
        parts.port,
    )
    return found._replace(netloc=parts.netloc).geturl() if is_same_origin else found.geturl()


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
        raise _TooLargeError
    return text


def _connect(parts: SplitResult, limits: _Limits) -> socket.socket:
    """Connect to the first address of a host that accepts the connection."""
    host = str(parts.hostname)
    addresses = _resolve(host, parts.port or _DEFAULT_PORTS[parts.scheme], limits)
    error: OSError = TimeoutError()
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = None
        try:
            sock = socket.socket(family, kind, protocol)
            # An address that does not respond must leave time for the others.
            sock.settimeout(limits.remaining_s() / (len(addresses) - tried))
            sock.connect(address)
            if parts.scheme == "http":
                return sock
            sock.settimeout(limits.remaining_s())
            return _tls_context().wrap_socket(sock, server_hostname=host)
        except OSError as failure:
            if sock:
                sock.close()
            error = failure
    raise error


def _resolve(host: str, port: int, limits: _Limits) -> list[_Address]:
    """Return the addresses of a host. Resolvers have no timeout, so it runs in a thread."""
    found: SimpleQueue[list[_Address] | Exception] = SimpleQueue()

    def resolve() -> None:
        try:
            found.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as error:
            found.put(error)

    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        threading.Thread(target=resolve, name="resolver", daemon=True).start()
    try:
        result = found.get(timeout=limits.remaining_s())
    except Empty:
        raise TimeoutError from None
    if isinstance(result, Exception):
        raise NoResponseError(f"cannot resolve the host name {host[:100]}") from result
    return result


@cache
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())
