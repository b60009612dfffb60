"""A recorded run that happens again: by the clock, or step by step."""

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
    """A recorded run that happens again in another folder, whose journal is held meanwhile.

    Args:
        recorded: The journal of a run that was never resumed.
        folder: The run's folder; it is made.
        until_s: What happened in so many first seconds is written at once.
        pid: The runner's process id, which viewers may send signals to; None: this process.
    """

    def __init__(
        self, recorded: Path, folder: Path, *, until_s: float = 0.0, pid: int | None = None
    ) -> None:
        lines = recorded.read_text(encoding="utf-8").splitlines()
        self._left: deque[dict[str, Any]] = deque(json.loads(line) for line in lines)
        self._left[0]["pid"] = pid or os.getpid()
        self._began = datetime.now(UTC) - timedelta(seconds=until_s)
        self.elapsed_s = 0.0
        """How far it is, in seconds of the recorded run."""
        folder.mkdir(parents=True)
        self.folder = folder
        self._fd = os.open(folder / FILE_NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        flock(self._fd, LOCK_EX | LOCK_NB)
        self.advance(until_s)

    def advance(self, seconds: float = 1.0) -> int:
        """Write what happened in the next seconds, and return how many entries that was."""
        self.elapsed_s += seconds
        written = 0
        while self._left and self._left[0]["elapsed_s"] <= self.elapsed_s:
            entry = self._left.popleft()
            at = self._began + timedelta(seconds=entry["elapsed_s"])
            entry["at"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            line = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
            os.write(self._fd, f"{line}\n".encode())
            written += 1
        return written

    @contextmanager
    def playing(self) -> Iterator[None]:
        """Let it happen at its own pace meanwhile."""
        ended = threading.Event()
        playing = threading.Thread(target=self._play, args=(ended,))
        playing.start()
        try:
            yield
        finally:
            ended.set()
            playing.join()

    def _play(self, ended: threading.Event) -> None:
        offset_s = self.elapsed_s - time.monotonic()
        while self._left:
            due_s = self._left[0]["elapsed_s"] - offset_s - time.monotonic()
            if ended.wait(max(0.0, due_s)):
                return
            self.advance(time.monotonic() + offset_s - self.elapsed_s)

    def close(self) -> None:
        """Let go of the journal, as a runner does when it ends, in order or not."""
        os.close(self._fd)
