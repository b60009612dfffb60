"""Locustfile of `client.py`: users that post the file named by BENCH_BODY.

If BENCH_UNYIELDING is set, a user sends its request without yielding to other users, as the tool's
users do. Stock Locust checks through gevent whether a connection is alive, and that check yields.
"""

import os
from pathlib import Path
from typing import Any

from gevent.monkey import get_original
from geventhttpclient.connectionpool import ConnectionPool
from locust import FastHttpUser, task

BODY: Any = Path(os.environ["BENCH_BODY"]).read_bytes()


class Poster(FastHttpUser):
    """User that sends each request as soon as the response to the previous one has arrived."""

    @task
    def post(self) -> None:
        """Post the body once."""
        self.client.post("/r/0", data=BODY, name="/r")


if "BENCH_UNYIELDING" in os.environ:
    select: Any = get_original("select", "select")

    def is_alive(_pool: ConnectionPool, sock: Any) -> bool:
        """Return whether an idle connection has nothing to read, not even an end of stream."""
        return sock is not None and not select([sock], [], [], 0)[0]

    pools: Any = ConnectionPool
    pools._is_socket_alive = is_alive  # noqa: SLF001  # as in loadbench.in_locust.patches
