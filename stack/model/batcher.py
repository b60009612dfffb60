"""Collect the jobs of a worker into batches for the inference thread."""

import threading
import time
from collections import deque

from model.batch import Decoded


class Batcher:
    """The jobs that a worker is decoding, has decoded, or is running inference on. Thread-safe.

    One thread takes jobs as capacity allows, other threads decode and `add` them, and one thread
    runs inference on the batches returned by `next`. Meanwhile, the next batch is prepared.
    """

    def __init__(self, batch_size: int, *, fill_s: float, ahead: int) -> None:
        """Create an empty batcher.

        Args:
            batch_size: Maximum number of jobs per batch.
            fill_s: Maximum seconds that the oldest job waits for its batch to fill.
            ahead: Maximum number of jobs being decoded or ready, not counting those in inference.
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
        """Notified when a batch may be ready."""
        self._left = threading.Condition(self._lock)
        """Notified when a job leaves a stage: there may be capacity, or no job left."""

    @property
    def idle(self) -> bool:
        """Whether the worker has no jobs."""
        with self._lock:
            return not self._held()

    def wait_for_room(self, timeout_s: float) -> int:
        """Wait for capacity; return the number of jobs that can be taken, or 0 on a timeout."""
        with self._lock:
            self._left.wait_for(self._room, timeout_s)
            return self._room()

    def expect(self, jobs: int) -> None:
        """Register jobs that have been taken. Call `add` or `drop` for each of them later."""
        with self._lock:
            self._decoding += jobs

    def add(self, decoded: Decoded) -> None:
        """Add an expected job after it is decoded."""
        with self._lock:
            self._decoding -= 1
            self._ready.append(decoded)
            self._filled.notify_all()

    def drop(self) -> bool:
        """Remove an expected job that failed; return whether no job is left."""
        with self._lock:
            self._decoding -= 1
            self._filled.notify_all()
            self._left.notify_all()
            return not self._held()

    def close(self) -> None:
        """Signal that no more jobs will be taken. `next` returns the remaining batches."""
        with self._lock:
            self._closed = True
            self._filled.notify_all()
            self._left.notify_all()

    def wait_until_empty(self) -> None:
        """Wait until no job is left, or the batcher is closed."""
        with self._lock:
            self._left.wait_for(lambda: self._closed or not self._held())

    def next(self) -> list[Decoded]:
        """Wait for the next batch and return it. An empty list means that there are no more."""
        with self._lock:
            while not self._is_due():
                if self._closed and not self._held():
                    return []
                self._filled.wait(self._fill_left_s())
            self._running = min(self._batch_size, len(self._ready))
            self._left.notify_all()
            return [self._ready.popleft() for _ in range(self._running)]

    def done(self) -> bool:
        """Signal that inference on the batch is complete; return whether no job is left."""
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
