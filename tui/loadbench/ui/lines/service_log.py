"""Format the log lines of services, with their local time of day."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadbench.engine.journal.service_log import LogLine
from loadbench.ui.lines.events import local_time
from loadbench.ui.lines.text import Line, Tone, line


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLog:
    """The last log lines that services wrote during the latest attempt of a cell."""

    lines: Sequence[LogLine] = ()
    is_read: bool = True
    """False while the file is being read."""
    has_times: bool = True
    """False if the log lines have no timestamps, so that they cannot be assigned to a cell."""


NOT_READ = CellLog(is_read=False)


def log_line(entry: LogLine, *, named: bool = True) -> Line:
    """Return a formatted log line.

    Args:
        entry: The log line.
        named: Whether to include the name of the service.
    """
    time = (f"{local_time(entry.at)}  " if entry.at else "", Tone.DIM)
    if not entry.name:
        return line(time, entry.text)
    service = (f"{entry.name} ", Tone.ACCENT) if named else ""
    return line(time, service, ("| " if named else "", Tone.DIM), entry.text)


def cell_log_lines(log: CellLog, *, is_attempted: bool) -> list[Line]:
    """Return the log lines of a cell, or a message if there are none.

    Args:
        log: The log lines.
        is_attempted: Whether the cell was attempted.
    """
    if not log.is_read:
        return [line(("Loading…", Tone.DIM))]
    if not log.has_times:
        text = "The log lines have no timestamps. See the logs of the run."
        return [line((text, Tone.DIM))]
    if not log.lines:
        text = "No log output during this cell" if is_attempted else "Not measured yet"
        return [line((text, Tone.DIM))]
    return [log_line(entry) for entry in log.lines]
