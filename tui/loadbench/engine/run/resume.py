"""Prepare to resume a run: run all checks that can refuse it, then continue its journal."""

import os
from dataclasses import dataclass
from pathlib import Path

from loadbench.engine.drivers import registry
from loadbench.engine.hardware.versions import versions
from loadbench.engine.journal.events import Note, RunResumed
from loadbench.engine.journal.state import RunState
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.load.source.files import check_all_files
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.recorded import unreadable_profile
from loadbench.engine.profile.values.resolving import ResolvedProfile, resolve_profile
from loadbench.engine.profile.values.restoring import (
    changes_since,
    overridden_keys,
    restored,
    written_values,
)
from loadbench.engine.requests.launch import RunPlan, RunRequest
from loadbench.engine.requests.preflight import Preflight
from loadbench.engine.requests.resumption import Resumption, plan_resumption, remaining_cells
from loadbench.engine.run.prepare import (
    Prepared,
    lock_stack,
    plan_of,
    recorded_hardware,
    refuse_other_engine,
    stack_opener,
)
from loadbench.engine.run.space import check_space, needed_space
from loadbench.engine.run_reader import Run, RunStatus, read_run
from loadbench.errors import JournalError, RefusedError, UsageError
from loadbench.paths import is_file
from loadbench.workspace import Workspace


def preview_resume(request: RunRequest, folder: Path) -> RunPlan:
    """Run all checks for resuming a run and return its plan, without starting anything.

    Raises:
        LoadbenchError: The run would be refused.
    """
    resumable = _resumable(request, folder)
    cells = len(resumable.resumption.cells)
    return plan_of(request.workspace, resumable.run_profile, resumable.preflight, cells)


def prepare_resume(request: RunRequest, folder: Path) -> Prepared:
    """Prepare to resume a run that is not live.

    Args:
        request: The request to resume the run.
        folder: The run's folder.

    Raises:
        LoadbenchError: The run is refused; nothing was changed.
    """
    resumable = _resumable(request, folder)
    with resumable.run_profile.masker.errors():
        return _prepare(request, folder, resumable)


def _prepare(request: RunRequest, folder: Path, resumable: "_Resumable") -> Prepared:
    workspace, run_profile = request.workspace, resumable.run_profile
    profile, preflight = run_profile.resolved, resumable.preflight
    resumption = resumable.resumption
    lock = lock_stack(preflight, request)
    check_space(folder, needed_space(profile, len(resumption.cells)))
    open_stack = stack_opener(workspace, run_profile, preflight, folder, lock)
    journal = JournalWriter(folder, masker=run_profile.masker)
    event = RunResumed(
        pid=os.getpid(),
        retry=resumption.again,
        hardware=recorded_hardware(workspace, preflight),
        versions=versions(),
        added=resumption.added,
    )
    journal.append(event)
    for text in run_profile.notes():
        journal.append(Note(text=text))
    if lock.is_held:
        lock.record_holder(folder)
    return Prepared(
        folder=folder,
        profile=profile,
        masker=run_profile.masker,
        journal=journal,
        state=read_run(folder).state,
        lock=lock,
        open_stack=open_stack,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resumable:
    """Result of the checks before a resume."""

    run_profile: ResolvedProfile
    preflight: Preflight
    resumption: Resumption


def _resumable(request: RunRequest, folder: Path) -> _Resumable:
    workspace, run = request.workspace, read_run(folder)
    if run.status is RunStatus.LIVE:
        raise UsageError(f"{run.name} is live. To stop it: loadbench-tui stop {run.name}")
    refuse_other_workspace(run, workspace)
    run_profile = resolve_profile(_unchanged_profile(run.state))
    with run_profile.masker.errors():
        return _checked(request, run, run_profile)


def _checked(request: RunRequest, run: Run, run_profile: ResolvedProfile) -> _Resumable:
    workspace = request.workspace
    resumption = plan_resumption(run.state, again=request.again, points=request.added)
    if not resumption.cells:
        raise UsageError(f"{run.name}: no cells left to measure{_hint(run)}")
    check_all_files(workspace, run_profile.resolved)
    return _Resumable(
        run_profile=run_profile,
        preflight=_same_driver(workspace, run_profile.resolved, run.state),
        resumption=resumption,
    )


def _hint(run: Run) -> str:
    """Return the options that would find cells to measure."""
    found = remaining_cells(run)
    hints = []
    if found and found.failed:
        cells = "cell" if len(found.failed) == 1 else "cells"
        hints.append(f"to retry {len(found.failed)} failed {cells}, add --retry-failed")
    if found and found.suspect:
        cells = "cell" if len(found.suspect) == 1 else "cells"
        hints.append(
            f"to measure {len(found.suspect)} suspect or invalid {cells} again, add --retry-suspect"
        )
    hints.append("to measure any cell again, add --again CELL")
    return "".join(f"; {hint}" for hint in hints)


def refuse_other_workspace(run: Run, workspace: Workspace) -> None:
    """Refuse to resume a run of another workspace.

    Raises:
        UsageError: The workspaces differ.
    """
    assert run.state.started is not None
    root = run.state.started.workspace
    if root != str(workspace.root):
        raise UsageError(
            f"{run.name} belongs to the workspace {root}, not to {workspace.root}. "
            f"Run: loadbench-tui --workspace {root} run --resume {run.name}"
        )


def _unchanged_profile(state: RunState) -> Profile:
    """Return the profile of a run with its secrets, and refuse the resume if it has changed.

    Raises:
        JournalError: This version cannot read the profile.
        RefusedError: The profile file has changed, or secrets are missing.
    """
    started, profile = state.started, state.profile
    assert started is not None
    if profile is None:
        raise JournalError(state.profile_problem)
    if state.profile_unknown:
        raise JournalError(unreadable_profile(started.run, state.profile_unknown))
    file, written = Path(started.profile_file), {}
    if is_file(file):
        now = load_profile(file, started.overrides).resolved()
        if changes := changes_since(profile.resolved(), started.masked, now):
            raise RefusedError(
                f"{file} has changed since the run started: {'; '.join(changes)}. Cells of "
                "different profiles cannot be compared. Restore the file, or start a new run"
            )
        written = written_values(file, started.overrides, started.masked)
    return restored(
        profile,
        started.masked,
        file=file,
        written=written,
        overridden=overridden_keys(started.overrides, started.masked),
        environ=os.environ,
    )


def _same_driver(workspace: Workspace, profile: Profile, state: RunState) -> Preflight:
    """Run the preflight of the run's driver, and refuse a resume on another Docker engine."""
    started = state.started
    assert started is not None
    preflight = registry.preflight(workspace, profile, only=started.driver)
    refuse_other_engine(started.project, preflight.facts.project)
    return preflight
