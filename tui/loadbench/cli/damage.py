"""The message about damaged lines in the journal of a run."""

from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.report.damage import damage_phrase, lost_cells
from loadbench.engine.run_reader import Run, RunStatus


def damage_message(run: Run) -> str:
    """Return which results are lost through damaged lines. Empty if no line is damaged."""
    is_live = run.status is RunStatus.LIVE
    lost = lost_cells(run.state, is_live=is_live)
    phrase = damage_phrase(run.state)
    message = f"{run.folder / FILE_NAME}: {phrase}" if phrase else ""
    if not lost:
        return message
    has = "has" if len(lost) == 1 else "have"
    message += f"; {', '.join(lost)} {has} no readable result"
    return message if is_live else f"{message}. To measure: loadbench-tui run --resume {run.name}"
