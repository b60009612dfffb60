"""Locustfile of `client.py`: users that send requests back to back.

If BENCH_BURN_MS is set, a user computes for that time in each request. If BENCH_UNYIELDING is set,
a user sends its request without yielding to other users, as the tool's
users do. Stock Locust checks through gevent whether a connection is alive, and that check yields.
"""

import os
import time
from typing import Any

from gevent.monkey import get_original
from geventhttpclient.connectionpool import ConnectionPool
from locust import FastHttpUser, task

BURN_S = float(os.environ.get("BENCH_BURN_MS") or 0) / 1000


class Sender(FastHttpUser):
    """User that sends each request as soon as the response to the previous one has arrived."""

    @task
    def get(self) -> None:
        """Send one request."""
        self.client.get("/r/0", name="/r")
        until = time.perf_counter() + BURN_S
        while time.perf_counter() < until:
            pass


if os.environ.get("BENCH_UNYIELDING"):
    select: Any = get_original("select", "select")

    def is_alive(_pool: ConnectionPool, sock: Any) -> bool:
        """Return whether an idle connection has nothing to read, not even an end of stream."""
        return sock is not None and not select([sock], [], [], 0)[0]

    pools: Any = ConnectionPool
    pools._is_socket_alive = is_alive  # noqa: SLF001  # as in loadbench.in_locust.patches
