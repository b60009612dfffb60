"""Connections to servers: name resolution, TCP and TLS, within the limits of one request.

Failures have a cause, so that a message can state what to do.
"""

import errno
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any

import certifi

from loadbench.engine.bounds.loopback import resolvable_name

ACCEPT_S = 0.3
"""Seconds for which an accepted connection must stay open. The proxy of a Docker engine accepts
connections before the container listens, and then closes them at once."""

_WRONG_VERSION = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")
"""OpenSSL's reasons for bytes that do not belong to TLS."""

_Address = tuple[Any, ...]
"""One result of `socket.getaddrinfo`."""


class Cause(Enum):
    """Why there is no response."""

    NAME = auto()
    """The host name cannot be resolved."""
    REFUSED = auto()
    """Nothing listens on the port."""
    CERTIFICATE = auto()
    """The server's certificate is not trusted."""
    WRONG_NAME = auto()
    """The server's certificate is for another host name."""
    EXPIRED = auto()
    """The server's certificate has expired."""
    NOT_TLS = auto()
    """The server does not speak TLS."""
    NOT_HTTP = auto()
    """The response is not HTTP."""
    NEEDS_TLS = auto()
    """The server speaks TLS, but the request does not."""
    CLOSED = auto()
    """The server closed the connection without a complete response."""
    TIMEOUT = auto()
    """There was no complete response in time."""
    REDIRECTED = auto()
    """A redirect leads to another host."""
    OTHER = auto()


class NoResponseError(Exception):
    """There was no complete, valid response in time. The message states the reason.

    Args:
        message: The reason.
        cause: Its kind.
    """

    def __init__(self, message: str, cause: Cause = Cause.OTHER) -> None:
        super().__init__(message)
        self.cause = cause


class TooLargeError(Exception):
    """The response exceeds the size limit. Not a ValueError, which `http.client` would catch."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Which certificates of servers are trusted."""

    verify: bool = True
    """Whether certificates are verified."""
    ca_file: str | None = None
    """PEM file with the certificate of a further CA, or with a self-signed certificate."""


_CERTIFICATE_CAUSES = {10: Cause.EXPIRED, 62: Cause.WRONG_NAME, 64: Cause.WRONG_NAME}
"""Causes by OpenSSL's `X509_V_ERR` codes: has expired, host name and IP address mismatch."""

DEFAULT_TRUST = Trust()


@dataclass(slots=True)
class Limits:
    """What is left of the limits of one request, with its redirects."""

    deadline: float
    left_bytes: int

    def remaining_s(self) -> float:
        """Return the seconds until the deadline.

        Raises:
            TimeoutError: There are none.
        """
        remaining_s = self.deadline - time.monotonic()
        if remaining_s <= 0:
            raise TimeoutError
        return remaining_s

    def count(self, received: int) -> None:
        """Count received bytes.

        Raises:
            TooLargeError: There are more than the limit.
        """
        self.left_bytes -= received
        if self.left_bytes < 0:
            raise TooLargeError


def connect(host: str, port: int, limits: Limits, trust: Trust | None = None) -> socket.socket:
    """Connect to the first address of a host that accepts the connection.

    Args:
        host: Host name or address.
        port: TCP port.
        limits: Limits of the request.
        trust: Which certificates to trust, or None for a connection without TLS.

    Raises:
        NoResponseError: No address accepts a connection.
        TimeoutError: None accepts one in time.
    """
    addresses = _resolve(host, port, limits)
    error: OSError = TimeoutError()
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = None
        try:
            sock = socket.socket(family, kind, protocol)
            # An address that does not respond must leave time for the others.
            sock.settimeout(limits.remaining_s() / (len(addresses) - tried))
            sock.connect(address)
            if trust is None:
                return sock
            sock.settimeout(limits.remaining_s())
            return tls_context(trust).wrap_socket(sock, server_hostname=host)
        except OSError as failure:
            if sock:
                sock.close()
            error = failure
    if isinstance(error, TimeoutError) and error.errno is None:
        raise error
    raise explained(error, host, port) from error


