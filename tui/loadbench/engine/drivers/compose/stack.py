"""The stack of the `compose` driver: a service in containers, managed with Docker Compose."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from loadbench.engine.bounds.texts import shortened
from loadbench.engine.drivers.compose import faults
from loadbench.engine.drivers.compose.addresses import find_addresses
from loadbench.engine.drivers.compose.client import Action, ComposeCli, tear_down
from loadbench.engine.drivers.compose.deployment import Deployment
from loadbench.engine.drivers.compose.leftovers import projects_of, using_run
from loadbench.engine.drivers.compose.messages import ProgressReporter, explain
from loadbench.engine.drivers.compose.override_file import OVERRIDE_FILE, compose_override
from loadbench.engine.drivers.docker.client import COMMAND_TIMEOUT_S, Docker, DockerCommandError
from loadbench.engine.drivers.docker.gpu import VramMeter
from loadbench.engine.drivers.docker.inspect import ContainerInfo, recorded_container
from loadbench.engine.drivers.docker.log_follower import LogFollower
from loadbench.engine.drivers.docker.monitor import Monitor
from loadbench.engine.drivers.health import HealthChecks
from loadbench.engine.drivers.protocol import ProgressCallback, Replica
from loadbench.engine.drivers.stack_log import StackLog
from loadbench.engine.files import write_atomically
from loadbench.engine.journal.events import Container
from loadbench.engine.masking import NO_SECRETS, Masker
from loadbench.engine.profile.driver_settings import ComposeSettings
from loadbench.errors import EngineError, StackError

ENGINE_TIMEOUT_S = 30.0
"""Seconds to wait for an unreachable engine, for example during its restart."""

EXIT_GRACE_S = 3.0
"""Seconds to wait for a container to exit after one of its processes was killed."""

PREPARE_TIMEOUT_S = 3600.0
REMOVE_TIMEOUT_S = 60.0

T = TypeVar("T")

_MAX_PROGRESS_CHARACTERS = 1_000
_RETRY_INTERVAL_S = 1.0
_EXIT_POLL_INTERVAL_S = 0.05


class ComposeStack:
    """The Compose project of one run.

    Args:
        docker: Command line of the engine.
        deployment: What the run starts of the project.
        root: Folder of the workspace.
        folder: The run's folder, for `stack.log` and the override file.
        masker: Masks the secret values in log lines.
        vram: Meter of the containers' VRAM use, or None if they use no GPU.
    """

    def __init__(
        self,
        docker: Docker,
        deployment: Deployment,
        *,
        root: Path,
        folder: Path,
        masker: Masker = NO_SECRETS,
        vram: VramMeter | None = None,
    ) -> None:
        self._docker = docker
        self._deployment = deployment
        self._files = files = deployment.files
        self._profile = deployment.profile
        self._settings = ComposeSettings.from_profile(deployment.profile)
        self._health = HealthChecks.of(self._settings, root)
        self._override = folder / OVERRIDE_FILE
        self._run = folder.resolve()
        self._vram = vram
        self._log = StackLog(folder / "stack.log", masker)
        self._compose = ComposeCli(docker, files.project, (*files.paths, self._override))
        self._log_follower = LogFollower(docker, files.project, self._log)
        self._monitor = Monitor(docker, files.project)
        self._host = deployment.receiver.address
        self._replicas: tuple[Replica, ...] = ()
        self._expected: Mapping[str, ContainerInfo] = {}
        self._has_scaled = False
        self._may_have_containers = False
        self._left: str | None = None
        self._gave_up = False
        self._unstable_since: Mapping[str, float] = {}
        self._closed = threading.Event()

    @property
    def host(self) -> str:
        """Base URL of the service."""
        return self._host

    @property
    def replicas(self) -> tuple[Replica, ...]:
        """The replicas, if the load generator distributes its users among them."""
        return self._replicas

    def prepare(self, on_progress: ProgressCallback) -> Mapping[str, str]:
        """Remove leftover containers, build images and pull missing ones.

        Returns:
            Image digests by service.

        Raises:
            StackError: An image cannot be built or pulled.
            EngineError: The engine cannot be used.
        """
        self._remove_leftovers(on_progress)
        override = compose_override(self._deployment).text(self._run)
        write_atomically(self._override, override.encode("utf-8"))
        services = self._deployment.running
        if built := self._deployment.built:
            self._perform(
                "build",
                on_progress,
                lambda client: client.compose.build(built, progress=None, stream_logs=True),
                timeout_s=PREPARE_TIMEOUT_S,
            )
        pulled = [name for name in services if self._files.builder_of(name) is None]
        if missing := [name for name in pulled if not self._image(name)]:
            self._perform(
                "pull",
                on_progress,
                lambda client: client.compose.pull(missing, stream_logs=True),
                timeout_s=PREPARE_TIMEOUT_S,
            )
        self._monitor.start()
        return {name: self._image(name) for name in services}

    def scale(self, models: int, on_progress: ProgressCallback) -> None:
        """Start missing containers, stop surplus ones and replace broken ones.

        Raises:
            StackError: A container failed to start.
            EngineError: The engine cannot be used.
        """
        if models > max(self._profile.models):
            # A cell added during the run may need more models than the preflight has checked.
            changed = self._profile.model_copy(update={"models": (models,)})
            if errors := self._deployment.errors(changed):
                raise StackError("; ".join(errors))
        self._expected, self._unstable_since = {}, {}
        scaled = self._files.scaled
        intact = self._remove_broken()
        # Later cells start only missing services, so that one-off jobs do not run again.
        running = self._deployment.running.keys()
        services = [*running] if not self._has_scaled else [scaled, *(running - intact - {scaled})]
        self._may_have_containers = True
        try:
            self._perform(
                "start",
                on_progress,
                lambda client: client.compose.up(
                    services,
                    dependencies=not self._has_scaled,
                    detach=True,
                    scales={scaled: models},
                    # Later cells keep existing containers, even if the compose files have changed.
                    recreate=not self._has_scaled,
                    no_build=True,
                    color=False,
                    stream_logs=True,
                ),
                timeout_s=self._settings.startup_timeout,
            )
        except StackError:
            # The exit of a container explains more than the failure of its dependents.
            if fault := faults.startup_fault(self._poll_with_retry(), self._required, {}):
                raise fault from None
            raise
        finally:
            if not self._closed.is_set():
                self._log_follower.follow()
        self._has_scaled = True
        self._poll_with_retry()

    def missing(self, models: int) -> str | None:
        """Return a phrase that describes what is not ready yet, or None if everything is ready."""
        scaled, known = self._files.scaled, self._monitor.containers
        if missing := faults.not_ready(known, scaled=scaled, models=models):
            return missing
        found = find_addresses(self._deployment, known, models)
        if isinstance(found, str):
            return found
        # Workers that each of several replicas lists are its own.
        lists_workers = self._files.is_bundled or self._settings.count_workers
        workers = models if lists_workers and not found.replicas else None
        if missing := self._health.missing(found.health, workers):
            return missing
        if workers is None and (missing := faults.not_healthy(self._monitor.containers)):
            return missing
        try:
            # Poll again: a container may have exited during the checks above.
            containers = self._monitor.poll()
        except EngineError as error:
            return str(error)
        if missing := faults.not_ready(containers, scaled=scaled, models=models):
            return missing
        if find_addresses(self._deployment, containers, models) != found:
            return "ports have changed"
        self._host, self._replicas = found.host, found.replicas
        self._expected = {info.id: info for info in containers if info.is_running}
        return None

    def fault(self) -> StackError | EngineError | None:
        """Return an error if a container has failed or the engine cannot be used, or None."""
        if error := self._monitor.error:
            return self._docker.with_address(error)
        required = self._required
        if self._expected:
            return faults.measuring_fault(self._containers_after_exits(), self._expected, required)
        containers, now = self._monitor.containers, time.monotonic()
        unstable = [info.id for info in containers if info.restarts]
        self._unstable_since = {key: self._unstable_since.get(key, now) for key in unstable}
        unstable_s = {key: now - since for key, since in self._unstable_since.items()}
        return faults.startup_fault(containers, required, unstable_s)

    def containers(self) -> tuple[Container, ...]:
        """Return the state of every container."""
        containers, usage = self._monitor.containers, self._monitor.usage
        vram = self._vram.by_container([info.id for info in containers]) if self._vram else {}
        return tuple(
            recorded_container(info, usage.get(info.id), vram.get(info.id)) for info in containers
        )

    def local_cpu_cores(self) -> float | None:
        """Return the containers' CPU use on this machine in cores, or None if it is unknown."""
        return self._monitor.local_cpu_cores

    def close(self) -> str | None:
        """Stop and remove all containers. Volumes are kept."""
        self._closed.set()
        self._monitor.close()
        self._compose.cancel()
        if self._may_have_containers and not self._gave_up:
            started = time.monotonic()
            self._left = self._down(self._files.project)
            # After a timeout, a second call does not wait as long again.
            waited_s = time.monotonic() - started
            self._gave_up = self._left is not None and waited_s >= COMMAND_TIMEOUT_S
        self._log_follower.close()
        self._log.close()
        return self._left

    @property
    def _required(self) -> frozenset[str]:
        return self._deployment.required

    def _containers_after_exits(self) -> tuple[ContainerInfo, ...]:
        """Return the containers. If a process was killed, wait for its container to exit first."""
        deadline = time.monotonic() + EXIT_GRACE_S
        while time.monotonic() < deadline:
            containers = self._monitor.containers
            may_be_exiting = faults.may_be_exiting(containers, self._expected)
            if not may_be_exiting or self._closed.wait(_EXIT_POLL_INTERVAL_S):
                return containers
        return self._monitor.containers

    def _remove_broken(self) -> set[str]:
        """Remove broken containers. Return the names of the services that remain intact."""
        existing = self._poll_with_retry()
        broken = [info for info in existing if faults.is_broken(info, self._required)]
        # The bundled stack's queue may hold jobs of the failed cell, so all of it is replaced.
        replaced = list(existing) if broken and self._files.is_bundled else broken
        if replaced:
            with suppress(DockerCommandError):
                # The container may be gone already. Compose reports any other obstacle.
                ids = [info.id for info in replaced]
                self._docker.run(
                    "rm", "--force", *ids, timeout_s=REMOVE_TIMEOUT_S, cancel=self._closed
                )
        return {info.service for info in existing} - {info.service for info in replaced}

    def _down(self, project: str) -> str | None:
        """Stop and remove a project. Return the result of `tear_down`."""
        return tear_down(self._docker, project, lambda line: self._log.write("compose", line))

    def _perform(
        self, step: str, on_progress: ProgressCallback, action: Action, *, timeout_s: float
    ) -> None:
        """Run a Compose command, log its output and report its progress."""
        self._refuse_if_closed()
        reporter = ProgressReporter(step, self._files.project)

        def on_line(line: str) -> None:
            self._log.write(step, line)
            if text := reporter.progress(shortened(line, _MAX_PROGRESS_CHARACTERS)):
                on_progress(step, text)

        failure = self._compose.run(action, timeout_s=timeout_s, on_line=on_line)
        if failure:
            self._refuse_if_closed()
            raise explain(step, self._docker, failure, timeout_s)

    def _remove_leftovers(self, on_progress: ProgressCallback) -> None:
        """Remove the project's containers, and those of this run in projects of other names."""
        leftovers = self._poll_with_retry()
        runs = {Path(container.run) for container in leftovers if container.run}
        if message := using_run(self._files.project, runs - {self._run}):
            raise StackError(message)
        projects = self._with_retry(lambda: projects_of(self._docker, self._run))
        projects.discard(self._files.project)
        if leftovers:
            names = ", ".join(container.name for container in leftovers)
            on_progress("start", f"Removing leftover containers: {names}")
            self._may_have_containers = True
            projects.add(self._files.project)
        for project in sorted(projects):
            if left := self._down(project):
                raise StackError(left)
        self._poll_with_retry()

    def _refuse_if_closed(self) -> None:
        if self._closed.is_set():
            raise StackError("the stack was closed during startup")

    def _poll_with_retry(self) -> tuple[ContainerInfo, ...]:
        """Return all containers, from `_with_retry`."""
        return self._with_retry(self._monitor.poll)

    def _with_retry(self, query: Callable[[], T]) -> T:
        """Query the engine. Retry for `ENGINE_TIMEOUT_S` if it is unreachable."""
        deadline = time.monotonic() + ENGINE_TIMEOUT_S
        while True:
            self._refuse_if_closed()
            try:
                return query()
            except EngineError:
                if time.monotonic() > deadline:
                    raise
                self._closed.wait(_RETRY_INTERVAL_S)

    def _image(self, service: str) -> str:
        """Return the image digest of a service, or an empty string if there is no such image."""
        inspect = ("image", "inspect", "--format", "{{.Id}}", self._files.image(service))
        try:
            return self._docker.run(*inspect, cancel=self._closed).strip()
        except DockerCommandError:
            return ""
