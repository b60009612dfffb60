"""The jobs that a worker holds, gathered into batches for the one thread that runs the network."""

import threading
import time
from collections import deque

from model.batch import Decoded


class Batcher:
    """Jobs that were taken and are decoded, ready, or in the network. Safe between threads.

    One thread takes jobs as there is room, others decode them and `add` them, and one thread runs
    the network on the batches of `next`. While it runs, the next batch is prepared.
    """

    def __init__(self, batch_size: int, *, fill_s: float, ahead: int) -> None:
        """Hold nothing.

        Args:
            batch_size: The most jobs of a batch.
            fill_s: How long the oldest job of a batch that is not full waits for more.
            ahead: How many jobs are decoded or ready at once, those in the network not counted.
        """
        self._batch_size = batch_size
        self._fill_s = fill_s
        self._ahead = ahead
        self._ready: deque[Decoded] = deque()
        self._decoding = 0
        self._running = 0
        self._closed = False
        self._lock = threading.Lock()
        self._filled = threading.Condition(self._lock)
        """There may be a batch."""
        self._left = threading.Condition(self._lock)
        """A job has gone on: there may be room, or nothing left."""

    @property
    def idle(self) -> bool:
        """Whether nothing is held."""
        with self._lock:
            return not self._held()

    def wait_for_room(self, timeout_s: float) -> int:
        """Wait until more jobs may be taken, and return how many; 0: none in that time."""
        with self._lock:
            self._left.wait_for(self._room, timeout_s)
            return self._room()

    def expect(self, jobs: int) -> None:
        """Count jobs that were taken; `add` or `drop` follows for each."""
        with self._lock:
            self._decoding += jobs

    def add(self, decoded: Decoded) -> None:
        """Put in a job that was expected."""
        with self._lock:
            self._decoding -= 1
            self._ready.append(decoded)
            self._filled.notify_all()

    def drop(self) -> bool:
        """Expect one job less, which does not reach the network; returns whether none is held."""
        with self._lock:
            self._decoding -= 1
            self._filled.notify_all()
            self._left.notify_all()
            return not self._held()

    def close(self) -> None:
        """Say that no more jobs are taken. `next` gives what is left, then nothing."""
        with self._lock:
            self._closed = True
            self._filled.notify_all()
            self._left.notify_all()

    def wait_until_empty(self) -> None:
        """Wait until nothing is held, or nobody will run the network again."""
        with self._lock:
            self._left.wait_for(lambda: self._closed or not self._held())

    def next(self) -> list[Decoded]:
        """Wait for the next batch. An empty one means that there will be no more."""
        with self._lock:
            while not self._is_due():
                if self._closed and not self._held():
                    return []
                self._filled.wait(self._fill_left_s())
            self._running = min(self._batch_size, len(self._ready))
            self._left.notify_all()
            return [self._ready.popleft() for _ in range(self._running)]

    def done(self) -> bool:
        """Say that the batch has left the network; returns whether no job is held."""
        with self._lock:
            self._running = 0
            self._left.notify_all()
            return not self._held()

    def _room(self) -> int:
        return max(0, self._ahead - self._decoding - len(self._ready))

    def _held(self) -> int:
        return self._decoding + len(self._ready) + self._running

    def _is_due(self) -> bool:
        if not self._ready:
            return False
        if len(self._ready) >= self._batch_size or (self._closed and not self._decoding):
            return True
        return time.monotonic() >= self._ready[0].since_s + self._fill_s

    def _fill_left_s(self) -> float | None:
        if not self._ready:
            return None
        return max(0.0, self._ready[0].since_s + self._fill_s - time.monotonic())