def require_open_port(host: str, port: int, *, timeout_s: float) -> None:
    """Check that a TCP port accepts connections and keeps them open.

    Args:
        host: Host name or address.
        port: TCP port.
        timeout_s: Time limit, with name resolution.

    Raises:
        NoResponseError: It does not.
    """
    limits = Limits(time.monotonic() + timeout_s, 0)
    try:
        with connect(host, port, limits) as sock:
            sock.settimeout(ACCEPT_S)
            if sock.recv(1):
                return
    except TimeoutError as error:
        if time.monotonic() < limits.deadline:
            # Nothing was sent and nothing was received: the connection is open.
            return
        raise NoResponseError(
            f"no connection to port {port} of {host} within {timeout_s:g} s", Cause.TIMEOUT
        ) from error
    except OSError as error:
        raise explained(error, host, port) from error
    raise NoResponseError(
        f"port {port} of {host} accepts connections but closes them at once", Cause.CLOSED
    )


def explained(error: OSError, host: str, port: int) -> NoResponseError:
    """Return the error for a failed connection, with its cause.

    Args:
        error: The failure.
        host: Host name or address.
        port: TCP port.
    """
    place = f"port {port} of {host[:100]}"
    match error:
        case ssl.SSLCertVerificationError():
            reason = str(error.verify_message or error.reason).rstrip(".")
            cause = _CERTIFICATE_CAUSES.get(error.verify_code, Cause.CERTIFICATE)
            return NoResponseError(f"its certificate is not trusted: {reason}", cause)
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return NoResponseError("the connection was closed", Cause.CLOSED)
        case ssl.SSLError() if error.reason in _WRONG_VERSION:
            return NoResponseError(f"{place} does not use TLS", Cause.NOT_TLS)
        case ssl.SSLError():
            return NoResponseError(f"no TLS connection: {error.reason or error}", Cause.OTHER)
        case ConnectionRefusedError():
            return NoResponseError(f"connection refused: nothing listens on {place}", Cause.REFUSED)
        case ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return NoResponseError("the connection was closed without a response", Cause.CLOSED)
        case TimeoutError():
            return NoResponseError(f"no connection to {place}: timed out", Cause.TIMEOUT)
        case OSError(errno=errno.ENETUNREACH | errno.EHOSTUNREACH):
            return NoResponseError(f"no route to {host[:100]}", Cause.OTHER)
    return NoResponseError(error.strerror or str(error) or type(error).__name__, Cause.OTHER)


def _resolve(host: str, port: int, limits: Limits) -> list[_Address]:
    """Return the addresses of a host. Resolvers have no timeout, so it runs in a thread."""
    found: SimpleQueue[list[_Address] | Exception] = SimpleQueue()
    name = resolvable_name(host)

    def resolve() -> None:
        try:
            found.put(socket.getaddrinfo(name, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as error:
            found.put(error)

    try:
        return socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (socket.gaierror, ValueError):
        threading.Thread(target=resolve, name="resolver", daemon=True).start()
    try:
        result = found.get(timeout=limits.remaining_s())
    except Empty:
        raise NoResponseError(
            f"the host name {host[:100]} was not resolved in time", Cause.NAME
        ) from None
    if isinstance(result, Exception):
        raise NoResponseError(f"cannot resolve the host name {host[:100]}", Cause.NAME) from result
    return result


@cache
def tls_context(trust: Trust) -> ssl.SSLContext:
    """Return the TLS settings for a connection.

    Raises:
        OSError: The file of the CA cannot be read, or contains no certificates.
    """
    context = ssl.create_default_context(cafile=certifi.where())
    if trust.ca_file:
        context.load_verify_locations(trust.ca_file)
    if not trust.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
