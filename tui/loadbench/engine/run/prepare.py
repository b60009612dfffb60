"""Before a run's first event: everything that may refuse it, then its folder and its journal."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from loadbench.engine.catalog import LATEST, new_run_id
from loadbench.engine.drivers import registry
from loadbench.engine.drivers.protocol import Stack
from loadbench.engine.files import existing
from loadbench.engine.hardware import hardware, versions
from loadbench.engine.journal.codec import VERSION
from loadbench.engine.journal.events import Note, RunResumed, RunStarted
from loadbench.engine.journal.state import CellStatus, RunState, fold, unreadable_profile
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.locks import StackLock
from loadbench.engine.profile.changes import differences
from loadbench.engine.profile.loading import check_files, load_profile
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import REPORT_BYTES, plan_cells
from loadbench.engine.requests.launch import RunPlan, RunRequest
from loadbench.engine.requests.preflight import Preflight
from loadbench.engine.run.requested import requested_profile
from loadbench.engine.run_reader import Run, RunStatus, read_run
from loadbench.errors import JournalError, RefusedError, UsageError, WorkspaceError
from loadbench.workspace import Workspace

SPARE_BYTES = 20_000_000
"""What must be free beyond the reports and the samples, for the logs."""

SAMPLE_BYTES = 3_000
"""About what one second takes in the journal, with a handful of containers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A run whose journal has begun, or goes on, and is locked."""

    folder: Path
    profile: Profile
    stack: Stack
    """Not started yet."""
    journal: JournalWriter
    state: RunState
    lock: StackLock


def prepare_run(request: RunRequest) -> Prepared:
    """Begin a run: nothing of it is visible before its first event is written.

    Raises:
        LoadbenchError: The run is refused, and nothing was left behind.
    """
    workspace, profile = request.workspace, requested_profile(request)
    check_files(workspace, profile)
    found = registry.preflight(workspace, profile)
    lock = StackLock(found.lock)
    home = workspace.reports / request.profile_name
    run_id = _make_home(home, _needed_bytes(profile, len(plan_cells(profile))))
    hidden, folder = home / f".{run_id}.new", home / run_id
    try:
        stack = registry.driver_named(found.driver).open(workspace, profile, folder)
    except BaseException:
        _leave_nothing(hidden)
        raise
    try:
        hidden.mkdir()
        text = yaml.safe_dump(profile.resolved(), sort_keys=False, allow_unicode=True)
        (hidden / "profile.yaml").write_text(text, encoding="utf-8")
        journal = JournalWriter(hidden)
        entry = journal.append(_first_event(request, profile, found, run_id))
        notes = [journal.append(Note(text=f"warning: {it}")) for it in found.warnings]
        hidden.rename(folder)
    except OSError as error:
        _leave_nothing(hidden)
        raise WorkspaceError(f"{error.filename or home}: {error.strerror}") from error
    except BaseException:
        _leave_nothing(hidden)
        raise
    journal.moved_to(folder)
    lock.name_holder(folder)
    _point_latest(home, run_id)
    return Prepared(
        folder=folder,
        profile=profile,
        stack=stack,
        journal=journal,
        state=fold([entry, *notes]),
        lock=lock,
    )


def _first_event(
    request: RunRequest, profile: Profile, found: Preflight, run_id: str
) -> RunStarted:
    """Return the event that says everything that a reader must know of a new run."""
    return RunStarted(
        v=VERSION,
        pid=os.getpid(),
        run=run_id,
        workspace=request.workspace_root,
        profile_name=request.profile_name,
        profile_file=str(Path(request.profile_file).resolve()),
        profile=profile.resolved(),
        overrides=request.overrides,
        cells=plan_cells(profile),
        driver=found.driver,
        driver_reason=found.reason,
        hardware=_hardware(found),
        versions=versions(),
        project=found.facts.project,
    )


def preview_run(request: RunRequest) -> RunPlan:
    """Return what a run of a profile would be; nothing is begun.

    Raises:
        LoadbenchError: The run would be refused.
    """
    workspace, profile = request.workspace, requested_profile(request)
    check_files(workspace, profile)
    found = registry.preflight(workspace, profile)
    return _preview(workspace, profile, found, len(plan_cells(profile)))


def preview_resume(workspace: Workspace, folder: Path, *, retry_failed: bool) -> RunPlan:
    """Return what going on with a run would be; nothing is begun.

    Raises:
        LoadbenchError: It would be refused.
    """
    resumable = _resumable(workspace, folder, retry_failed=retry_failed)
    return _preview(workspace, resumable.profile, resumable.found, resumable.cells)


def prepare_resume(workspace: Workspace, folder: Path, *, retry_failed: bool) -> Prepared:
    """Go on with a run that was interrupted or stopped.

    Args:
        workspace: Where its profile came from.
        folder: The run's folder.
        retry_failed: Measure its failed cells again too.

    Raises:
        LoadbenchError: The run is refused, and nothing was changed.
    """
    resumable = _resumable(workspace, folder, retry_failed=retry_failed)
    profile, found = resumable.profile, resumable.found
    lock = StackLock(found.lock)
    _check_space(folder, _needed_bytes(profile, resumable.cells))
    stack = registry.driver_named(found.driver).open(workspace, profile, folder)
    journal = JournalWriter(folder)
    event = RunResumed(
        pid=os.getpid(), retry=resumable.retry, hardware=_hardware(found), versions=versions()
    )
    journal.append(event)
    lock.name_holder(folder)
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
    """A run that can be gone on with."""

    profile: Profile
    found: Preflight
    retry: tuple[str, ...]
    cells: int
    """How many are left to measure."""


def _resumable(workspace: Workspace, folder: Path, *, retry_failed: bool) -> _Resumable:
    run = read_run(folder)
    if run.status is RunStatus.LIVE:
        raise UsageError(f"{run.name} is live; `loadbench-tui stop {run.name}` ends it")
    _refuse_other_workspace(run, workspace)
    profile = _unchanged_profile(run.state)
    failed = [k for k, cell in run.state.cells.items() if cell.status is CellStatus.FAILED]
    retry = tuple(failed) if retry_failed else ()
    if not run.state.outstanding and not retry:
        hint = f"; --retry-failed measures its {len(failed)} failed cells again" if failed else ""
        raise UsageError(f"{run.name}: every cell is over{hint}")
    check_files(workspace, profile)
    return _Resumable(
        profile=profile,
        found=_same_driver(workspace, profile, run.state),
        retry=retry,
        cells=len(run.state.outstanding) + len(retry),
    )


def _preview(workspace: Workspace, profile: Profile, found: Preflight, cells: int) -> RunPlan:
    return RunPlan(
        preflight=found,
        needed_bytes=_needed_bytes(profile, cells),
        free_bytes=shutil.disk_usage(existing(workspace.reports)).free,
    )


def _refuse_other_workspace(run: Run, workspace: Workspace) -> None:
    assert run.state.started is not None
    root = run.state.started.workspace
    if root != str(workspace.root):
        raise UsageError(
            f"{run.name} belongs to the workspace {root}, this one is {workspace.root}: "
            f"`loadbench-tui --workspace {root} run --resume {run.name}`"
        )


def _unchanged_profile(state: RunState) -> Profile:
    """Return the profile of a run, unless its file says something else by now."""
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
                f"{file} has changed since the run began: {'; '.join(changes)}. Cells of two "
                "profiles do not belong in one table: restore it, or start a new run"
            )
    return profile


def _same_driver(workspace: Workspace, profile: Profile, state: RunState) -> Preflight:
    """Return the driver that a run was begun with, if it has the same engine still."""
    started = state.started
    assert started is not None
    found = registry.preflight(workspace, profile, only=started.driver)
    before, now = started.project, found.facts.project
    if before and now and before.engine != now.engine:
        raise RefusedError(
            f"the run was begun on the Docker engine at {before.engine}, this one is at "
            f"{now.engine}; cells of two machines do not belong in one table: see DOCKER_HOST "
            "and `docker context use`"
        )
    return found


def _hardware(preflight: Preflight) -> dict[str, Any]:
    found, engine = hardware(), preflight.facts.engine
    return {**found, "engine": dict(engine)} if engine else found


def _make_home(home: Path, needed_bytes: int) -> str:
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not os.access(home, os.W_OK | os.X_OK):
            raise WorkspaceError(f"{home}: no permission to write; reports go there")
    except OSError as error:
        raise WorkspaceError(f"{home}: {error.strerror}; reports go there") from error
    try:
        _check_space(home, needed_bytes)
    except RefusedError:
        with suppress(OSError):
            home.rmdir()
        raise
    return new_run_id(home, datetime.now())


def _leave_nothing(hidden: Path) -> None:
    """Remove what was made of a run that is refused, and its home unless other runs are there."""
    shutil.rmtree(hidden, ignore_errors=True)
    with suppress(OSError):
        hidden.parent.rmdir()


def _needed_bytes(profile: Profile, cells: int) -> int:
    seconds = profile.settle.max + profile.run_time
    return SPARE_BYTES + round(cells * (REPORT_BYTES + seconds * SAMPLE_BYTES))


def _check_space(folder: Path, needed_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise RefusedError(
            f"{folder}: {free / 1e6:.0f} MB free, about {needed_bytes / 1e6:.0f} MB are needed; "
            "free some, or measure fewer cells"
        )


def _point_latest(home: Path, run_id: str) -> None:
    link, fresh = home / LATEST, home / f".{LATEST}.new"
    try:
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(run_id)
        fresh.replace(link)
    except OSError:
        # A convenience: file systems without links go without it.
        fresh.unlink(missing_ok=True)
