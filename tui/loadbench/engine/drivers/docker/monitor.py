"""Keeps the state of a Compose project's containers up to date.

Engine events only trigger a new `docker inspect`; the state always comes from `inspect`. A lost
event therefore delays an update only until the next regular poll.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from pydantic_core import from_json

from loadbench.engine.bounds.lines import MAX_OUTPUT_LINE_BYTES, bounded_lines
from loadbench.engine.bounds.parsing import BadInputError, parse
from loadbench.engine.drivers.docker.cgroups import ControlGroups, Usage, parse_size
from loadbench.engine.drivers.docker.client import (
    Docker,
    DockerCommandError,
    EngineTimeoutError,
    strip_escapes,
)
from loadbench.engine.drivers.docker.command import MAX_BYTES
from loadbench.engine.drivers.docker.inspect import (
    PROJECT_LABEL,
    ContainerInfo,
    parse_container,
    with_shared_networks,
)
from loadbench.engine.drivers.docker.network import parse_received
from loadbench.engine.drivers.protocol import MAX_LOG_LINES
from loadbench.engine.journal.events import MAX_VALUE
from loadbench.engine.process import SupervisedProcess
from loadbench.errors import EngineError

POLL_INTERVAL_S = 15.0
STARTING_INTERVAL_S = 3.0
"""Seconds between two polls while the service starts. Probes of a health check cause no events that
are followed."""

RETRY_INTERVAL_S = 1.0
UNREACHABLE_TIMEOUT_S = 5.0
"""Seconds for which failed requests are tolerated, because a connection may break briefly."""

UNRESPONSIVE_TIMEOUT_S = 30.0
"""Seconds for which missing responses are tolerated, because a busy engine is slow."""

_EVENTS = ("create", "start", "die", "oom", "pause", "unpause", "destroy", "health_status")


class Monitor:
    """Monitors all containers of a project in background threads.

    Args:
        docker: Command line of the engine.
        project: Name of the Compose project.
    """

    def __init__(self, docker: Docker, project: str) -> None:
        self._docker = docker
        self._project = project
        self._containers: tuple[ContainerInfo, ...] = ()
        self._groups = ControlGroups()
        self._engine_usage: dict[str, Usage] = {}
        self._oom_killed_ids: set[str] = set()
        self._error: EngineError | None = None
        self._failing_since = 0.0
        self._closed = threading.Event()
        self._wake = threading.Event()
        self._poll_lock = threading.Lock()
        self._events: SupervisedProcess | None = None
        self._events_started_at = -RETRY_INTERVAL_S
        self._stats: SupervisedProcess | None = None
        self._stats_started_at = -RETRY_INTERVAL_S
        self._unreadable: frozenset[str] = frozenset()
        self._is_starting = False
        self._thread = threading.Thread(target=self._run, name="containers", daemon=True)

    @property
    def containers(self) -> tuple[ContainerInfo, ...]:
        """The containers as of the last poll."""
        return self._containers

    @property
    def usage(self) -> Mapping[str, Usage]:
        """Resource use of each container, by id."""
        return {**self._engine_usage, **self._groups.usage()}

    @property
    def local_cpu_cores(self) -> float | None:
        """CPU use of all containers on this machine, in cores. None if any cannot be read."""
        if self._unreadable:
            return None
        return sum(usage.cpu_cores or 0.0 for usage in self._groups.usage().values())

    @property
    def error(self) -> EngineError | None:
        """Last error of the engine. None unless polls have failed for longer than is tolerated."""
        error = self._error
        if error is None:
            return None
        is_timeout = isinstance(error, EngineTimeoutError)
        tolerated_s = UNRESPONSIVE_TIMEOUT_S if is_timeout else UNREACHABLE_TIMEOUT_S
        return error if time.monotonic() - self._failing_since > tolerated_s else None

    def start(self) -> None:
        """Start polling. Does nothing if already started."""
        if not self._thread.is_alive() and not self._closed.is_set():
            self._thread.start()

    def watch_start(self, *, is_starting: bool) -> None:
        """Poll more often while the service starts and nothing is measured."""
        self._is_starting = is_starting
        if is_starting:
            self._wake.set()

    def poll(self) -> tuple[ContainerInfo, ...]:
        """Query the engine now and return all containers of the project.

        Raises:
            EngineError: The engine cannot be used.
        """
        with self._poll_lock:
            try:
                found = self._inspect_all()
            except EngineError as error:
                self._note_error(error)
                raise
            self._error = None
            self._containers = found
            return found

    def close(self) -> None:
        """Stop polling."""
        # The thread is not joined: it may be waiting for an unresponsive engine.
        self._closed.set()
        self._wake.set()
        children = [child for child in (self._events, self._stats) if child]
        for child in children:
            child.terminate()
        for child in children:
            child.stop()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._wake.clear()
            self._follow_events()
            try:
                self.poll()
                self._follow_usage()
            except EngineError:
                # Ignore wake-ups here: event streams that fail immediately would cause a busy loop.
                self._closed.wait(RETRY_INTERVAL_S)
            except Exception as error:  # noqa: BLE001  # a dead thread would go unnoticed
                self._note_error(EngineError(f"cannot monitor the containers: {error!r}"))
                self._closed.wait(RETRY_INTERVAL_S)
            else:
                self._wake.wait(STARTING_INTERVAL_S if self._is_starting else POLL_INTERVAL_S)

    def _note_error(self, error: EngineError) -> None:
        if self._error is None:
            self._failing_since = time.monotonic()
        self._error = error

    def _inspect_all(self) -> tuple[ContainerInfo, ...]:
        label = f"label={PROJECT_LABEL}={self._project}"
        ids = self._run_docker("ps", "--all", "--quiet", "--no-trunc", "--filter", label).split()
        if not ids:
            return ()
        try:
            output = self._run_docker("inspect", "--type", "container", *ids)
        except DockerCommandError as error:
            if any("no such" in line.lower() for line in error.lines):
                # A container was removed between the two commands; its event will follow.
                return self._containers
            raise
        try:
            parsed = parse(output, self._parse_inspected, max_bytes=MAX_BYTES)
        except BadInputError as error:
            message = f"unexpected output of `docker inspect`: {error}"
            raise EngineError(message) from error
        found = [self._with_last_output(container) for container in with_shared_networks(parsed)]
        return tuple(sorted(found, key=lambda info: (info.service, len(info.name), info.name)))

    def _parse_inspected(self, output: str) -> list[ContainerInfo]:
        return [
            parse_container(inspected, self._project, self._oom_killed_ids)
            for inspected in from_json(output)
        ]

    def _run_docker(self, *arguments: str, merge_stderr: bool = False) -> str:
        return self._docker.run(*arguments, merge_stderr=merge_stderr, cancel=self._closed)

    def _with_last_output(self, container: ContainerInfo) -> ContainerInfo:
        """Add the last log lines of a container that has exited, even if it was restarted.

        They are read once per exit.
        """
        if not container.restarts and not (container.has_exited and container.exit_code):
            return container
        known = {
            earlier.id: earlier
            for earlier in self._containers
            if earlier.started_at == container.started_at
        }
        if container.id in known and known[container.id].last_output:
            return replace(container, last_output=known[container.id].last_output)
        with suppress(EngineError):
            output = self._run_docker(
                "logs", "--tail", str(MAX_LOG_LINES), container.id, merge_stderr=True
            )
            lines = tuple(map(strip_escapes, output.splitlines()[-MAX_LOG_LINES:]))
            return replace(container, last_output=lines)
        return container

    def _follow_events(self) -> None:
        now = time.monotonic()
        is_following = self._events is not None and self._events.poll() is None
        if is_following or now < self._events_started_at + RETRY_INTERVAL_S:
            return
        self._events_started_at = now
        flags = [f"--filter=event={name}" for name in _EVENTS]
        flags += [f"--filter=label={PROJECT_LABEL}={self._project}", "--filter=type=container"]
        self._events = self._replace(
            self._events, self._on_event, "events", *flags, "--format", "{{json .}}"
        )

    def _follow_usage(self) -> None:
        """Read the usage from the kernel, or from the engine if it runs on another machine."""
        running = {info.id: info.pid for info in self._containers if info.is_running}
        unreadable = self._groups.follow(running)
        is_following = self._stats is not None and self._stats.poll() is None
        now = time.monotonic()
        if unreadable == self._unreadable and (
            is_following or not unreadable or now < self._stats_started_at + RETRY_INTERVAL_S
        ):
            return
        self._stats_started_at = now
        self._unreadable = unreadable
        self._engine_usage = {
            key: usage for key, usage in dict(self._engine_usage).items() if key in unreadable
        }
        if not unreadable:
            if self._stats:
                self._stats.terminate()
            self._stats = None
            return
        self._stats = self._replace(
            self._stats,
            self._on_stats,
            *("stats", "--no-trunc", "--format", "{{json .}}"),
            *sorted(unreadable),
        )

    def _replace(
        self, former: SupervisedProcess | None, on_line: Callable[[str], None], *arguments: str
    ) -> SupervisedProcess | None:
        if former:
            # Its exit is not awaited: `docker stats` exits slowly.
            former.terminate()
        if self._closed.is_set():
            return None
        try:
            child = self._docker.follow(*arguments)
        except EngineError:
            return None
        threading.Thread(target=self._read, args=(child, on_line), daemon=True).start()
        return child

    def _read(self, child: SupervisedProcess, on_line: Callable[[str], None]) -> None:
        output = child.output
        assert output is not None
        with output:
            for raw, _ in bounded_lines(output, MAX_OUTPUT_LINE_BYTES, with_last=True):
                on_line(strip_escapes(raw))
        child.stop()
        # The stream may have ended because the containers have changed.
        self._wake.set()

    def _on_event(self, line: str) -> None:
        with suppress(BadInputError):
            parse(line, self._note_event, max_bytes=MAX_OUTPUT_LINE_BYTES)
        self._wake.set()

    def _on_stats(self, line: str) -> None:
        # For a container that has just exited, the values are dashes.
        with suppress(BadInputError):
            parse(line, self._note_stats, max_bytes=MAX_OUTPUT_LINE_BYTES)

    def _note_event(self, line: str) -> None:
        event = from_json(line)
        if event["Action"] == "oom":
            self._oom_killed_ids.add(event["Actor"]["ID"])

    def _note_stats(self, line: str) -> None:
        stats = from_json(line)
        cores = float(stats["CPUPerc"].rstrip("%")) / 100
        memory = parse_size(stats["MemUsage"].partition("/")[0])
        received, error = _received(stats)
        if not (0 <= cores <= MAX_VALUE and max(memory, received or 0) <= MAX_VALUE):
            raise ValueError("implausible resource usage")
        if stats["ID"] in self._unreadable:
            self._engine_usage[stats["ID"]] = Usage(
                round(cores, 4), memory, received_bytes=received, received_error_bytes=error
            )


def _received(stats: Mapping[str, str]) -> tuple[int | None, int]:
    """Return the received bytes and their rounding error, or None and 0 if they are unknown."""
    try:
        return parse_received(stats["NetIO"])
    except (LookupError, ValueError):
        return None, 0
