"""Measures how long a request waits for the load generator itself, rather than for the service.

Locust's latency begins before the request is written and ends when Python code has read the
response. In between, the request waits for the load generator: before it is sent, and from the
arrival of the response until this process has handled it. The kernel stamps each packet when it
arrives (`SO_TIMESTAMPNS`, see socket(7) and Documentation/networking/timestamping.rst of Linux), so
that the second wait is known even if the process was not running. All times are from the wall
clock, which the kernel uses.
"""

import select
import struct
import time
from socket import SOL_SOCKET
from typing import Any

from gevent import getcurrent
from gevent.monkey import get_original
from gevent.socket import socket

_SO_TIMESTAMPNS = 35
"""From asm-generic/socket.h. Python has no name for it (3.14). On the few architectures that
have another number, messages have no time stamps."""
_TIMESPEC = struct.Struct("@ll")
_ANCILLARY_BYTES = 64
"""Enough for the control message with a time stamp."""
_NAME = "loadbench_exchange"
_UNDELAYED = "loadbench_undelayed_ms"

_poll = get_original("select", "poll")


class Exchange:
    """The times of the current request of a greenlet. A request may need several exchanges.

    The turns of the load generator are from the start to the first packet that is sent, from each
    arrival to the next packet that is sent, and from the last arrival to the end.
    """

    __slots__ = ("_first_s", "_own_s", "_since_s", "is_open", "is_stamped")

    def __init__(self) -> None:
        self.is_open = False
        self.begin()

    def begin(self) -> None:
        """Begin a new request."""
        self.is_open = True
        self.is_stamped: bool | None = None
        """Whether all data had time stamps. None if there was no data."""
        self._first_s = self._own_s = self._since_s = 0.0

    def leave(self) -> None:
        """End the turn of the load generator: it waits for the network from now on."""
        if self._first_s:
            self._own_s += max(0.0, time.time() - self._since_s)
        else:
            self._first_s = time.time()

    def send(self) -> None:
        """Record that everything has been sent."""
        self._since_s = time.time()

    def arrive(self, ancillary: list[tuple[int, int, bytes]]) -> None:
        """Record the arrival of data, which begins the next turn of the load generator."""
        if ancillary and len(ancillary[0][2]) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
            self._since_s = seconds + nanoseconds / 1e9
            if self.is_stamped is None:
                self.is_stamped = True
        else:
            self.is_stamped = False

    def end(self, latency_ms: float) -> float | None:
        """End the request, which must have ended just now.

        Args:
            latency_ms: Its latency.

        Returns:
            The latency without the delay by the load generator, in ms. None if it is unknown, as
            with TLS and with clients that use sockets of their own.
        """
        self.is_open = False
        if not self.is_stamped:
            return None
        now = time.time()
        started_s = now - latency_ms / 1000
        own_ms = 1000 * (self._first_s - started_s + self._own_s + now - self._since_s)
        # A response can arrive before the call that sends the request returns, so that both turns
        # overlap. A wall clock that was set meanwhile makes the times meaningless.
        if not 0 <= own_ms <= 2 * latency_ms:
            return None
        return max(0.0, latency_ms - own_ms)


def begin_exchange() -> Exchange:
    """Begin a request of the current greenlet."""
    greenlet = getcurrent()
    exchange: Exchange | None = getattr(greenlet, _NAME, None)
    if exchange is None:
        exchange = Exchange()
        setattr(greenlet, _NAME, exchange)
    else:
        exchange.begin()
    return exchange


def current_exchange() -> Exchange | None:
    """Return the open request of the current greenlet, if any."""
    exchange: Exchange | None = getattr(getcurrent(), _NAME, None)
    return exchange if exchange is not None and exchange.is_open else None


def keep_undelayed(response: Any, exchange: Exchange) -> None:
    """End a request whose event is fired later, and keep the result of `end` with its response."""
    meta = getattr(response, "request_meta", None)
    if isinstance(meta, dict) and isinstance(latency_ms := meta.get("response_time"), float):
        # Listeners get this response, not the context manager.
        setattr(meta.get("response"), _UNDELAYED, exchange.end(latency_ms))


def undelayed_ms(response: object, latency_ms: float) -> float | None:
    """Return the latency of a request without the delay by the load generator.

    Args:
        response: The response in the event of the request, which is being fired.
        latency_ms: Latency in the event.

    Returns:
        The latency in ms. None if it is unknown.
    """
    exchange = current_exchange()
    if exchange is not None:
        return exchange.end(latency_ms)
    try:
        kept_ms = getattr(response, _UNDELAYED, None)
    except Exception:  # noqa: BLE001  # a response of user code can be any object
        return None
    # The user's code may have reported another latency.
    return min(kept_ms, latency_ms) if isinstance(kept_ms, float) else None


class TimedSocket(socket):  # type: ignore[misc]  # gevent has no types
    """A TCP socket of gevent that reports to the exchange of the current greenlet.

    It also avoids two system calls of each exchange in gevent's own methods: asking for the size of
    the send buffer, and reading before the response can have arrived.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._has_sent = False
        self._poller: select.poll | None = None
        if self._sock.fileno() >= 0:
            self._stamp()

    @classmethod
    def adopt(cls, other: Any) -> "TimedSocket":
        """Take over the connection of another socket."""
        timeout = other.gettimeout()
        adopted = cls(other.family, other.type, other.proto, fileno=other.detach())
        adopted.settimeout(timeout)
        return adopted

    def _stamp(self) -> None:
        try:
            self._sock.setsockopt(SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        except OSError:
            # Without time stamps, the delay of each request is unknown.
            return

    def is_idle(self) -> bool:
        """Return whether the connection is open and has nothing to read."""
        if self._poller is None:
            self._poller = _poll()
            self._poller.register(self._sock.fileno(), select.POLLIN)
        return not self._poller.poll(0)

    def connect(self, address: Any) -> None:
        """Connect. The wait for the network is no delay of the load generator."""
        exchange = current_exchange()
        if exchange is None:
            super().connect(address)
            return
        exchange.leave()
        super().connect(address)
        exchange.send()

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all data."""
        exchange = current_exchange()
        if type(data) is bytes and not flags:
            try:
                sent = self._sock.send(data)
            except BlockingIOError:
                sent = 0
            if exchange is not None:
                exchange.leave()
            if sent < len(data):
                super().sendall(memoryview(data)[sent:])
        else:
            if exchange is not None:
                exchange.leave()
            super().sendall(data, flags)
        self._has_sent = True
        if exchange is not None:
            exchange.send()

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Receive data, and record when it arrived."""
        exchange = current_exchange()
        if exchange is None or flags:
            return bytes(super().recv(size, flags))
        if self._has_sent:
            self._has_sent = False
            if self.timeout != 0.0:
                self._wait(self._read_event)
        while True:
            try:
                data, ancillary, _, _ = self._sock.recvmsg(size, _ANCILLARY_BYTES)
            except BlockingIOError:
                if self.timeout == 0.0:
                    raise
            else:
                break
            self._wait(self._read_event)
        if data:
            exchange.arrive(ancillary)
        return bytes(data)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Receive data into a buffer, and record when it arrived."""
        exchange = current_exchange()
        if exchange is None or flags or nbytes:
            return int(super().recv_into(buffer, nbytes, flags))
        if self._has_sent:
            self._has_sent = False
            if self.timeout != 0.0:
                self._wait(self._read_event)
        length, ancillary, *_ = self.recvmsg_into([buffer], _ANCILLARY_BYTES)
        if length:
            exchange.arrive(ancillary)
        return int(length)
