"""Build the preview for resuming a run, and its request."""

from collections.abc import Mapping, Sequence

from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.profile.model import Profile
from loadbench.engine.requests.launch import RunRequest
from loadbench.engine.requests.resumption import Resumption, plan_resumption, resumed_state
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.engine.search.continuation import can_continue
from loadbench.engine.search.eta import remaining_range_s
from loadbench.errors import JournalError
from loadbench.ui.preview.lines import PreviewedRun
from loadbench.wording import counted
from loadbench.wording.search import range_text
from loadbench.workspace import Workspace


def to_resume(
    workspace: Workspace,
    run: Run,
    earlier: Sequence[Run],
    *,
    again: tuple[str, ...] = (),
    added: tuple[Mapping[str, float], ...] = (),
) -> tuple[PreviewedRun, RunRequest] | None:
    """Return the preview for resuming a run, and its request, or None if no cell remains.

    Args:
        workspace: The workspace.
        run: The run to resume.
        earlier: The runs of its profile, newest first, including this one.
        again: Keys of the cells to measure again, too.
        added: Grid points to add, each with the fields of a `Point`.

    Raises:
        JournalError: This version cannot read the profile of the run.
        UsageError: A cell cannot be measured again, or a point cannot be added.
    """
    if run.status is RunStatus.LIVE or run.state.started is None:
        return None
    profile = run.state.profile
    if profile is None:
        raise JournalError(run.state.profile_problem)
    resumption = plan_resumption(run.state, again=again, points=added)
    if not resumption.cells:
        return None
    preview = PreviewedRun(
        name=run.name,
        profile=profile,
        cells=resumption.cells,
        resume_summary=_summary(run.state, resumption),
        earlier=earlier,
        remaining=_remaining(run.state, profile, resumption),
    )
    return preview, RunRequest.to_resume(workspace, run.folder, again=again, added=added)


def _remaining(state: RunState, profile: Profile, resumption: Resumption) -> str:
    """Return the remaining time of a search that is resumed, or '' for other runs."""
    if not can_continue(state):
        return ""
    resumed = resumed_state(state, again=resumption.again, added=resumption.added)
    return range_text(*remaining_range_s(profile, resumed))


def _summary(state: RunState, resumption: Resumption) -> str:
    """Return which cells resuming a run would measure, and what happens to the other results."""
    total, pending = len(state.cells), len(state.outstanding)
    again = [state.cells[key] for key in resumption.again]
    parts = []
    if again:
        parts.append(_again(again, total))
    if any(cell.status is CellStatus.FINISHED for cell in again):
        one = len(again) == 1
        hidden = "its result is" if one else "their results are"
        parts.append(f"Until then, {hidden} hidden; the journal keeps {'it' if one else 'them'}.")
    if resumption.added:
        key = resumption.added[0].key
        repeats = f" with {len(resumption.added)} repeats" if len(resumption.added) > 1 else ""
        parts.append(f"Adds {key}{repeats}.")
    if can_continue(state):
        parts.append("The search continues.")
    if pending:
        verb = "remains" if pending == 1 else "remain"
        parts.append(f"{pending} of {counted(total, 'cell')} {verb}.")
    if total > len(again) + pending:
        parts.append("The other cells keep their results.")
    return " ".join(parts)


def _again(cells: Sequence[CellState], total: int) -> str:
    """Return which cells are measured again."""
    if len(cells) == 1:
        return f"Measures {cells[0].cell.key} again."
    if all(cell.status is CellStatus.FAILED for cell in cells):
        return f"Retries {len(cells)} failed cells out of {total}."
    return f"Measures {len(cells)} of {total} cells again."
