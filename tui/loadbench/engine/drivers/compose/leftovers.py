"""Finds and removes containers of runs whose runner was killed or failed to remove them.

Containers are identified by a label with the folder of their run, so no others are affected.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from loadbench.engine.drivers.compose.client import tear_down
from loadbench.engine.drivers.docker.client import Docker, Endpoint
from loadbench.engine.drivers.docker.inspect import RUN_LABEL
from loadbench.engine.drivers.protocol import Leftovers
from loadbench.engine.journal.events import Project
from loadbench.engine.locks import StackLock
from loadbench.engine.run_reader import Run
from loadbench.errors import EngineError, RefusedError

_TIMEOUT_S = 5.0


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
            by_run = _containers_by_label(Docker(endpoint))
        except EngineError as error:
            unknown.append(str(error))
            continue
        labels = {folder: str(folder.resolve()) for folder in run_folders}
        found |= {
            folder: tuple(by_run[label]) for folder, label in labels.items() if label in by_run
        }
    return Leftovers(found, tuple(unknown))


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
    lock = StackLock(project.name)
    if not lock.acquire(retry_s=_TIMEOUT_S / 10):
        holder = lock.holder
        lock.release()
        raise RefusedError(
            f"{project.name} is in use by the run {holder or '(just starting)'}, which removes the "
            f"containers when it ends. To stop it: loadbench-tui stop {holder or 'RUN'}"
        )
    docker = Docker(_endpoint(project))
    try:
        left = tear_down(docker, project.name)
        if left is None and find_containers([run]).containers:
            # The engine may have finished starting containers after the runner was killed.
            left = tear_down(docker, project.name)
        return left
    finally:
        lock.release()


def _containers_by_label(docker: Docker) -> dict[str, list[str]]:
    row = f'{{{{.Label "{RUN_LABEL}"}}}}\t{{{{.Names}}}}'
    output = docker.run(
        *("ps", "--all", "--filter", f"label={RUN_LABEL}", "--format", row), timeout_s=_TIMEOUT_S
    )
    by_run: defaultdict[str, list[str]] = defaultdict(list)
    for line in output.splitlines():
        folder, _, name = line.partition("\t")
        by_run[folder].append(name)
    return {folder: sorted(names) for folder, names in by_run.items()}


def _may_have_leftovers(run: Run) -> bool:
    if run.was_killed:
        return True
    return run.state.finished is not None and run.state.finished.left is not None


def _project(run: Run) -> Project | None:
    return run.state.started.project if run.state.started else None


def _endpoint(project: Project) -> Endpoint:
    return Endpoint(project.context, project.engine)
