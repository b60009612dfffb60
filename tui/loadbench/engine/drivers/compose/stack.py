"""The `compose` driver: a service in containers, started and scaled by Docker Compose."""

import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import requests

from loadbench.engine.drivers.compose import faults
from loadbench.engine.drivers.compose.client import DOWN_TIMEOUT_S, Action, ComposeCli, take_down
from loadbench.engine.drivers.compose.files import ComposeFiles
from loadbench.engine.drivers.compose.messages import ProgressReporter, explain
from loadbench.engine.drivers.compose.override_file import compose_override
from loadbench.engine.drivers.docker.client import Docker, DockerCallError
from loadbench.engine.drivers.docker.gpu import VramMeter
from loadbench.engine.drivers.docker.inspect import Inspected
from loadbench.engine.drivers.docker.log_follower import LogFollower
from loadbench.engine.drivers.docker.monitor import Monitor
from loadbench.engine.drivers.health import ask_health, health_url, lacking_workers
from loadbench.engine.drivers.protocol import Say
from loadbench.engine.drivers.stack_log import StackLog
from loadbench.engine.files import write_whole
from loadbench.engine.journal.events import Container
from loadbench.engine.journal.lock import is_held
from loadbench.engine.profile.driver_settings import ComposeSettings
from loadbench.engine.profile.model import Profile
from loadbench.errors import EngineError, StackError

OVERRIDE_FILE = "compose.loadbench.yaml"
ENGINE_PATIENCE_S = 30.0
"""How long a cell waits for an engine that is away, as when it is restarted."""

EXIT_GRACE_S = 3.0
"""How long a container with a killed process may take to exit: a margin for busy machines."""

PREPARE_TIMEOUT_S = 3600.0
REMOVE_TIMEOUT_S = 60.0

_SHORT_DIGEST = len("sha256:") + 12
"""Samples carry it every second, and Docker takes it as well as the whole."""

_RETRY_S = 1.0
_EXIT_POLL_S = 0.05


