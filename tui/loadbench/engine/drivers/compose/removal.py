"""Removes containers of a run's project: leftovers, broken ones and surplus ones."""

from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path
from threading import Event

from loadbench.engine.drivers.compose import faults
from loadbench.engine.drivers.compose.client import tear_down
from loadbench.engine.drivers.compose.deployment import Deployment
from loadbench.engine.drivers.compose.leftovers import projects_of, using_run
from loadbench.engine.drivers.compose.retrying import with_retry
from loadbench.engine.drivers.docker.client import (
    COMMAND_TIMEOUT_S,
    Docker,
    DockerCommandError,
    EngineTimeoutError,
)
from loadbench.engine.drivers.docker.inspect import ContainerInfo
from loadbench.engine.drivers.protocol import ProgressCallback
from loadbench.errors import EngineError, StackError

REMOVE_TIMEOUT_S = 60.0

DEFAULT_GRACE_S = 10
"""Seconds between the stop signal and SIGKILL, if the service has no `stop_grace_period`."""

STOP_MARGIN_S = COMMAND_TIMEOUT_S
"""Seconds beyond the grace period after which a container counts as one that does not stop."""

Poll = Callable[[ProgressCallback], tuple[ContainerInfo, ...]]
"""Returns all containers of the project. Waits for an unreachable engine."""


class ContainerRemoval:
    """Removes containers of the project of one run.

    Args:
        docker: Command line of the engine.
        deployment: What the run starts of the project.
        run: The run's folder, as in the labels of its containers.
        poll: Returns all containers of the project.
        closed: Event that cancels everything when the stack is closed.
        on_line: Called with each line of output of Compose.
    """

    def __init__(
        self,
        docker: Docker,
        deployment: Deployment,
        *,
        run: Path,
        poll: Poll,
        closed: Event,
        on_line: Callable[[str], None],
    ) -> None:
        self._docker = docker
        self._files = deployment.files
        self._required = deployment.required
        self._run = run
        self._poll = poll
        self._closed = closed
        self._on_line = on_line
        self.has_leftovers = False
        """Whether the project had containers before the run."""

    def remove_leftovers(self, on_progress: ProgressCallback) -> None:
        """Remove the project's containers, and those of this run in projects of other names.

        Raises:
            StackError: A live run uses them, or some cannot be removed.
            EngineError: The engine cannot be used.
        """
        leftovers = self._poll(on_progress)
        runs = {Path(container.run) for container in leftovers if container.run}
        if message := using_run(self._files.project, runs - {self._run}):
            raise StackError(message)
        projects = with_retry(
            lambda: projects_of(self._docker, self._run), on_progress, closed=self._closed
        )
        projects.discard(self._files.project)
        if leftovers:
            names = ", ".join(container.name for container in leftovers)
            on_progress("start", f"Removing leftover containers: {names}")
            self.has_leftovers = True
            projects.add(self._files.project)
        for project in sorted(projects):
            if left := self.down(project):
                raise StackError(left)
        self._poll(on_progress)

    def remove_broken(self, on_progress: ProgressCallback) -> set[str]:
        """Remove broken containers. Return the names of the services that remain intact.

        Raises:
            StackError: The stack was closed.
            EngineError: The engine cannot be used.
        """
        existing = self._poll(on_progress)
        replaced = self._replaced(existing)
        self._force_remove(replaced)
        return {info.service for info in existing} - {info.service for info in replaced}

    def remove_surplus(self, models: int, on_progress: ProgressCallback) -> None:
        """Stop and remove the surplus containers of the scaled service: those with high numbers.

        They have their own grace period to stop, which does not count towards the start.

        Args:
            models: Number of containers to keep. Broken ones do not count.
            on_progress: Receives a line with the names and the grace period.

        Raises:
            StackError: A container did not stop.
            EngineError: The engine cannot be used.
        """
        existing = self._poll(on_progress)
        replaced = self._replaced(existing)
        surplus = [
            info for info in existing if info.service == self._files.scaled and info not in replaced
        ][models:]
        if not surplus:
            return
        grace_s = self._grace_s(surplus)
        names = ", ".join(info.name for info in surplus)
        on_progress("stop", f"Stopping {names} (grace period {grace_s} s)")
        limit_s, ids = grace_s + STOP_MARGIN_S, [info.id for info in surplus]
        problem = f"did not stop within {limit_s:g} s (grace period {grace_s} s)"
        try:
            self._docker.run("stop", *ids, timeout_s=limit_s, cancel=self._closed)
        except EngineError as error:
            if not isinstance(error, EngineTimeoutError):
                problem = f"could not be stopped: {error}"
            now = self._poll(on_progress)
            if running := [info.name for info in now if info.id in ids and not info.has_exited]:
                raise StackError(f"{', '.join(running)} {problem}") from error
        self._force_remove(surplus)
        on_progress("stop", f"Removed {names}")

    def down(self, project: str) -> str | None:
        """Stop and remove a project. Return the result of `tear_down`."""
        return tear_down(self._docker, project, self._on_line)

    def _replaced(self, existing: Collection[ContainerInfo]) -> list[ContainerInfo]:
        """Return the containers that must be replaced before a cell can be measured."""
        broken = [info for info in existing if faults.is_broken(info, self._required)]
        # The bundled stack's queue may hold jobs of the failed cell, so all of it is replaced.
        return list(existing) if broken and self._files.is_bundled else broken

    def _force_remove(self, containers: Iterable[ContainerInfo]) -> None:
        """Kill and remove containers."""
        if not (ids := [info.id for info in containers]):
            return
        with suppress(DockerCommandError):
            # The container may be gone already. Compose reports any other obstacle.
            self._docker.run("rm", "--force", *ids, timeout_s=REMOVE_TIMEOUT_S, cancel=self._closed)

    def _grace_s(self, containers: Iterable[ContainerInfo]) -> int:
        """Return the longest grace period of containers, in seconds."""
        ids = [info.id for info in containers]
        template = "{{json .Config.StopTimeout}}"
        try:
            output = self._docker.run("inspect", "--format", template, *ids, cancel=self._closed)
        except EngineError:
            return DEFAULT_GRACE_S  # the stop reports the error
        periods = [int(line) if line.isdecimal() else DEFAULT_GRACE_S for line in output.split()]
        return max(periods, default=DEFAULT_GRACE_S)
