"""Log lines of services, with the local time of day. No Textual."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadbench.engine.journal.service_log import LogLine
from loadbench.ui.lines.events import local_time
from loadbench.ui.lines.text import Line, Tone, line


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLog:
    """The last log lines of services during the latest attempt of a cell."""

    lines: Sequence[LogLine] = ()
    is_read: bool = True
    """False: the file is being read."""
    has_times: bool = True
    """False: the lines of the file have no times, so those of a cell cannot be found."""


NOT_READ = CellLog(is_read=False)


def log_line(said: LogLine, *, named: bool = True) -> Line:
    """Return a log line; `named`: with the name of its service."""
    time = (f"{local_time(said.at)}  " if said.at else "", Tone.DIM)
    if not said.name:
        return line(time, said.text)
    who = (f"{said.name} ", Tone.ACCENT) if named else ""
    return line(time, who, ("| " if named else "", Tone.DIM), said.text)


def cell_log_lines(log: CellLog, *, begun: bool) -> list[Line]:
    """Return the log lines of a cell.

    Args:
        log: The lines.
        begun: The cell was attempted.
    """
    if not log.is_read:
        return [line(("reading…", Tone.DIM))]
    if not log.has_times:
        return [line(("its lines have no times; the logs of the run have them all", Tone.DIM))]
    if not log.lines:
        text = "nothing was said in its time" if begun else "not measured yet"
        return [line((text, Tone.DIM))]
    return [log_line(it) for it in log.lines]
