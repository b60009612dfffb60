"""Repeats queries while the Docker engine is unreachable, for example during its restart."""

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from loadbench.engine.drivers.protocol import ProgressCallback
from loadbench.errors import EngineError, StackError

ENGINE_TIMEOUT_S = 30.0
"""Seconds to wait for an unreachable engine."""

QUIET_S = 3.0
"""Seconds of waiting before it is reported."""

_RETRY_INTERVAL_S = 1.0

T = TypeVar("T")


def refuse_if_closed(closed: Event) -> None:
    """Raise a `StackError` if the stack was closed."""
    if closed.is_set():
        raise StackError("the stack was closed during startup")


def with_retry(query: Callable[[], T], on_progress: ProgressCallback, *, closed: Event) -> T:
    """Query the engine, for `ENGINE_TIMEOUT_S` if it is unreachable.

    Args:
        query: The query.
        on_progress: Receives a line once the wait takes longer than `QUIET_S`.
        closed: Event that ends the wait when the stack is closed.

    Raises:
        EngineError: The engine is still unreachable.
        StackError: The stack was closed.
    """
    start, is_reported = time.monotonic(), False
    while True:
        refuse_if_closed(closed)
        try:
            return query()
        except EngineError as error:
            waited_s = time.monotonic() - start
            if waited_s > ENGINE_TIMEOUT_S:
                raise
            if waited_s >= QUIET_S and not is_reported:
                is_reported = True
                on_progress(
                    "wait",
                    f"Waiting for the Docker engine, at most {ENGINE_TIMEOUT_S:g} s: {error}",
                )
            closed.wait(_RETRY_INTERVAL_S)