class ComposeStack:
    """A compose project of a run: ours, or anybody's.

    Args:
        docker: The engine's command line.
        files: The project's compose files.
        profile: What to start.
        folder: The run's folder, for `stack.log` and for what is added to the compose files.
        vram: Tells the video memory of containers, where there are GPUs.
    """

    def __init__(
        self,
        docker: Docker,
        files: ComposeFiles,
        profile: Profile,
        *,
        folder: Path,
        vram: VramMeter | None = None,
    ) -> None:
        self._docker = docker
        self._files = files
        self._profile = profile
        self._settings = ComposeSettings.from_profile(profile)
        self._additions = folder / OVERRIDE_FILE
        self._run = folder.resolve()
        self._vram = vram
        self._log = StackLog(folder / "stack.log")
        self._compose = ComposeCli(docker, files.project, (*files.paths, self._additions))
        self._words = LogFollower(docker, files.project, self._log)
        self._watch = Monitor(docker, files.project)
        self._session = requests.Session()
        self._session.trust_env = False
        self._host = profile.host or ""
        self._expected: Mapping[str, Inspected] = {}
        self._scaled_once = False
        self._touched = False
        self._left: str | None = None
        self._gave_up = False
        self._unstable_since: Mapping[str, float] = {}
        self._closed = threading.Event()

    @property
    def host(self) -> str:
        """The address that requests go to."""
        return self._host

    def prepare(self, say: Say) -> Mapping[str, str]:
        """Remove what an earlier run left, build what is to be built, pull what is missing.

        Returns:
            The digest of every service's image.

        Raises:
            StackError: An image cannot be had.
            EngineError: The engine cannot be used.
        """
        if leftovers := self._look_patiently():
            self._refuse_if_live(leftovers)
            say("start", f"removing what was left: {', '.join(it.name for it in leftovers)}")
            self._touched = True
            if left := self._down():
                raise StackError(left)
            self._look_patiently()
        added = compose_override(self._files, self._profile, self._run)
        write_whole(self._additions, added.encode("utf-8"))
        services = self._files.services
        if built := [name for name, service in services.items() if service.get("build")]:
            self._perform(
                "build",
                say,
                lambda client: client.compose.build(built, progress=None, stream_logs=True),
            )
        if missing := [name for name in services if name not in built and not self._image(name)]:
            self._perform(
                "pull", say, lambda client: client.compose.pull(missing, stream_logs=True)
            )
        self._watch.start()
        return {name: self._image(name) for name in services}

    def scale(self, models: int, say: Say) -> None:
        """Start what is missing, end what is too much, and replace what is broken.

        Raises:
            StackError: Something cannot be started.
            EngineError: The engine cannot be used.
        """
        if models > max(self._profile.models):
            # Of a cell that was added to the run: nobody has looked yet whether the files allow it.
            more = self._profile.model_copy(update={"models": (models,)})
            if mistakes := self._files.mistakes(more):
                raise StackError("; ".join(mistakes))
        self._expected, self._unstable_since = {}, {}
        scaled = self._files.scaled
        whole = self._remove_broken()
        # Later on, only what is lacking: jobs that are done must not be done again for each cell.
        services = [scaled, *(self._files.services.keys() - whole - {scaled})]
        self._touched = True
        try:
            self._perform(
                "start",
                say,
                lambda client: client.compose.up(
                    services if self._scaled_once else None,
                    dependencies=not self._scaled_once,
                    detach=True,
                    scales={scaled: models},
                    # Later on only the number changes, whatever somebody does to the files.
                    recreate=not self._scaled_once,
                    no_build=True,
                    color=False,
                    stream_logs=True,
                ),
                within_s=self._settings.startup_timeout,
            )
        except StackError:
            # A container that has ended is a better reason than that others waited for it.
            if fault := faults.starting_fault(self._look_patiently(), self._files.needed, {}):
                raise fault from None
            raise
        finally:
            if not self._closed.is_set():
                self._words.follow()
        self._scaled_once = True
        self._look_patiently()

    def missing(self, models: int) -> str | None:
        """Return what is not ready yet; None: all is."""
        scaled = self._files.scaled
        if lacking := faults.not_ready(self._watch.seen, scaled=scaled, models=models):
            return lacking
        host = self._profile.host or self._published_address()
        if host is None:
            return f"{self._files.published[0][0]} publishes no port yet"
        answer = ask_health(self._session, health_url(self._settings.health, host))
        if lacking := lacking_workers(answer, models):
            return lacking
        if answer.workers is None and (lacking := faults.not_healthy(self._watch.seen)):
            return lacking
        try:
            # Anew: what ended while the others were waited for must not be taken for running.
            seen = self._watch.look()
        except EngineError as error:
            return str(error)
        if lacking := faults.not_ready(seen, scaled=scaled, models=models):
            return lacking
        self._host = host
        self._expected = {it.id: it for it in seen if it.running}
        return None

    def fault(self) -> StackError | None:
        """Return what ended without being asked to, or that nobody can tell; None: all is well."""
        if trouble := self._watch.trouble:
            return StackError(str(trouble))
        needed = self._files.needed
        if self._expected:
            return faults.measuring_fault(self._seen_after_exits(), self._expected, needed)
        seen, now = self._watch.seen, time.monotonic()
        unstable = {it.id: self._unstable_since.get(it.id, now) for it in seen if it.restarts}
        self._unstable_since = unstable
        return faults.starting_fault(
            seen, needed, {key: now - since for key, since in unstable.items()}
        )

    def containers(self) -> tuple[Container, ...]:
        """Return the state of every container."""
        seen, usage = self._watch.seen, self._watch.usage
        vram = self._vram.by_container([it.id for it in seen]) if self._vram else {}
        return tuple(
            Container(
                name=it.name,
                service=it.service,
                state=it.state,
                exit_code=it.exit_code if it.ended else None,
                cpu_cores=usage[it.id].cpu_cores if it.id in usage else None,
                memory_bytes=usage[it.id].memory_bytes if it.id in usage else None,
                vram_bytes=vram.get(it.id),
                health=it.health,
                oom_killed=it.oom_killed,
                restarts=it.restarts,
                image=it.image[:_SHORT_DIGEST],
                throttled=usage[it.id].throttled if it.id in usage else None,
            )
            for it in seen
        )

    def cpu_cores_here(self) -> float | None:
        """Return the cores of this machine that the containers use; None: nobody can tell."""
        return self._watch.cpu_cores_here

    def close(self) -> str | None:
        """End and remove every container; volumes stay."""
        self._closed.set()
        self._compose.cut()
        if self._touched and not self._gave_up:
            began = time.monotonic()
            self._left = self._down()
            # A second try would wait in vain as long.
            self._gave_up = time.monotonic() - began > DOWN_TIMEOUT_S
        self._watch.close()
        self._words.close()
        self._session.close()
        self._log.close()
        return self._left

    def _seen_after_exits(self) -> tuple[Inspected, ...]:
        """Return the containers, after a short wait for the exit of those with a killed process."""
        deadline = time.monotonic() + EXIT_GRACE_S
        while time.monotonic() < deadline:
            seen = self._watch.seen
            if not faults.may_be_exiting(seen, self._expected) or self._closed.wait(_EXIT_POLL_S):
                return seen
        return self._watch.seen

    def _remove_broken(self) -> set[str]:
        """Remove the containers that must be replaced; return the services that need none new."""
        standing = self._look_patiently()
        broken = [it for it in standing if faults.is_broken(it, self._files.needed)]
        # In our queue, jobs of the cell that has failed may wait: those are not for the next.
        replaced = list(standing) if broken and self._files.ours else broken
        if replaced:
            with suppress(DockerCallError):
                # One that is gone by itself is as good, and what is in the way Compose will tell.
                ids = [it.id for it in replaced]
                self._docker.ask("rm", "--force", *ids, timeout_s=REMOVE_TIMEOUT_S)
        return {it.service for it in standing} - {it.service for it in replaced}

    def _down(self) -> str | None:
        """Take the project down; return what could not be, as a sentence."""
        return take_down(
            self._docker,
            self._files.project,
            lambda line: self._log.write("compose", line),
        )

    def _perform(
        self, step: str, say: Say, action: Action, *, within_s: float = PREPARE_TIMEOUT_S
    ) -> None:
        """Have Compose do something, telling what it says."""
        self._refuse_if_closed()
        teller = ProgressReporter(step, self._files.project)

        def tell(line: str) -> None:
            self._log.write(step, line)
            if told := teller.tell(line):
                say(step, told)

        failure = self._compose.perform(action, within_s=within_s, tell=tell)
        if failure:
            self._refuse_if_closed()
            raise explain(step, self._docker, failure, within_s)

    def _refuse_if_live(self, containers: Iterable[Inspected]) -> None:
        """Raise where a live run has them, one whose lock is kept elsewhere, as another user's."""
        for run in {Path(it.run) for it in containers if it.run} - {self._run}:
            if is_held(run):
                raise StackError(f"the live run {run} has containers of {self._files.project}")

    def _refuse_if_closed(self) -> None:
        if self._closed.is_set():
            raise StackError("the stack was closed while it was started")

    def _look_patiently(self) -> tuple[Inspected, ...]:
        """Look at all containers; an engine that is away may take a while to be back."""
        deadline = time.monotonic() + ENGINE_PATIENCE_S
        while True:
            self._refuse_if_closed()
            try:
                return self._watch.look()
            except EngineError:
                if time.monotonic() > deadline:
                    raise
                self._closed.wait(_RETRY_S)

    def _image(self, service: str) -> str:
        """Return the digest of a service's image; empty: it is not there."""
        name = self._files.image(service)
        try:
            return self._docker.ask("image", "inspect", "--format", "{{.Id}}", name).strip()
        except DockerCallError:
            return ""

    def _published_address(self) -> str | None:
        """Return where the one published port is; None: its container does not run now."""
        service, target = self._files.published[0]
        ports = [it.ports for it in self._watch.seen if it.service == service and it.running]
        found = [port for own in ports for port in own if port.target == target]
        # The same port may be published for IPv6 too.
        found.sort(key=lambda port: ":" in port.address)
        if not found:
            return None
        every = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # not bound
        address = every.get(found[0].address, found[0].address)
        host = f"[{address}]" if ":" in address else address
        return f"http://{host}:{found[0].published}"
