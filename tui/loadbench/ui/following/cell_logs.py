"""Read the log lines that services wrote during a cell in the background, and cache them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from loadbench.engine.journal.service_log import LogLine, of_locustfile, read_lines_between
from loadbench.engine.journal.state import CellState
from loadbench.ui.background import Job, in_background
from loadbench.ui.lines.service_log import NOT_READ, CellLog

MAX_LOGS = 8
"""Maximum number of cached logs."""

_AttemptKey = tuple[str, str]
"""Key of a cell and start time of its attempt."""


@dataclass(frozen=True, slots=True)
class _ReadLog:
    """Log of an attempt, and the size of the file when it was read."""

    log: CellLog = NOT_READ
    ended_at: str = ""
    """End time of the attempt. Empty if it is still running."""
    size: int = -1
    """Size of the file in bytes, or -1 if it has not been read yet or cannot be read."""


@dataclass(slots=True, kw_only=True, eq=False)
class CellLogs:
    """Cache for the logs of cells, by attempt.

    Args:
        path: The file with the log lines of all services.
        locust: The file with those of Locust.
        start: Starts a background job.
        changed: Called when a log has changed.
    """

    path: Path
    locust: Path
    start: Callable[[Job], object]
    changed: Callable[[], object]
    _known: dict[_AttemptKey, _ReadLog] = field(default_factory=dict)
    _reading: set[_AttemptKey] = field(default_factory=set)

    @property
    def is_reading(self) -> bool:
        """Whether a log is being read."""
        return bool(self._reading)

    def of(self, cell: CellState, *, max_lines: int) -> CellLog:
        """Return the cached log of a cell's latest attempt, and read it again if it may have grown.

        Args:
            cell: The cell.
            max_lines: Maximum number of lines; the last ones are returned.
        """
        if not cell.began_at:
            return CellLog()
        attempt = (cell.cell.key, cell.began_at)
        known = self._known.get(attempt, _ReadLog())
        is_final = known.size >= 0 and bool(cell.ended_at) and known.ended_at == cell.ended_at
        if not is_final and attempt not in self._reading:
            self._reading.add(attempt)
            self.start(partial(self._update, attempt, known, cell.ended_at, max_lines))
        return known.log

    async def _update(
        self, attempt: _AttemptKey, known: _ReadLog, ended_at: str, max_lines: int
    ) -> None:
        try:
            read = await in_background(
                _read_log, (self.path, self.locust), attempt[1], ended_at, max_lines, known
            )
        finally:
            self._reading.discard(attempt)
        self._known[attempt] = read
        for oldest in list(self._known)[:-MAX_LOGS]:
            del self._known[oldest]
        if read.log != known.log:
            self.changed()


def _read_log(
    paths: tuple[Path, Path], began_at: str, ended_at: str, max_lines: int, known: _ReadLog
) -> _ReadLog:
    """Read the log of an attempt, unless the size of the files has not changed."""
    sizes = [size for path in paths if (size := _size(path)) is not None]
    if not sizes:
        return _ReadLog(CellLog(), ended_at)
    size = sum(sizes)
    if (size, ended_at) == (known.size, known.ended_at):
        return known
    services, locust = (_lines_between(path, began_at, ended_at, max_lines) for path in paths)
    if services is None:
        return _ReadLog(CellLog(has_times=False), ended_at, size)
    lines = sorted((*services, *of_locustfile(locust or ())), key=lambda line: line.at)
    return _ReadLog(CellLog(lines=tuple(lines[-max_lines:])), ended_at, size)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _lines_between(
    path: Path, began_at: str, ended_at: str, max_lines: int
) -> Sequence[LogLine] | None:
    """Return the lines of a file in a time span; None if its lines have no timestamps."""
    try:
        return read_lines_between(path, began_at, ended_at, max_lines=max_lines)
    except OSError:
        return ()
