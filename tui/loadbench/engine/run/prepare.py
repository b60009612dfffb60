"""Prepare a run: run all checks that can refuse it, then create its folder and journal."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from loadbench.engine.catalog import new_run_id, update_latest_link
from loadbench.engine.drivers import registry
from loadbench.engine.drivers.protocol import Stack
from loadbench.engine.files import nearest_existing
from loadbench.engine.hardware.record import hardware
from loadbench.engine.hardware.versions import versions
from loadbench.engine.journal.codec import VERSION
from loadbench.engine.journal.events import Note, RunResumed, RunStarted
from loadbench.engine.journal.state import CellStatus, RunState, fold
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.locks import StackLock
from loadbench.engine.profile.changes import differences
from loadbench.engine.profile.loading import check_files, load_profile
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import REPORT_BYTES, plan_cells
from loadbench.engine.profile.recorded import unreadable_profile
from loadbench.engine.requests.launch import RunPlan, RunRequest
from loadbench.engine.requests.preflight import Preflight
from loadbench.engine.run.requested import requested_profile
from loadbench.engine.run_reader import Run, RunStatus, read_run
from loadbench.errors import JournalError, RefusedError, UsageError, WorkspaceError
from loadbench.workspace import Workspace

SPARE_BYTES = 20_000_000
"""Bytes that must be free for logs, in addition to reports and samples."""

SAMPLE_BYTES = 3_000
"""Approximate size in bytes of one sample in the journal, with a handful of containers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A new or resumed run that is ready to start. Its journal is open and locked."""

    folder: Path
    profile: Profile
    stack: Stack
    """The service under test, not started yet."""
    journal: JournalWriter
    state: RunState
    lock: StackLock


def prepare_run(request: RunRequest) -> Prepared:
    """Prepare a new run. Its folder becomes visible only after the first event is written.

    Raises:
        LoadbenchError: The run is refused; nothing remains on the disk.
    """
    workspace, profile = request.workspace, requested_profile(request)
    check_files(workspace, profile)
    preflight = registry.preflight(workspace, profile)
    lock = StackLock(preflight.lock)
    parent = workspace.reports / request.profile_name
    run_id = _make_parent(parent, _needed_bytes(profile, len(plan_cells(profile))))
    hidden, folder = parent / f".{run_id}.new", parent / run_id
    try:
        stack = registry.get_driver(preflight.driver).open(workspace, profile, folder)
    except BaseException:
        _remove_folder(hidden)
        raise
    try:
        hidden.mkdir()
        text = yaml.safe_dump(profile.resolved(), sort_keys=False, allow_unicode=True)
        (hidden / "profile.yaml").write_text(text, encoding="utf-8")
        journal = JournalWriter(hidden)
        entry = journal.append(_first_event(request, profile, preflight, run_id))
        notes = [journal.append(Note(text=f"warning: {warning}")) for warning in preflight.warnings]
        hidden.rename(folder)
    except OSError as error:
        _remove_folder(hidden)
        raise WorkspaceError(f"{error.filename or parent}: {error.strerror}") from error
    except BaseException:
        _remove_folder(hidden)
        raise
    journal.moved_to(folder)
    lock.record_holder(folder)
    update_latest_link(parent, run_id)
    return Prepared(
        folder=folder,
        profile=profile,
        stack=stack,
        journal=journal,
        state=fold([entry, *notes]),
        lock=lock,
    )


def _first_event(
    request: RunRequest, profile: Profile, preflight: Preflight, run_id: str
) -> RunStarted:
    """Return the event that describes a new run."""
    return RunStarted(
        v=VERSION,
        pid=os.getpid(),
        run=run_id,
        workspace=request.workspace_root,
        profile_name=request.profile_name,
        profile_file=str(Path(request.profile_file).resolve()),
        profile=profile.resolved(),
        overrides=request.overrides,
        label=request.label,
        cells=plan_cells(profile),
        driver=preflight.driver,
        driver_reason=preflight.reason,
        hardware=_hardware(request.workspace, preflight),
        versions=versions(),
        project=preflight.facts.project,
    )


def preview_run(request: RunRequest) -> RunPlan:
    """Run all checks for a new run and return its plan, without starting anything.

    Raises:
        LoadbenchError: The run would be refused.
    """
    workspace, profile = request.workspace, requested_profile(request)
    check_files(workspace, profile)
    preflight = registry.preflight(workspace, profile)
    return _preview(workspace, profile, preflight, len(plan_cells(profile)))


def preview_resume(workspace: Workspace, folder: Path, *, retry_failed: bool) -> RunPlan:
    """Run all checks for resuming a run and return its plan, without starting anything.

    Raises:
        LoadbenchError: The run would be refused.
    """
    resumable = _resumable(workspace, folder, retry_failed=retry_failed)
    return _preview(workspace, resumable.profile, resumable.preflight, resumable.cells)


def prepare_resume(workspace: Workspace, folder: Path, *, retry_failed: bool) -> Prepared:
    """Prepare to resume a run that was interrupted or stopped.

    Args:
        workspace: The workspace of the run.
        folder: The run's folder.
        retry_failed: Whether to measure failed cells again, too.

    Raises:
        LoadbenchError: The run is refused; nothing was changed.
    """
    resumable = _resumable(workspace, folder, retry_failed=retry_failed)
    profile, preflight = resumable.profile, resumable.preflight
    lock = StackLock(preflight.lock)
    _check_space(folder, _needed_bytes(profile, resumable.cells))
    stack = registry.get_driver(preflight.driver).open(workspace, profile, folder)
    journal = JournalWriter(folder)
    event = RunResumed(
        pid=os.getpid(),
        retry=resumable.retry,
        hardware=_hardware(workspace, preflight),
        versions=versions(),
    )
    journal.append(event)
    lock.record_holder(folder)
    return Prepared(
        folder=folder,
        profile=profile,
        stack=stack,
        journal=journal,
        state=read_run(folder).state,
        lock=lock,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resumable:
    """Result of the checks before a resume."""

    profile: Profile
    preflight: Preflight
    retry: tuple[str, ...]
    """Keys of the failed cells to measure again."""
    cells: int
    """Number of cells to measure, including failed cells to retry."""


def _resumable(workspace: Workspace, folder: Path, *, retry_failed: bool) -> _Resumable:
    run = read_run(folder)
    if run.status is RunStatus.LIVE:
        raise UsageError(f"{run.name} is live. To stop it: loadbench-tui stop {run.name}")
    _refuse_other_workspace(run, workspace)
    profile = _unchanged_profile(run.state)
    failed = [key for key, cell in run.state.cells.items() if cell.status is CellStatus.FAILED]
    retry = tuple(failed) if retry_failed else ()
    if not run.state.outstanding and not retry:
        cells = "cell" if len(failed) == 1 else "cells"
        hint = f"; to retry {len(failed)} failed {cells}, add --retry-failed" if failed else ""
        raise UsageError(f"{run.name}: no cells left to measure{hint}")
    check_files(workspace, profile)
    return _Resumable(
        profile=profile,
        preflight=_same_driver(workspace, profile, run.state),
        retry=retry,
        cells=len(run.state.outstanding) + len(retry),
    )


def _preview(workspace: Workspace, profile: Profile, preflight: Preflight, cells: int) -> RunPlan:
    return RunPlan(
        preflight=preflight,
        needed_bytes=_needed_bytes(profile, cells),
        free_bytes=shutil.disk_usage(nearest_existing(workspace.reports)).free,
    )


def _refuse_other_workspace(run: Run, workspace: Workspace) -> None:
    assert run.state.started is not None
    root = run.state.started.workspace
    if root != str(workspace.root):
        raise UsageError(
            f"{run.name} belongs to the workspace {root}, not to {workspace.root}. "
            f"Run: loadbench-tui --workspace {root} run --resume {run.name}"
        )


def _unchanged_profile(state: RunState) -> Profile:
    """Return the profile of a run, and refuse the resume if its file has changed."""
    started, profile = state.started, state.profile
    assert started is not None
    if profile is None:
        raise JournalError(state.profile_problem)
    if state.profile_unknown:
        raise JournalError(unreadable_profile(started.run, state.profile_unknown))
    file = Path(started.profile_file)
    if file.is_file():
        now = load_profile(file, started.overrides).resolved()
        if changes := differences(profile.resolved(), now):
            raise RefusedError(
                f"{file} has changed since the run started: {'; '.join(changes)}. Cells of "
                "different profiles cannot be compared. Restore the file, or start a new run"
            )
    return profile


def _same_driver(workspace: Workspace, profile: Profile, state: RunState) -> Preflight:
    """Run the preflight of the run's driver, and refuse a resume on another Docker engine."""
    started = state.started
    assert started is not None
    preflight = registry.preflight(workspace, profile, only=started.driver)
    before, now = started.project, preflight.facts.project
    if before and now and before.engine != now.engine:
        raise RefusedError(
            f"the run started on the Docker engine at {before.engine}, but the current engine is "
            f"{now.engine}. Cells of different machines cannot be compared. Check DOCKER_HOST and "
            "`docker context use`"
        )
    return preflight


