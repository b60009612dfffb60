"""A reference server with planned latencies and a log of every request.

    .venv/bin/python bench/truth_server.py PLAN LOG [--core N]

Prints its port, serves until SIGTERM, and then writes LOG. Times are from CLOCK_MONOTONIC, which
all processes of a machine share. `GET /r/N` is request N of the log. `/health` responds immediately
and is not logged. `/count` returns the number of requests so far.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import selectors
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

Plan = Callable[[float], tuple[float, bool]]
"""Maps the time of an arrival to the seconds until the response, and whether it is a 200."""

REJECTION_S = 0.001
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
REJECTED = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"
STAGES = "total;dur=1.20, queue;dur=0.30, decode;dur=0.40, infer;dur=0.50"


def ok(body: bytes) -> bytes:
    """Return a complete response with a `Server-Timing` header like that of the service."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nServer-Timing: {STAGES}\r\n\r\n"
    return head.encode() + body


OK = ok(b'{"done": true}')
WITHOUT_STAGES = b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"done": true}'
"""A response of a service that does not report its stages."""


def two_modes(generator: random.Random, _now: float) -> tuple[float, bool]:
    """Respond after 20 ms, or after 300 ms for 1.5 % of the requests."""
    return (0.300 if generator.random() < 0.015 else 0.020), True


def around(median_ms: float, generator: random.Random, _now: float) -> tuple[float, bool]:
    """Respond after a lognormal time with this median."""
    return median_ms / 1000 * generator.lognormvariate(0, 0.25), True


def failing(generator: random.Random, _now: float) -> tuple[float, bool]:
    """Respond after 20 ms, or with an error after 1 ms for 20 % of the requests."""
    return (REJECTION_S, False) if generator.random() < 0.2 else (0.020, True)


def at_once(_generator: random.Random, _now: float) -> tuple[float, bool]:
    """Respond immediately."""
    return 0.0, True


class Bucket:
    """Token bucket: serve a fixed rate in order of arrival; excess requests wait.

    Args:
        rate: Requests per second.
        burst: Requests that are served without waiting after an idle period.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._interval_s = 1 / rate
        self._burst_s = burst / rate
        self._next_s = 0.0

    def __call__(self, _generator: random.Random, now: float) -> tuple[float, bool]:
        """Take the next token, and return the wait for it."""
        self._next_s = max(self._next_s, now - self._burst_s) + self._interval_s
        return max(0.0, self._next_s - now), True


PLANS: dict[str, Callable[[random.Random, float], tuple[float, bool]]] = {
    "two-modes": two_modes,
    "around-1.5": partial(around, 1.5),
    "around-20": partial(around, 20),
    "around-105": partial(around, 105),
    "around-1040": partial(around, 1040),
    "failing": failing,
    "bucket": Bucket(200, burst=10),
    "limited": Bucket(100, burst=1),
    "at-once": at_once,
}


class Log:
    """Requests as (number, arrival, response, status); the response is 0 for a lost connection."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, float, float, int]] = []

    def write(self, path: Path) -> None:
        """Save the log as JSON."""
        path.write_text(json.dumps(self.entries))


class Connection(asyncio.Protocol):
    """One connection of a user that waits for each response before the next request."""

    def __init__(self, plan: Plan, log: Log, response: bytes = OK) -> None:
        self._plan = plan
        self._log = log
        self._response = response
        self._arrived = b""
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport for responses."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Handle the request once its head and body have arrived."""
        now = time.monotonic()
        if self._missing:
            self._missing -= len(data)
        else:
            data = self._arrived + data
            head, end, body = data.partition(b"\r\n\r\n")
            if not end:
                self._arrived = data
                return
            self._arrived = b""
            self._path = head.split(b" ", 2)[1]
            self._missing = content_length(head) - len(body)
        if self._missing <= 0:
            self._missing = 0
            self._handle(now)

    def _handle(self, now: float) -> None:
        if self._path == b"/health":
            self._transport.write(OK)
        elif self._path == b"/count":
            self._transport.write(ok(str(len(self._log.entries)).encode()))
        elif not self._path.startswith(b"/r/"):
            self._transport.write(NOT_FOUND)
        else:
            delay_s, is_success = self._plan(now)
            entry = (int(self._path[3:]), now, 200 if is_success else 503)
            if delay_s > 0:
                loop = asyncio.get_running_loop()
                # Count the delay from the arrival, so that computing time does not add to it.
                due = loop.time() + delay_s - (time.monotonic() - now)
                loop.call_at(due, self._respond, *entry)
            else:
                self._respond(*entry)

    def _respond(self, number: int, arrived: float, status: int) -> None:
        is_closed = self._transport.is_closing()
        if not is_closed:
            self._transport.write(self._response if status == 200 else REJECTED)
        self._log.entries.append((number, arrived, 0.0 if is_closed else time.monotonic(), status))


def content_length(head: bytes) -> int:
    """Return the length of the body from the head of a request."""
    _, name, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.split(b"\r\n", 1)[0]) if name else 0


async def serve(plan: Plan, log: Log, response: bytes) -> None:
    """Serve until SIGTERM."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    server = await loop.create_server(
        partial(Connection, plan, log, response), "127.0.0.1", backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await ended.wait()
    server.close()


def main() -> None:
    """Serve, then write the log."""
    parser = argparse.ArgumentParser()
    parser.add_argument("plan", choices=PLANS)
    parser.add_argument("log", type=Path)
    parser.add_argument("--core", type=int)
    options = parser.parse_args()
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    gc.disable()
    log = Log()
    # epoll has a resolution of 1 ms, and would group the responses due within one millisecond.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    plan = partial(PLANS[options.plan], random.Random(7))
    response = WITHOUT_STAGES if options.plan == "limited" else OK
    loop.run_until_complete(serve(plan, log, response))
    log.write(options.log)


if __name__ == "__main__":
    main()
