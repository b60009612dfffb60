"""A server that knows what it did: latencies by a plan, and a log of every request.

    .venv/bin/python bench/truth_server.py PLAN LOG [--core N]

It prints its port, answers until SIGTERM, and then writes LOG. The moments in it are of
CLOCK_MONOTONIC, which all processes of a machine share. `GET /r/N` is request N of the log;
`/health` is answered at once and not logged, `/count` with the number of requests so far.
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
"""Gives, for the moment of an arrival, the seconds until the answer and whether it is a 200."""

REFUSED_S = 0.001
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"
STAGES = "total;dur=1.20, queue;dur=0.30, decode;dur=0.40, infer;dur=0.50"


def ok(body: bytes) -> bytes:
    """Return a whole answer, which tells its stages as the service under test does."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nServer-Timing: {STAGES}\r\n\r\n"
    return head.encode() + body


OK = ok(b'{"done": true}')


def two_modes(draw: random.Random, _now: float) -> tuple[float, bool]:
    """20 ms, and 1.5 % of 300 ms."""
    return (0.300 if draw.random() < 0.015 else 0.020), True


def around(median_ms: float, draw: random.Random, _now: float) -> tuple[float, bool]:
    """Lognormal around a median."""
    return median_ms / 1000 * draw.lognormvariate(0, 0.25), True


def failing(draw: random.Random, _now: float) -> tuple[float, bool]:
    """20 ms, and 20 % of errors that come at once."""
    return (REFUSED_S, False) if draw.random() < 0.2 else (0.020, True)


def at_once(_draw: random.Random, _now: float) -> tuple[float, bool]:
    """Answer without any wait."""
    return 0.0, True


class Bucket:
    """So many requests a second, in the order of their arrival; the others wait for their turn."""

    def __init__(self, rate: float, burst: int) -> None:
        self._interval_s = 1 / rate
        self._burst_s = burst / rate
        self._next_s = 0.0

    def __call__(self, _draw: random.Random, now: float) -> tuple[float, bool]:
        """Take a token, or the next that comes."""
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
    "at-once": at_once,
}


class Log:
    """Every request as (number, arrival, answer, status); a lost connection leaves the answer 0."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, float, float, int]] = []

    def write(self, path: Path) -> None:
        """Save it."""
        path.write_text(json.dumps(self.entries))


class Connection(asyncio.Protocol):
    """One connection of a user, who waits for each answer before the next request."""

    def __init__(self, plan: Plan, log: Log) -> None:
        self._plan = plan
        self._log = log
        self._arrived = b""
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once the head and the body are there."""
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
            self._request(now)

    def _request(self, now: float) -> None:
        if self._path == b"/health":
            self._transport.write(OK)
        elif self._path == b"/count":
            self._transport.write(ok(str(len(self._log.entries)).encode()))
        elif not self._path.startswith(b"/r/"):
            self._transport.write(NOT_FOUND)
        else:
            delay_s, good = self._plan(now)
            entry = (int(self._path[3:]), now, 200 if good else 503)
            if delay_s > 0:
                loop = asyncio.get_running_loop()
                # From the arrival on, so that what was computed meanwhile delays nothing.
                loop.call_at(loop.time() + delay_s - (time.monotonic() - now), self._answer, *entry)
            else:
                self._answer(*entry)

    def _answer(self, number: int, arrived: float, status: int) -> None:
        gone = self._transport.is_closing()
        if not gone:
            self._transport.write(OK if status == 200 else REFUSED)
        self._log.entries.append((number, arrived, 0.0 if gone else time.monotonic(), status))


def content_length(head: bytes) -> int:
    """Return the length of the body that follows a head."""
    _, name, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.split(b"\r\n", 1)[0]) if name else 0


async def serve(plan: Plan, log: Log) -> None:
    """Answer until SIGTERM."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    server = await loop.create_server(partial(Connection, plan, log), "127.0.0.1", backlog=1024)
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
    # epoll would wait for whole milliseconds, and answer all that fall into one of them together.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    loop.run_until_complete(serve(partial(PLANS[options.plan], random.Random(7)), log))
    log.write(options.log)


if __name__ == "__main__":
    main()