def _hardware(workspace: Workspace, preflight: Preflight) -> dict[str, Any]:
    machine, engine = hardware(workspace.reports), preflight.facts.engine
    return {**machine, "engine": dict(engine)} if engine else machine


def _make_parent(parent: Path, needed_bytes: int) -> str:
    """Create the folder of a profile's runs and return an unused run id."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        if not os.access(parent, os.W_OK | os.X_OK):
            raise WorkspaceError(f"cannot save reports in {parent}: no write permission")
    except OSError as error:
        raise WorkspaceError(f"cannot save reports in {parent}: {error.strerror}") from error
    try:
        _check_space(parent, needed_bytes)
    except RefusedError:
        with suppress(OSError):
            parent.rmdir()
        raise
    return new_run_id(parent, datetime.now())


def _remove_folder(hidden: Path) -> None:
    """Remove the folder of a refused run, and its parent if it has no other runs."""
    shutil.rmtree(hidden, ignore_errors=True)
    with suppress(OSError):
        hidden.parent.rmdir()


def _needed_bytes(profile: Profile, cells: int) -> int:
    seconds = profile.settle.max + profile.run_time
    return SPARE_BYTES + round(cells * (REPORT_BYTES + seconds * SAMPLE_BYTES))


def _check_space(folder: Path, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise RefusedError(
            f"{folder}: {free_bytes / 1e6:.0f} MB free, about {needed_bytes / 1e6:.0f} MB needed. "
            "Free some disk space, or measure fewer cells"
        )
