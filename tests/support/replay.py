"""Replay a recorded run in real time or step by step."""

import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any

from loadbench.engine.journal.codec import FILE_NAME


class Replay:
    """Replays a recorded run into a new folder while holding the lock of the new journal.

    Args:
        recorded: Journal of a run that was never resumed.
        folder: Folder to create for the replayed run.
        until_s: Length of the part that is written immediately, in seconds.
        pid: Process id of the runner, to which viewers may send signals. None for this process.
    """

    def __init__(
        self, recorded: Path, folder: Path, *, until_s: float = 0.0, pid: int | None = None
    ) -> None:
        lines = recorded.read_text(encoding="utf-8").splitlines()
        self._left: deque[dict[str, Any]] = deque(json.loads(line) for line in lines)
        self._left[0]["pid"] = pid or os.getpid()
        self._started_at = datetime.now(UTC) - timedelta(seconds=until_s)
        self.elapsed_s = 0.0
        """Position in the recorded run, in seconds."""
        folder.mkdir(parents=True)
        self.folder = folder
        self._fd = os.open(folder / FILE_NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        flock(self._fd, LOCK_EX | LOCK_NB)
        self.advance(until_s)

    def advance(self, seconds: float = 1.0) -> int:
        """Write the entries of the next seconds, and return the number of entries."""
        self.elapsed_s += seconds
        written = 0
        while self._left and self._left[0]["elapsed_s"] <= self.elapsed_s:
            entry = self._left.popleft()
            at = self._started_at + timedelta(seconds=entry["elapsed_s"])
            entry["at"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            line = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
            os.write(self._fd, f"{line}\n".encode())
            written += 1
        return written

    @contextmanager
    def playing(self) -> Iterator[None]:
        """Replay the run in real time in a background thread."""
        stopped = threading.Event()
        player = threading.Thread(target=self._play, args=(stopped,))
        player.start()
        try:
            yield
        finally:
            stopped.set()
            player.join()

    def _play(self, stopped: threading.Event) -> None:
        offset_s = self.elapsed_s - time.monotonic()
        while self._left:
            due_s = self._left[0]["elapsed_s"] - offset_s - time.monotonic()
            if stopped.wait(max(0.0, due_s)):
                return
            self.advance(time.monotonic() + offset_s - self.elapsed_s)

    def close(self) -> None:
        """Release the lock of the journal, as a runner does when it exits or crashes."""
        os.close(self._fd)
