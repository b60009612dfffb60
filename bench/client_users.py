"""The locustfile of `client.py`: users who post the file that BENCH_BODY names.

With BENCH_AT_ONCE a user sends its request without giving the others a turn before, as the tool's
do: stock Locust asks through gevent whether a connection is alive, which lets all others go first.
"""

import os
from pathlib import Path
from typing import Any

from gevent.monkey import get_original
from geventhttpclient.connectionpool import ConnectionPool
from locust import FastHttpUser, task

BODY: Any = Path(os.environ["BENCH_BODY"]).read_bytes()


class Poster(FastHttpUser):
    """Posts again as soon as it has the answer to the last request."""

    @task
    def post(self) -> None:
        """Post."""
        self.client.post("/r/0", data=BODY, name="/r")


if "BENCH_AT_ONCE" in os.environ:
    select: Any = get_original("select", "select")

    def is_alive(_pool: ConnectionPool, sock: Any) -> bool:
        """Return whether nothing is to be read from an idle connection, and so no end either."""
        return sock is not None and not select([sock], [], [], 0)[0]

    pools: Any = ConnectionPool
    pools._is_socket_alive = is_alive  # noqa: SLF001  # as in loadbench.in_locust.patches
