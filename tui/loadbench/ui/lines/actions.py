"""What can be done with a run now, and what is asked before it is. Pure."""

from loadbench.engine.journal.state import OVER
from loadbench.engine.run_reader import Run, RunStatus, report_of, rest_of
from loadbench.ui.lines.text import Line, Tone, line

DEPEND_ON_STATE = (
    *("pause", "continue", "skip", "again", "add", "stop", "kill", "detach"),
    *("resume", "follow", "open", "copy"),
)
"""Actions that a run allows at some times only."""

STOPPING = (
    line("What it has measured stays; the current cell is lost."),
    line("Containers and processes of the run are taken down."),
    line(("r", Tone.ACCENT), " goes on with the rest later."),
)
AGAIN = (
    line("It has numbers. They leave the table until it has been measured"),
    line("again, even if the run is stopped before; the journal keeps them."),
)
KILLING = (
    line("It is taking everything down, which may take a minute."),
    line("A killed one may leave containers:"),
    line(("loadbench-tui stop", Tone.ACCENT), " removes them."),
)


def allows(run: Run, action: str, *, cell: str | None, chosen: bool) -> bool:
    """Return whether a run allows an action now.

    Args:
        run: The run.
        action: One of `DEPEND_ON_STATE`.
        cell: The key of the cell that is shown.
        chosen: Somebody chose that cell; else it is the current one, or the last.
    """
    state = run.state
    commanded = run.status is RunStatus.LIVE and not state.stopping
    over = cell is not None and state.cells[cell].status in OVER
    match action:
        case "pause":
            return commanded and not state.paused
        case "continue":
            return commanded and state.paused
        case "skip":
            return commanded and cell is not None and not over
        case "again":
            return commanded and over
        case "add" | "stop":
            return commanded
        case "kill":
            return run.status is RunStatus.LIVE and state.stopping
        case "detach":
            return run.status is RunStatus.LIVE
        case "resume":
            return rest_of(run) is not None
        case "follow":
            return chosen and state.current is not None
        case "open" | "copy":
            return cell is not None and report_of(run, cell) is not None
    return True


def skipping(cell: str) -> list[Line]:
    """Return what skipping the cell that is being measured means."""
    return [
        line(f"{cell} is being measured; what it has so far is lost."),
        line("The run goes on."),
    ]


def leaving(run: Run) -> list[Line]:
    """Return what leaving the screen of a live run means."""
    return [
        line(f"{run.name} is live. It goes on without this screen:"),
        line(("loadbench-tui attach", Tone.ACCENT), " shows it again."),
    ]
