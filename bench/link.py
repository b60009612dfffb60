"""A program on a terminal at the end of a link, which may be slow or stand still."""

import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

# What tests and measurements share is where the tests are.
from tests.support.pty_harness import Terminal

_SLICE_S = 0.05
_CONNECTION = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "DISPLAY", "WAYLAND_DISPLAY")


def forget_connection() -> None:
    """Have viewers know nothing of how whoever measures them came here."""
    for name in _CONNECTION:
        os.environ.pop(name, None)


@dataclass
class Link(Terminal):
    """A program on a terminal that is read by a thread of its own.

    Args:
        bytes_per_s: How fast it is read, in twenty slices a second; None: as fast as it writes.
    """

    bytes_per_s: float | None = None

    def __post_init__(self) -> None:
        """Start the program, and begin to read what it writes."""
        super().__post_init__()
        self.process = psutil.Process(self.pid)
        self.bytes_read = self.bytes_shown = 0
        self._arrived: deque[tuple[float, bytes]] = deque()
        self._news, self._closing = threading.Event(), threading.Event()
        self._flowing = threading.Event()
        self._flowing.set()
        self._reading = threading.Thread(target=self._read_on)
        self._reading.start()

    def stand_still(self) -> None:
        """Read nothing more, until it flows again."""
        self._flowing.clear()

    def flow(self) -> None:
        """Read again."""
        self._flowing.set()

    def taken_in(self) -> Iterator[tuple[float, int]]:
        """Show what has been read, and tell of each piece when that was and its bytes."""
        while self._arrived:
            at, data = self._arrived.popleft()
            self._take_in(data)
            self.bytes_shown += len(data)
            yield at, len(data)

    def seen(self, condition: Callable[[], object], *, within_s: float) -> float | None:
        """Wait for a condition of the screen.

        Returns:
            When what fulfilled it was read, in monotonic seconds. None: it did not come.
        """
        deadline = time.monotonic() + within_s
        while True:
            self._news.clear()
            for at, _ in self.taken_in():
                if condition():
                    return at
            if time.monotonic() > deadline or self.ended:
                return None
            self._news.wait(0.02)

    def quiet(self, seconds: float) -> None:
        """Wait until nothing was read for so long."""
        while True:
            before = self.bytes_read
            time.sleep(seconds)
            if self.bytes_read == before:
                return

    @property
    def sleeps(self) -> bool:
        """Whether all its threads wait for something; Linux alone tells."""
        told = Path(f"/proc/{self.pid}/task").glob("*/stat")
        with suppress(OSError):
            return all(stat.read_text().rpartition(") ")[2][0] == "S" for stat in told)
        return False

    @property
    def cpu_s(self) -> float:
        """The CPU seconds that it has used."""
        times = self.process.cpu_times()
        return times.user + times.system

    @property
    def rss_mib(self) -> float:
        """Its memory, in MiB."""
        return self.process.memory_info().rss / 2**20

    def seconds_to_end(self, key: str, *, within_s: float) -> float | None:
        """Press the key that ends it, and return how long that takes; None: longer."""
        started = time.monotonic()
        self.press(key)
        while not self.ended:
            if time.monotonic() - started > within_s:
                return None
            time.sleep(0.001)
        return time.monotonic() - started

    def close(self) -> None:
        """End it, whatever it does, and read no more."""
        self._closing.set()
        self._flowing.set()
        self._reading.join()
        super().close()

    def _read_on(self) -> None:
        assert self._master is not None
        most = int(self.bytes_per_s * _SLICE_S) if self.bytes_per_s else 65536
        while not self._closing.is_set():
            self._flowing.wait()
            ready, _, _ = select.select([self._master], [], [], _SLICE_S)
            if not ready or not self._flowing.is_set():
                continue
            data = os.read(self._master, most)
            self._arrived.append((time.monotonic(), data))
            self.bytes_read += len(data)
            self._answer(data)
            self._news.set()
            if self.bytes_per_s:
                time.sleep(len(data) / self.bytes_per_s)
