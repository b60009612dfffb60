"""The stack of the `compose` driver: a service in containers, managed with Docker Compose."""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from loadbench.engine.bounds.texts import shortened
from loadbench.engine.drivers.compose import faults
from loadbench.engine.drivers.compose.addresses import find_addresses
from loadbench.engine.drivers.compose.client import Action, ComposeCli
from loadbench.engine.drivers.compose.deployment import Deployment
from loadbench.engine.drivers.compose.messages import ProgressReporter, explain
from loadbench.engine.drivers.compose.override_file import OVERRIDE_FILE, compose_override
from loadbench.engine.drivers.compose.removal import ContainerRemoval
from loadbench.engine.drivers.compose.retrying import refuse_if_closed, with_retry
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

EXIT_GRACE_S = 3.0
"""Seconds to wait for a container to exit after one of its processes was killed."""

PREPARE_TIMEOUT_S = 3600.0

_MAX_PROGRESS_CHARACTERS = 1_000
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
        # Then the health of the containers does not count.
        self._counts_workers = (
            files.is_bundled or self._settings.count_workers
        ) and self._health.has_requests
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
        self._removal = ContainerRemoval(
            docker,
            deployment,
            run=self._run,
            poll=self._poll,
            closed=self._closed,
            on_line=lambda line: self._log.write("compose", line),
        )

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
        self._removal.remove_leftovers(on_progress)
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

    def shrink(self, models: int, on_progress: ProgressCallback) -> None:
        """Stop and remove surplus containers, which have their own grace period.

        Raises:
            StackError: A container did not stop.
            EngineError: The engine cannot be used.
        """
        self._removal.remove_surplus(models, on_progress)

    def scale(self, models: int, on_progress: ProgressCallback) -> None:
        """Start missing containers and replace broken ones.

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
        intact = self._removal.remove_broken(on_progress)
        # Later cells start only missing services, so that one-off jobs do not run again.
        running = self._deployment.running.keys()
        services = [*running] if not self._has_scaled else [scaled, *(running - intact - {scaled})]
        self._may_have_containers = True
        self._monitor.watch_start(is_starting=True)
        self._health.begin()
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
                # Compose may wait for a health check that can never pass.
                is_hopeless=lambda: (
                    not self._counts_workers and faults.lack_commands(self._monitor.containers)
                ),
            )
        except StackError:
            # The exit of a container explains more than the failure of its dependents.
            if fault := self._startup_fault(self._poll(on_progress), {}):
                raise fault from None
            raise
        finally:
            if not self._closed.is_set():
                self._log_follower.follow()
        self._has_scaled = True
        self._poll(on_progress)

    def missing(self, models: int) -> str | None:
        """Return a phrase that describes what is not ready yet, or None if everything is ready."""
        scaled, known = self._files.scaled, self._monitor.containers
        if missing := faults.not_ready(known, scaled=scaled, models=models):
            return missing
        found = find_addresses(self._deployment, known, models)
        if isinstance(found, str):
            return found
        # Each of several replicas lists its own workers.
        expected = 1 if found.replicas else models
        workers = expected if self._counts_workers else None
        if missing := self._health.missing(found.health, workers, found.health):
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
        self._monitor.watch_start(is_starting=False)
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
        return self._startup_fault(containers, unstable_s)

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
        may_have_containers = self._may_have_containers or self._removal.has_leftovers
        if may_have_containers and not self._gave_up:
            started = time.monotonic()
            self._left = self._removal.down(self._files.project)
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

    def _startup_fault(
        self, containers: tuple[ContainerInfo, ...], unstable_s: Mapping[str, float]
    ) -> StackError | None:
        return faults.startup_fault(
            containers, self._required, unstable_s, counts_health=not self._counts_workers
        )

    def _perform(
        self,
        step: str,
        on_progress: ProgressCallback,
        action: Action,
        *,
        timeout_s: float,
        is_hopeless: Callable[[], bool] = lambda: False,
    ) -> None:
        """Run a Compose command, log its output and report its progress."""
        refuse_if_closed(self._closed)
        reporter = ProgressReporter(step, self._files.project)

        def on_line(line: str) -> None:
            self._log.write(step, line)
            if text := reporter.progress(shortened(line, _MAX_PROGRESS_CHARACTERS)):
                on_progress(step, text)

        failure = self._compose.run(
            action, timeout_s=timeout_s, on_line=on_line, is_hopeless=is_hopeless
        )
        if failure:
            refuse_if_closed(self._closed)
            raise explain(step, self._docker, failure, timeout_s)

    def _poll(self, on_progress: ProgressCallback) -> tuple[ContainerInfo, ...]:
        """Return all containers. Wait for an unreachable engine."""
        return with_retry(self._monitor.poll, on_progress, closed=self._closed)

    def _image(self, service: str) -> str:
        """Return the image digest of a service, or an empty string if there is no such image."""
        inspect = ("image", "inspect", "--format", "{{.Id}}", self._files.image(service))
        try:
            return self._docker.run(*inspect, cancel=self._closed).strip()
        except DockerCommandError:
            return ""
