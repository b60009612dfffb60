"""Avoids requests to Locust whose response would contain nothing new.

Each request takes about 1.5 ms of Locust's CPU time, which it also needs for its users.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from loadbench.engine.load.protocol import LoadState


class StateCache:
    """The last state of a cell whose users have been started, until its next second has ended.

    Args:
        clock: Monotonic clock in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._state: LoadState | None = None
        self._read_s = 0.0

    def clear(self) -> None:
        """Forget the state, because the next one differs."""
        self._state = None

    def keep(self, state: LoadState) -> None:
        """Keep a state that was just read. Before users have been started, it may change soon."""
        self._state, self._read_s = (state if state.spawned else None), self._clock()

    def state(self) -> LoadState | None:
        """Return the current state without seconds, or None if it must be read from Locust."""
        state, elapsed_s = self._state, self._clock() - self._read_s
        if state is None or elapsed_s >= state.next_s:
            return None
        left_s = state.remaining_s
        if left_s is not None:
            left_s = max(0.0, left_s - elapsed_s)
        return replace(state, remaining_s=left_s, seconds=())
