"""The connection to the broker (Redis 7 or Valkey), and the names of the keys on it.

The only module that knows the client library: everything it raises becomes BrokerError.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from common.errors import BrokerError

STREAM = "loadbench:jobs"
GROUP = "workers"
REPLY_PREFIX = "loadbench:reply:"
ALIVE_PREFIX = "loadbench:alive:"
BELL_PREFIX = "loadbench:bell:"

CONNECT_TIMEOUT_S = 1.0
ANSWER_TIMEOUT_S = 2.0
"""How long the broker may take for a command that does not ask it to wait."""

MISSING = ("NOGROUP", "UNBLOCKED", "no such key")
"""How errors begin that a broker which lost its data gives."""


class Broker:
    """A pool of connections that is shared between threads and comes back after a restart."""

    def __init__(
        self, url: str, *, connections: int, timeout_s: float, queue_s: float = 0.0
    ) -> None:
        """Connect at first use.

        `timeout_s`: how long the broker may take for a command, the time included that blocking
        commands ask it to wait. `queue_s`: how long a thread waits before that for a connection,
        where there are more threads than connections.
        """
        pool = redis.BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=queue_s,
            socket_connect_timeout=min(CONNECT_TIMEOUT_S, timeout_s),
            socket_timeout=timeout_s,
            # A command that was sent may have been carried out: sending it again could add a
            # job twice. Stale connections are replaced before use, without a retry.
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        self._client = redis.Redis(connection_pool=pool)

    def call(self, command: Callable[["redis.Redis"], Any]) -> Any:
        """Run a command; if the stream or its group is missing, make it and run again."""
        with _translated():
            try:
                return command(self._client)
            except redis.ResponseError as error:
                if not str(error).startswith(MISSING):
                    raise
            self._make_group()
            return command(self._client)

    def script(self, text: str) -> Callable[..., Any]:
        """Make a function that runs a Lua script on the stream with the given arguments."""
        script = self._client.register_script(text)
        return lambda *arguments: self.call(
            lambda _: script(keys=[STREAM], args=[GROUP, *arguments])
        )

    def _make_group(self) -> None:
        try:
            self._client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        raise BrokerError(f"The broker cannot be used: {error}") from error
