"""Containers of runs that have ended: those of a runner that was killed, or could not remove them.

Each container carries the folder of its run as a label, so that nobody else's is taken for one.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from loadbench.engine.drivers.compose.client import take_down
from loadbench.engine.drivers.docker.client import Docker, Endpoint
from loadbench.engine.drivers.docker.inspect import RUN_LABEL
from loadbench.engine.drivers.protocol import Leftovers
from loadbench.engine.journal.events import Project
from loadbench.engine.locks import StackLock
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.errors import EngineError

_TIMEOUT_S = 5.0


def find_containers(runs: Iterable[Run]) -> Leftovers:
    """Look for containers of those of the runs whose runner did not remove them itself."""
    folders: defaultdict[Endpoint, list[Path]] = defaultdict(list)
    for run in runs:
        if _may_have_left_some(run) and (project := _project(run)):
            folders[_endpoint(project)].append(run.folder)
    found: dict[Path, tuple[str, ...]] = {}
    unknown = []
    for endpoint, ended in folders.items():
        try:
            by_run = _labelled(Docker(endpoint))
        except EngineError as error:
            unknown.append(str(error))
            continue
        labels = {folder: str(folder.resolve()) for folder in ended}
        found |= {it: tuple(by_run[label]) for it, label in labels.items() if label in by_run}
    return Leftovers(found, tuple(unknown))


def remove_containers(run: Run) -> str | None:
    """Remove the containers and networks of the project of a run that has ended.

    Returns:
        What could not be removed, as a sentence; None: nothing is left.

    Raises:
        RefusedError: A live run uses the project.
    """
    project = _project(run)
    if project is None:
        return None
    lock = StackLock(project.name)
    docker = Docker(_endpoint(project))
    try:
        left = take_down(docker, project.name)
        if left is None and find_containers([run]).containers:
            # What a killed runner had begun to start may have come up meanwhile.
            left = take_down(docker, project.name)
        return left
    finally:
        lock.release()


def _labelled(docker: Docker) -> dict[str, list[str]]:
    row = f'{{{{.Label "{RUN_LABEL}"}}}}\t{{{{.Names}}}}'
    told = docker.ask(
        *("ps", "--all", "--filter", f"label={RUN_LABEL}", "--format", row), timeout_s=_TIMEOUT_S
    )
    by_run: defaultdict[str, list[str]] = defaultdict(list)
    for line in told.splitlines():
        folder, _, name = line.partition("\t")
        by_run[folder].append(name)
    return {folder: sorted(names) for folder, names in by_run.items()}


def _may_have_left_some(run: Run) -> bool:
    if run.status is RunStatus.INTERRUPTED:
        return True
    return run.state.finished is not None and run.state.finished.left is not None


def _project(run: Run) -> Project | None:
    return run.state.started.project if run.state.started else None


def _endpoint(project: Project) -> Endpoint:
    return Endpoint(project.context, project.engine)
