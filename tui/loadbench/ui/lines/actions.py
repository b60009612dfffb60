"""Actions that the state of a run allows, and the text of the confirmation dialogs."""

from enum import StrEnum

from loadbench.engine.journal.state import ENDED_STATUSES
from loadbench.engine.requests.resumption import is_unfinished, remaining_cells
from loadbench.engine.run_reader import Run, RunStatus, report_path
from loadbench.ui.lines.text import Line, Tone, line
from loadbench.wording import counted

DEPEND_ON_STATE = (
    *("pause", "continue", "skip", "again", "add", "stop", "kill", "detach"),
    *("resume", "follow", "open", "copy"),
)
"""Actions that are allowed only in some states of a run."""


class ResumeKind(StrEnum):
    """Which cells the key that resumes a run would measure."""

    REMAINING = "remaining"
    FAILED = "failed"
    SUSPECT = "suspect"
    """Suspect and invalid cells."""
    EITHER = "either"
    """Failed or suspect cells: the user chooses."""
    NOTHING = "nothing"
    """No cells: the runner was killed after the last one, so only the end is missing."""


def resume_kind(run: Run) -> ResumeKind | None:
    """Return which cells resuming a run would measure, or None if it cannot be resumed."""
    rest = remaining_cells(run)
    if is_unfinished(run):
        return ResumeKind.NOTHING
    if rest is None:
        return None
    if rest.continues:
        return ResumeKind.REMAINING
    if rest.failed:
        return ResumeKind.EITHER if rest.suspect else ResumeKind.FAILED
    return ResumeKind.SUSPECT


STOPPING = (
    line("Measured cells are kept; the current cell is discarded."),
    line("The run's containers and processes are removed."),
    line("Press ", ("r", Tone.ACCENT), " later to resume with the remaining cells."),
)
AGAIN = (
    line("This cell has a result. It disappears from the table until the cell has"),
    line("been measured again, even if the run is stopped first. The journal keeps it."),
)
KILLING = (
    line("The runner is removing containers, which can take a minute."),
    line("Killing it may leave containers behind. To remove them:"),
    line(("loadbench-tui stop", Tone.ACCENT)),
)


def allows(run: Run, action: str, *, cell: str | None, chosen: bool) -> bool:
    """Return whether a run allows an action in its current state.

    Args:
        run: The run.
        action: One of `DEPEND_ON_STATE`.
        cell: Key of the selected cell.
        chosen: Whether the user selected that cell. If not, it is the current or last one.
    """
    state = run.state
    is_live = run.status is RunStatus.LIVE
    accepts_commands = is_live and not state.stopping
    # A run that is not live is resumed for these actions.
    can_change = accepts_commands or (not is_live and state.profile is not None)
    is_over = cell is not None and state.cells[cell].status in ENDED_STATUSES
    match action:
        case "pause":
            return accepts_commands and not state.paused
        case "continue":
            return accepts_commands and state.paused
        case "skip":
            return accepts_commands and cell is not None and not is_over
        case "again":
            return can_change and is_over
        case "add":
            return can_change
        case "stop":
            return accepts_commands
        case "kill":
            return is_live and state.stopping
        case "detach":
            return is_live
        case "resume":
            return resume_kind(run) is not None
        case "follow":
            return chosen and state.current is not None
        case "open" | "copy":
            return cell is not None and report_path(run, cell) is not None
    return True


def skipping(cell: str) -> list[Line]:
    """Return the text of the dialog that confirms skipping the current cell."""
    return [
        line(f"{cell} is being measured. Its samples so far are discarded."),
        line("The run continues with the next cell."),
    ]


FINISHING = (
    line("The runner was killed after the last cell; all results are complete."),
    line("Finishing saves the summary and removes containers left behind."),
)


def retrying(run: Run) -> list[Line]:
    """Return the text of the dialog that asks which cells of a complete run to measure again."""
    rest = remaining_cells(run)
    failed, suspect = (len(rest.failed), len(rest.suspect)) if rest else (0, 0)
    noun = "cell is" if suspect == 1 else "cells are"
    return [
        line(f"{counted(failed, 'cell')} failed; {suspect} {noun} suspect or invalid."),
        line("The other cells keep their results."),
    ]


def leaving(run: Run) -> list[Line]:
    """Return the text of the dialog that confirms quitting during a live run."""
    return [
        line(f"{run.name} is live and continues in the background."),
        line("To attach again: ", ("loadbench-tui attach", Tone.ACCENT)),
    ]
