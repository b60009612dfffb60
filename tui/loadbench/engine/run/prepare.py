"""Prepare a new run: run all checks that can refuse it, then create its folder and journal."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from loadbench.engine.disk import Space, free_space, full_reason, lack_of_space
from loadbench.engine.drivers import registry
from loadbench.engine.drivers.protocol import Stack
from loadbench.engine.hardware.record import hardware
from loadbench.engine.hardware.revision import Revision, find_revisions
from loadbench.engine.hardware.versions import versions
from loadbench.engine.journal.codec import VERSION
from loadbench.engine.journal.events import Note, Project, RunStarted
from loadbench.engine.journal.state import RunState, fold
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.load.sampling import sampling_plan
from loadbench.engine.load.source.files import check_all_files, find_locustfiles
from loadbench.engine.locks import StackLock
from loadbench.engine.masking import Masker
from loadbench.engine.measure.sampling.needs import (
    SamplingPlan,
    sampling_advice,
    sampling_text,
)
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import first_cells, plan_cells
from loadbench.engine.profile.values.resolving import ResolvedProfile
from loadbench.engine.requests.holder import Holder, find_holder, in_use
from loadbench.engine.requests.launch import RunPlan, RunRequest
from loadbench.engine.requests.pages import TIMEOUT_S
from loadbench.engine.requests.preflight import Preflight
from loadbench.engine.run.requested import requested_profile
from loadbench.engine.run.space import SPARE, check_space, needed_space
from loadbench.engine.run_lookup import runs_of_profile, update_latest_link
from loadbench.engine.run_order import new_run_id
from loadbench.engine.run_reader import ended_states, read_run
from loadbench.engine.search.eta import most_cells
from loadbench.errors import JournalError, RefusedError, WorkspaceError
from loadbench.workspace import Workspace

_PROBE_S = 0.2
"""Seconds to retry the lock of the stack, which a preview holds for less."""

_ENDING_S = 2 * TIMEOUT_S
"""Seconds to wait for a run that has recorded its end and writes its page, which is tried twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A new or resumed run that is ready to start. Its journal is open and locked."""

    folder: Path
    profile: Profile
    """The profile with its references resolved."""
    masker: Masker
    """Masks the secret values of the profile."""
    journal: JournalWriter
    state: RunState
    lock: StackLock
    """The lock of the stack. If it is not held, the run waits for it."""
    open_stack: Callable[[], Stack]
    """Returns the service under test, not started yet. May block. The lock must be held.

    After a wait, it first repeats the checks whose result may have changed.

    Raises:
        LoadbenchError: The machine or the files have changed meanwhile.
    """


def prepare_run(request: RunRequest) -> Prepared:
    """Prepare a new run. Its folder becomes visible only after the first event is written.

    Raises:
        LoadbenchError: The run is refused; nothing remains on the disk.
    """
    profile = requested_profile(request)
    with profile.masker.errors():
        return _prepare(request, profile)


def _prepare(request: RunRequest, run_profile: ResolvedProfile) -> Prepared:
    workspace, profile, masker = request.workspace, run_profile.resolved, run_profile.masker
    check_all_files(workspace, profile)
    preflight = registry.preflight(workspace, profile)
    cells = most_cells(profile)
    lock = lock_stack(preflight, request)
    parent = workspace.reports / request.profile_name
    run_id = _make_parent(parent, needed_space(profile, cells))
    hidden, folder = parent / f".{run_id}.new", parent / run_id
    try:
        open_stack = stack_opener(workspace, run_profile, preflight, folder, lock)
    except BaseException:
        _remove_folder(hidden)
        raise
    try:
        hidden.mkdir()
    except OSError as error:
        # Another runner may have created it at the same moment, so it must not be removed.
        reason = full_reason(error, hidden) or f"{error.strerror}. Start the run again"
        raise WorkspaceError(f"{hidden}: {reason}") from error
    try:
        text = yaml.safe_dump(run_profile.recorded, sort_keys=False, allow_unicode=True)
        (hidden / "profile.yaml").write_text(text, encoding="utf-8")
        journal = JournalWriter(hidden, masker=masker)
        warnings = (f"warning: {warning}" for warning in preflight.warnings)
        entries = [journal.append(_first_event(request, run_profile, preflight, run_id))]
        entries += (journal.append(Note(text=text)) for text in (*warnings, *run_profile.notes()))
        hidden.rename(folder)
    except OSError as error:
        _remove_folder(hidden)
        file = Path(error.filename or parent)
        raise WorkspaceError(f"{file}: {full_reason(error, file) or error.strerror}") from error
    except BaseException:
        _remove_folder(hidden)
        raise
    journal.moved_to(folder)
    if lock.is_held:
        lock.record_holder(folder)
    update_latest_link(parent, run_id)
    return Prepared(
        folder=folder,
        profile=profile,
        masker=masker,
        journal=journal,
        state=fold(entries),
        lock=lock,
        open_stack=open_stack,
    )


def lock_stack(preflight: Preflight, request: RunRequest) -> StackLock:
    """Return the lock of a run's stack, held unless the run is to wait for it.

    Raises:
        RefusedError: Another run holds the lock, and this one is not to wait.
    """
    lock = StackLock(preflight.lock)
    if not lock.acquire(retry_s=_PROBE_S) and not request.wait:
        retry_s = _ENDING_S if _has_ended(lock.holder) else 0.0
        if not lock.acquire(retry_s=retry_s):
            lock.release()
            reports = request.workspace.reports
            raise RefusedError(in_use(find_holder(preflight.lock, reports) or Holder()))
    return lock


def _has_ended(folder: Path | None) -> bool:
    """Return whether the run in a folder has recorded its end."""
    if folder is None:
        return False
    try:
        return read_run(folder).state.finished is not None
    except (JournalError, OSError):
        return False


def stack_opener(
    workspace: Workspace,
    run_profile: ResolvedProfile,
    preflight: Preflight,
    folder: Path,
    lock: StackLock,
) -> Callable[[], Stack]:
    """Return `Prepared.open_stack`. Open the stack immediately if the lock is held.

    Raises:
        LoadbenchError: The stack cannot be opened.
    """
    driver = registry.get_driver(preflight.driver)
    profile, masker = run_profile.resolved, run_profile.masker
    if lock.is_held:
        stack = driver.open(workspace, profile, folder, masker)
        return lambda: stack

    def open_after_wait() -> Stack:
        check_all_files(workspace, profile)
        now = registry.preflight(workspace, profile, only=preflight.driver)
        refuse_other_engine(preflight.facts.project, now.facts.project)
        check_space(folder, SPARE)
        return driver.open(workspace, profile, folder, masker)

    return open_after_wait


def refuse_other_engine(before: Project | None, now: Project | None) -> None:
    """Refuse to continue a run on a Docker engine other than the one on which it started.

    Raises:
        RefusedError: The engines differ.
    """
    if before and now and before.engine != now.engine:
        raise RefusedError(
            f"the run started on the Docker engine at {before.engine}, but the current engine is "
            f"{now.engine}. Cells of different machines cannot be compared. Check DOCKER_HOST and "
            "`docker context use`"
        )


def _first_event(
    request: RunRequest, run_profile: ResolvedProfile, preflight: Preflight, run_id: str
) -> RunStarted:
    """Return the event that describes a new run."""
    profile = run_profile.resolved
    window_s = _sampling(request, profile).expected_of if profile.is_run_time_auto else {}
    return RunStarted(
        v=VERSION,
        pid=os.getpid(),
        run=run_id,
        workspace=request.workspace_root,
        profile_name=request.profile_name,
        profile_file=str(Path(request.profile_file).resolve()),
        profile=run_profile.recorded,
        overrides=run_profile.masked_overrides(request.overrides),
        masked=run_profile.masked_keys,
        label=request.label,
        cells=first_cells(profile),
        window_s=window_s,
        driver=preflight.driver,
        driver_reason=preflight.reason,
        hardware=recorded_hardware(request.workspace, preflight),
        versions=versions(),
        project=preflight.facts.project,
        target=preflight.target,
        revisions=_revisions(request.workspace, profile, preflight),
    )


def _revisions(
    workspace: Workspace, profile: Profile, preflight: Preflight
) -> tuple[Revision, ...]:
    """Return the revisions of the workspace, the compose files and the locustfiles."""
    compose_files = preflight.target.files if preflight.target else ()
    locustfiles = find_locustfiles(workspace.root, profile.load).paths
    return find_revisions([workspace.root, *map(Path, compose_files), *locustfiles])


def preview_run(request: RunRequest) -> RunPlan:
    """Run all checks for a new run and return its plan, without starting anything.

    Raises:
        LoadbenchError: The run would be refused.
    """
    workspace, run_profile = request.workspace, requested_profile(request)
    with run_profile.masker.errors():
        check_all_files(workspace, run_profile.resolved)
        preflight = registry.preflight(workspace, run_profile.resolved)
        profile, cells = run_profile.resolved, plan_cells(run_profile.resolved)
        sampling = _sampling(request, profile)
        return replace(
            plan_of(workspace, run_profile, preflight, most_cells(profile)),
            sampling=sampling_text(profile, sampling),
            too_short=sampling_advice(profile, cells, sampling),
            window_s=sampling.expected_of if profile.is_run_time_auto else {},
        )


def _sampling(request: RunRequest, profile: Profile) -> SamplingPlan:
    """Return how long each cell must last."""
    workspace = request.workspace
    runs = runs_of_profile(request.profile_name, workspace.reports)
    return sampling_plan(workspace.root, profile, ended_states(runs))


def plan_of(
    workspace: Workspace, run_profile: ResolvedProfile, preflight: Preflight, cells: int
) -> RunPlan:
    """Return the plan of a run that measures a number of cells."""
    profile, masker = run_profile.resolved, run_profile.masker
    needed, free = needed_space(profile, cells), free_space(workspace.reports)
    return RunPlan(
        preflight=replace(
            preflight,
            reason=masker.text(preflight.reason),
            warnings=tuple(map(masker.text, preflight.warnings)),
            target=preflight.target
            and replace(
                preflight.target,
                address=masker.text(preflight.target.address),
                reason=masker.text(preflight.target.reason),
            ),
        ),
        notes=tuple(run_profile.notes()),
        needed_bytes=needed.num_bytes,
        free_bytes=free.num_bytes,
        lack_of_space=lack_of_space(free, needed, workspace.reports),
        holder=find_holder(preflight.lock, workspace.reports),
    )


def recorded_hardware(workspace: Workspace, preflight: Preflight) -> dict[str, Any]:
    """Return the hardware to record for a run, with that of the Docker host if there is one."""
    machine, engine = hardware(workspace.reports), preflight.facts.engine
    return {**machine, "engine": dict(engine)} if engine else machine


def _make_parent(parent: Path, needed: Space) -> str:
    """Create the folder of a profile's runs and return an unused run id."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        if not os.access(parent, os.W_OK | os.X_OK):
            raise WorkspaceError(f"cannot save reports in {parent}: no write permission")
    except OSError as error:
        reason = full_reason(error, parent) or error.strerror
        raise WorkspaceError(f"cannot save reports in {parent}: {reason}") from error
    try:
        check_space(parent, needed)
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
