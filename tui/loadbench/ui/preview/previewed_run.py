"""Build the preview for resuming a run, and its request."""

from collections.abc import Sequence

from loadbench.engine.journal.state import ENDED_STATUSES, CellStatus
from loadbench.engine.requests.launch import RunRequest
from loadbench.engine.run_reader import Run, remaining_cells
from loadbench.errors import JournalError
from loadbench.ui.preview.lines import PreviewedRun
from loadbench.wording import counted
from loadbench.workspace import Workspace


def to_resume(
    workspace: Workspace, run: Run, earlier: Sequence[Run]
) -> tuple[PreviewedRun, RunRequest] | None:
    """Return the preview for resuming a run, and its request, or None if no cell remains.

    Args:
        workspace: The workspace.
        run: The run to resume.
        earlier: The runs of its profile, newest first, including this one.

    Raises:
        JournalError: This version cannot read the profile of the run.
    """
    rest = remaining_cells(run)
    if rest is None or run.state.started is None:
        return None
    profile = run.state.profile
    if profile is None:
        raise JournalError(run.state.profile_problem)
    cells = run.state.cells.values()
    if rest.retry_failed:
        remaining = [cell for cell in cells if cell.status is CellStatus.FAILED]
        summary = f"Retries {counted(rest.cells, 'failed cell')} out of {len(cells)}."
    else:
        remaining = [cell for cell in cells if cell.status not in ENDED_STATUSES]
        verb = "remains" if rest.cells == 1 else "remain"
        summary = f"{rest.cells} of {counted(len(cells), 'cell')} {verb}."
    preview = PreviewedRun(
        name=run.name,
        profile=profile,
        cells=tuple(state.cell for state in remaining),
        resume_summary=f"{summary} The other cells keep their results.",
        earlier=earlier,
    )
    request = RunRequest.to_resume(workspace, run.folder, retry_failed=rest.retry_failed)
    return preview, request
