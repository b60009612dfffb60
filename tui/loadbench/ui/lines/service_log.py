"""What services said, a line each, with the local time of day. Pure."""

from collections.abc import Sequence

from loadbench.engine.journal.service_log import Said
from loadbench.ui.lines.events import local_time
from loadbench.ui.lines.text import Line, Tone, line


def said_line(said: Said, *, named: bool = True) -> Line:
    """Return a line; without the name of who said it where that is known anyway."""
    time = (f"{local_time(said.at)}  " if said.at else "", Tone.DIM)
    if not said.name:
        return line(time, said.text)
    who = (f"{said.name} ", Tone.ACCENT) if named else ""
    return line(time, who, ("| " if named else "", Tone.DIM), said.text)


def cell_said_lines(said: Sequence[Said] | None, *, begun: bool) -> list[Line]:
    """Return what was said while a cell was attempted.

    Args:
        said: None: the lines of that run have no times.
        begun: The cell was attempted.
    """
    if said is None:
        return [line(("its lines have no times; the logs of the run have them all", Tone.DIM))]
    if not said:
        told = "nothing was said in its time" if begun else "not measured yet"
        return [line((told, Tone.DIM))]
    return [said_line(it) for it in said]
