"""The log lines of services during a cell: read in the background, and kept."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from loadbench.engine.journal.service_log import read_lines_between
from loadbench.engine.journal.state import CellState
from loadbench.ui.background import Job, in_background
from loadbench.ui.lines.service_log import NOT_READ, CellLog

MAX_LOGS = 8
"""How many logs of cells are kept."""

_AttemptKey = tuple[str, str]
"""The key of a cell, and when its attempt began."""


@dataclass(frozen=True, slots=True)
class _ReadLog:
    """The log of an attempt, and what it was read from."""

    log: CellLog = NOT_READ
    ended_at: str = ""
    """When the attempt ended; empty: it was not over."""
    size: int = -1
    """Size of the file in bytes; -1: it was not read, or could not be."""


@dataclass(slots=True, kw_only=True, eq=False)
class CellLogs:
    """The newest log of each cell that was asked for.

    Args:
        path: The log file of the services.
        start: Starts work beside the screens.
        changed: Called when a log has changed.
    """

    path: Path
    start: Callable[[Job], object]
    changed: Callable[[], object]
    _known: dict[_AttemptKey, _ReadLog] = field(default_factory=dict)
    _reading: set[_AttemptKey] = field(default_factory=set)

    @property
    def is_reading(self) -> bool:
        """Whether a log is being read."""
        return bool(self._reading)

    def of(self, cell: CellState, *, most: int) -> CellLog:
        """Return the newest known log of a cell's latest attempt; read it again if it may grow.

        Args:
            cell: The cell.
            most: How many lines.
        """
        if not cell.began_at:
            return CellLog()
        attempt = (cell.cell.key, cell.began_at)
        known = self._known.get(attempt, _ReadLog())
        is_final = known.size >= 0 and bool(cell.ended_at) and known.ended_at == cell.ended_at
        if not is_final and attempt not in self._reading:
            self._reading.add(attempt)
            self.start(partial(self._update, attempt, known, cell.ended_at, most))
        return known.log

    async def _update(
        self, attempt: _AttemptKey, known: _ReadLog, ended_at: str, most: int
    ) -> None:
        try:
            read = await in_background(_read_log, self.path, attempt[1], ended_at, most, known)
        finally:
            self._reading.discard(attempt)
        self._known[attempt] = read
        for oldest in list(self._known)[:-MAX_LOGS]:
            del self._known[oldest]
        if read.log != known.log:
            self.changed()


def _read_log(path: Path, began_at: str, ended_at: str, most: int, known: _ReadLog) -> _ReadLog:
    """Read a log, unless the file is as long as it was."""
    try:
        size = path.stat().st_size
        if (size, ended_at) == (known.size, known.ended_at):
            return known
        lines = read_lines_between(path, began_at, ended_at, most=most)
    except OSError:
        return _ReadLog(CellLog(), ended_at)
    return _ReadLog(CellLog(lines=lines or (), has_times=lines is not None), ended_at, size)
