"""The connection to the broker (Redis 7 or Valkey), and the names of its keys.

This is the only module that uses the client library. It converts all errors of the library to
BrokerError.
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
WAKEUP_PREFIX = "loadbench:wakeup:"

CONNECT_TIMEOUT_S = 1.0
RESPONSE_TIMEOUT_S = 2.0
"""Maximum seconds for the response to a non-blocking command."""

MISSING = ("NOGROUP", "UNBLOCKED", "no such key")
"""Prefixes of the errors of a broker that has lost its data."""


class Broker:
    """A thread-safe connection pool that reconnects after a restart of the broker."""

    def __init__(
        self,
        url: str,
        *,
        password: str,
        connections: int,
        timeout_s: float,
        queue_s: float = 0.0,
    ) -> None:
        """Create the pool; it connects on first use.

        Args:
            url: URL of the broker.
            password: Its password. Empty for none, or if the URL has one.
            connections: Maximum number of connections.
            timeout_s: Maximum seconds per command, including the wait time of blocking commands.
            queue_s: Maximum seconds that a thread waits for a free connection.
        """
        pool = redis.BlockingConnectionPool.from_url(
            url,
            password=password or None,
            max_connections=connections,
            timeout=queue_s,
            socket_connect_timeout=min(CONNECT_TIMEOUT_S, timeout_s),
            socket_timeout=timeout_s,
            # No retries: the command may already have been executed, so a retry could add a job
            # twice. Stale connections are replaced before use.
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        self._client = redis.Redis(connection_pool=pool)

    def call(self, command: Callable[["redis.Redis"], Any]) -> Any:
        """Run a command; if the stream or its group is missing, create it and retry."""
        with _convert_errors():
            try:
                return command(self._client)
            except redis.ResponseError as error:
                if not str(error).startswith(MISSING):
                    raise
            self._create_group()
            return command(self._client)

    def script(self, text: str) -> Callable[..., Any]:
        """Return a function that runs a Lua script on the stream with the arguments given."""
        script = self._client.register_script(text)
        return lambda *arguments: self.call(
            lambda _: script(keys=[STREAM], args=[GROUP, *arguments])
        )

    def _create_group(self) -> None:
        try:
            self._client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise


@contextmanager
def _convert_errors() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        raise BrokerError(f"Broker error: {error}") from error
