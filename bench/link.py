"""A program in a terminal whose output passes through a slow or stalled link."""

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

from tests.support.pty_harness import Terminal

_SLICE_S = 0.05
_CONNECTION_VARIABLES = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "DISPLAY", "WAYLAND_DISPLAY")


def forget_connection() -> None:
    """Unset variables of the SSH session and the display, because viewers adapt to them."""
    for name in _CONNECTION_VARIABLES:
        os.environ.pop(name, None)


@dataclass
class Link(Terminal):
    """A program in a terminal, with a separate thread that reads its output.

    Args:
        bytes_per_s: Speed of the link, enforced 20 times a second, or None for no limit.
    """

    bytes_per_s: float | None = None

    def __post_init__(self) -> None:
        """Start the program and the thread that reads its output."""
        super().__post_init__()
        self.process = psutil.Process(self.pid)
        self.bytes_read = self.bytes_shown = 0
        self._arrived: deque[tuple[float, bytes]] = deque()
        self._has_data, self._closing = threading.Event(), threading.Event()
        self._flowing = threading.Event()
        self._flowing.set()
        self._reader = threading.Thread(target=self._read_output)
        self._reader.start()

    def stall(self) -> None:
        """Stop reading until `resume`."""
        self._flowing.clear()

    def resume(self) -> None:
        """Resume reading."""
        self._flowing.set()

    def show_received(self) -> Iterator[tuple[float, int]]:
        """Feed received data to the emulator; yield the time and size in bytes of each chunk."""
        while self._arrived:
            at, data = self._arrived.popleft()
            self._feed(data)
            self.bytes_shown += len(data)
            yield at, len(data)

    def wait_until(self, condition: Callable[[], object], *, within_s: float) -> float | None:
        """Wait until the screen meets a condition.

        Returns:
            Monotonic time in seconds at which the data that met the condition was read, or None if
            the condition was not met in time.
        """
        deadline = time.monotonic() + within_s
        while True:
            self._has_data.clear()
            for at, _ in self.show_received():
                if condition():
                    return at
            if time.monotonic() > deadline or self.ended:
                return None
            self._has_data.wait(0.02)

    def quiet(self, seconds: float) -> None:
        """Wait until no data has been read for this many seconds."""
        while True:
            before = self.bytes_read
            time.sleep(seconds)
            if self.bytes_read == before:
                return

    @property
    def is_sleeping(self) -> bool:
        """Whether all threads of the program are sleeping. Linux only."""
        files = Path(f"/proc/{self.pid}/task").glob("*/stat")
        with suppress(OSError):
            return all(file.read_text().rpartition(") ")[2][0] == "S" for file in files)
        return False

    @property
    def cpu_s(self) -> float:
        """CPU seconds used by the program."""
        times = self.process.cpu_times()
        return times.user + times.system

    @property
    def rss_mib(self) -> float:
        """Resident memory of the program in MiB."""
        return self.process.memory_info().rss / 2**20

    def seconds_to_end(self, key: str, *, within_s: float) -> float | None:
        """Press the quit key; return the seconds until the program exits, or None on a timeout."""
        started = time.monotonic()
        self.press(key)
        while not self.ended:
            if time.monotonic() - started > within_s:
                return None
            time.sleep(0.001)
        return time.monotonic() - started

    def close(self) -> None:
        """Kill the program and stop reading."""
        self._closing.set()
        self._flowing.set()
        self._reader.join()
        super().close()

    def _read_output(self) -> None:
        assert self._master is not None
        chunk_size = int(self.bytes_per_s * _SLICE_S) if self.bytes_per_s else 65536
        while not self._closing.is_set():
            self._flowing.wait()
            ready, _, _ = select.select([self._master], [], [], _SLICE_S)
            if not ready or not self._flowing.is_set():
                continue
            data = os.read(self._master, chunk_size)
            self._arrived.append((time.monotonic(), data))
            self.bytes_read += len(data)
            self._answer(data)
            self._has_data.set()
            if self.bytes_per_s:
                time.sleep(len(data) / self.bytes_per_s)
