"""Finds and removes containers of runs whose runner was killed or failed to remove them.

Containers are identified by a label with the folder of their run, so no others are affected. The
name of their Compose project depends on the version of loadbench and on the name of the machine, so
a resumed run may have containers in several projects.
"""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from loadbench.engine.drivers.compose.client import tear_down
from loadbench.engine.drivers.docker.client import Docker, Endpoint
from loadbench.engine.drivers.docker.inspect import PROJECT_LABEL, RUN_LABEL
from loadbench.engine.drivers.protocol import Leftovers
from loadbench.engine.journal.events import Project
from loadbench.engine.journal.lock import is_held
from loadbench.engine.locks import StackLock
from loadbench.engine.run_reader import Run
from loadbench.errors import EngineError, RefusedError

_TIMEOUT_S = 5.0


class _Labelled(NamedTuple):
    """A container that a run has started."""

    run: str
    project: str
    name: str


def find_containers(runs: Iterable[Run]) -> Leftovers:
    """Find containers left behind by runs that are no longer live."""
    folders: defaultdict[Endpoint, list[Path]] = defaultdict(list)
    for run in runs:
        if _may_have_leftovers(run) and (project := _project(run)):
            folders[_endpoint(project)].append(run.folder)
    found: dict[Path, tuple[str, ...]] = {}
    unknown = []
    for endpoint, run_folders in folders.items():
        try:
            labelled = _labelled_containers(Docker(endpoint))
        except EngineError as error:
            unknown.append(str(error))
            continue
        for folder in run_folders:
            run_label = str(folder.resolve())
            names = sorted(found_one.name for found_one in labelled if found_one.run == run_label)
            found |= {folder: tuple(names)} if names else {}
    return Leftovers(found, tuple(unknown))


def projects_of(docker: Docker, folder: Path) -> set[str]:
    """Return the names of all Compose projects that have containers of a run.

    Raises:
        EngineError: The engine cannot be used.
    """
    run_label = str(folder.resolve())
    return {found.project for found in _labelled_containers(docker) if found.run == run_label}


def using_run(project: str, runs: Iterable[Path]) -> str | None:
    """Return the message that a live run uses containers of a project, or None if none does.

    Args:
        project: Name of the Compose project.
        runs: Folders of the runs that have containers in it, except the caller's own.
    """
    for run in runs:
        if is_held(run):
            return f"the run {run} uses containers of {project}; stop that run first"
        if is_held(run, if_unreadable=True):
            return (
                f"the run {run} may use containers of {project}, but its journal cannot be read. "
                f"Stop that run first, or remove them with `docker compose -p {project} down`"
            )
    return None


def remove_containers(run: Run) -> str | None:
    """Remove the containers and networks of a run that is no longer live.

    Returns:
        A sentence that describes what could not be removed, or None if nothing is left.

    Raises:
        RefusedError: A live run uses the project.
    """
    project = _project(run)
    if project is None:
        return None
    docker, names = Docker(_endpoint(project)), {project.name}
    # Without an engine, the removal of the recorded project reports the error.
    with suppress(EngineError):
        names |= projects_of(docker, run.folder)
    left = [text for name in sorted(names) if (text := _remove_project(docker, name, run))]
    return "; ".join(left) or None


def _remove_project(docker: Docker, project: str, run: Run) -> str | None:
    """Remove a project with containers of a run. Return the result of `tear_down`."""
    lock = StackLock(project)
    if not lock.acquire(retry_s=_TIMEOUT_S / 10):
        holder = lock.holder
        lock.release()
        raise RefusedError(
            f"{project} is in use by the run {holder or '(just starting)'}, which removes the "
            f"containers when it ends. To stop it: loadbench-tui stop {holder or 'RUN'}"
        )
    try:
        _refuse_if_used(docker, project, run.folder.resolve())
        left = tear_down(docker, project)
        if left is None and find_containers([run]).containers:
            # The engine may have finished starting containers after the runner was killed.
            left = tear_down(docker, project)
        return left
    finally:
        lock.release()


def _refuse_if_used(docker: Docker, project: str, own: Path) -> None:
    try:
        found = _labelled_containers(docker)
    except EngineError:
        return  # nothing can be removed either
    runs = {Path(container.run) for container in found if container.project == project}
    if message := using_run(project, runs - {own}):
        raise RefusedError(message)


def _labelled_containers(docker: Docker) -> list[_Labelled]:
    """Return all containers that runs have started."""
    row = f'{{{{.Label "{RUN_LABEL}"}}}}\t{{{{.Label "{PROJECT_LABEL}"}}}}\t{{{{.Names}}}}'
    output = docker.run(
        *("ps", "--all", "--filter", f"label={RUN_LABEL}", "--format", row), timeout_s=_TIMEOUT_S
    )
    rows = (line.rsplit("\t", 2) for line in output.splitlines())
    return [_Labelled(*fields) for fields in rows if len(fields) == len(_Labelled._fields)]


def _may_have_leftovers(run: Run) -> bool:
    if run.was_killed:
        return True
    return run.state.finished is not None and run.state.finished.left is not None


def _project(run: Run) -> Project | None:
    return run.state.started.project if run.state.started else None


def _endpoint(project: Project) -> Endpoint:
    return Endpoint(project.context, project.engine)
