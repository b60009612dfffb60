"""What is about to be started, and the request to the runner that would do it."""

from pathlib import Path

from loadbench.engine.journal.state import OVER, CellStatus
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import plan_cells
from loadbench.engine.requests.launch import RunRequest
from loadbench.engine.run_reader import Run, rest_of
from loadbench.errors import JournalError
from loadbench.ui.preview.lines import Intention
from loadbench.workspace import Workspace


def to_run(workspace: Workspace, file: Path, profile: Profile) -> tuple[Intention, RunRequest]:
    """Return what starting a new run of a profile is, and the request for it."""
    intention = Intention(name=file.stem, profile=profile, cells=plan_cells(profile))
    return intention, RunRequest.to_run(workspace, file, profile)


def to_resume(workspace: Workspace, run: Run) -> tuple[Intention, RunRequest] | None:
    """Return what going on with a run is, and the request for it; None: nothing is left of it.

    Raises:
        JournalError: Its profile is one that this version cannot read.
    """
    rest = rest_of(run)
    if rest is None or run.state.started is None:
        return None
    profile = run.state.profile
    if profile is None:
        raise JournalError(run.state.profile_problem)
    left = [it for it in run.state.cells.values() if it.status not in OVER]
    if rest.retry_failed:
        left = [it for it in run.state.cells.values() if it.status is CellStatus.FAILED]
    what = "have failed; they are measured again" if rest.retry_failed else "are left"
    intention = Intention(
        name=run.name,
        profile=profile,
        cells=tuple(it.cell for it in left),
        again=f"{rest.cells} of its {len(run.state.cells)} cells {what}. The others stay.",
    )
    request = RunRequest.to_resume(workspace, run.folder, retry_failed=rest.retry_failed)
    return intention, request
