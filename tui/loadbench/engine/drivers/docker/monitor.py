"""What the containers of a compose project are doing, known at every moment.

The engine's events say *that* something happened; what then is, `docker inspect` alone says. So
there is one truth, and a lost event costs no more than the seconds until the next regular look.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from loadbench.engine.drivers.docker.cgroups import ControlGroups, Usage, parse_size
from loadbench.engine.drivers.docker.client import (
    Docker,
    DockerCallError,
    SilentEngineError,
    clean,
)
from loadbench.engine.drivers.docker.inspect import PROJECT_LABEL, Inspected, describe
from loadbench.engine.drivers.protocol import LOG_LINES
from loadbench.engine.process import SupervisedProcess
from loadbench.errors import EngineError

LOOK_EVERY_S = 15.0
RETRY_EVERY_S = 1.0
GONE_AFTER_S = 5.0
"""How long the engine may refuse to answer before that is a fault: a connection can break."""

SILENT_AFTER_S = 30.0
"""How long it may say nothing: with many containers, a busy one takes its time."""

_EVENTS = ("create", "start", "die", "oom", "pause", "unpause", "destroy", "health_status")


class Monitor:
    """Keeps an eye on all containers of a project, in threads of its own.

    Args:
        docker: The engine's command line.
        project: The project's name.
    """

    def __init__(self, docker: Docker, project: str) -> None:
        self._docker = docker
        self._project = project
        self._seen: tuple[Inspected, ...] = ()
        self._groups = ControlGroups()
        self._told: dict[str, Usage] = {}
        self._oomed: set[str] = set()
        self._trouble: EngineError | None = None
        self._trouble_since = 0.0
        self._closed = threading.Event()
        self._woken = threading.Event()
        self._looking = threading.Lock()
        self._events: SupervisedProcess | None = None
        self._events_at = -RETRY_EVERY_S
        self._stats: SupervisedProcess | None = None
        self._stats_at = -RETRY_EVERY_S
        self._unreadable: frozenset[str] = frozenset()
        self._thread = threading.Thread(target=self._go_on, name="containers", daemon=True)

    @property
    def seen(self) -> tuple[Inspected, ...]:
        """The containers as they were when they were last looked at."""
        return self._seen

    @property
    def usage(self) -> Mapping[str, Usage]:
        """What each container uses, by its id."""
        return {**self._told, **self._groups.usage()}

    @property
    def cpu_cores_here(self) -> float | None:
        """Cores of this machine that all containers use; None: some cannot be read here."""
        if self._unreadable:
            return None
        return sum(usage.cpu_cores or 0.0 for usage in self._groups.usage().values())

    @property
    def trouble(self) -> EngineError | None:
        """Why the engine has not told of the containers for too long; None: it has."""
        trouble = self._trouble
        if trouble is None:
            return None
        patience_s = SILENT_AFTER_S if isinstance(trouble, SilentEngineError) else GONE_AFTER_S
        return trouble if time.monotonic() - self._trouble_since > patience_s else None

    def start(self) -> None:
        """Begin to look, unless that was begun."""
        if not self._thread.is_alive() and not self._closed.is_set():
            self._thread.start()

    def look(self) -> tuple[Inspected, ...]:
        """Ask the engine now, and return all containers of the project.

        Raises:
            EngineError: It cannot be used.
        """
        with self._looking:
            try:
                found = self._ask()
            except EngineError as error:
                self._note_trouble(error)
                raise
            self._trouble = None
            self._seen = found
            return found

    def close(self) -> None:
        """Stop looking."""
        # Not waited for: it may be asking an engine that does not answer.
        self._closed.set()
        self._woken.set()
        children = [child for child in (self._events, self._stats) if child]
        for child in children:
            child.let_go()
        for child in children:
            child.end()

    def _go_on(self) -> None:
        while not self._closed.is_set():
            self._woken.clear()
            self._follow_events()
            try:
                self.look()
                self._follow_usage()
            except EngineError:
                # Not until woken: streams that end at once would wake again and again.
                self._closed.wait(RETRY_EVERY_S)
            except Exception as error:  # noqa: BLE001  # the run would go on, and be blind
                self._note_trouble(EngineError(f"containers cannot be looked at: {error!r}"))
                self._closed.wait(RETRY_EVERY_S)
            else:
                self._woken.wait(LOOK_EVERY_S)

    def _note_trouble(self, error: EngineError) -> None:
        if self._trouble is None:
            self._trouble_since = time.monotonic()
        self._trouble = error

    def _ask(self) -> tuple[Inspected, ...]:
        label = f"label={PROJECT_LABEL}={self._project}"
        ids = self._docker.ask("ps", "--all", "--quiet", "--no-trunc", "--filter", label).split()
        if not ids:
            return ()
        try:
            told = self._docker.ask("inspect", "--type", "container", *ids)
        except DockerCallError as error:
            if any("no such" in line.lower() for line in error.lines):
                # One of them went between the two questions, and its event is on the way.
                return self._seen
            raise
        try:
            described = [describe(it, self._project, self._oomed) for it in json.loads(told)]
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            problem = f"`docker inspect` told of a container in an unknown way: {error!r}"
            raise EngineError(problem) from error
        found = [self._with_last_words(seen) for seen in described]
        return tuple(sorted(found, key=lambda seen: (seen.service, len(seen.name), seen.name)))

    def _with_last_words(self, seen: Inspected) -> Inspected:
        if not seen.ended or (seen.exit_code == 0 and not seen.restarts):
            return seen
        known = {it.id: it for it in self._seen if it.started_at == seen.started_at}
        if seen.id in known and known[seen.id].last_words:
            return replace(seen, last_words=known[seen.id].last_words)
        with suppress(EngineError):
            said = self._docker.ask("logs", "--tail", str(LOG_LINES), seen.id, merged=True)
            return replace(seen, last_words=tuple(clean(line) for line in said.splitlines()))
        return seen

    def _follow_events(self) -> None:
        now = time.monotonic()
        if (self._events and self._events.poll() is None) or now < self._events_at + RETRY_EVERY_S:
            return
        self._events_at = now
        flags = [f"--filter=event={name}" for name in _EVENTS]
        flags += [f"--filter=label={PROJECT_LABEL}={self._project}", "--filter=type=container"]
        self._events = self._replace(
            self._events, self._on_event, "events", *flags, "--format", "{{json .}}"
        )

    def _follow_usage(self) -> None:
        """Have what the containers use: from the kernel, or of those elsewhere from the engine."""
        unreadable = self._groups.follow({it.id: it.pid for it in self._seen if it.running})
        up = self._stats is not None and self._stats.poll() is None
        now = time.monotonic()
        if unreadable == self._unreadable and (
            up or not unreadable or now < self._stats_at + RETRY_EVERY_S
        ):
            return
        self._stats_at = now
        self._unreadable = unreadable
        self._told = {key: usage for key, usage in dict(self._told).items() if key in unreadable}
        if not unreadable:
            if self._stats:
                self._stats.let_go()
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
            # Not waited for: `docker stats` takes its time to end.
            former.let_go()
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
            for raw in output:
                on_line(clean(raw))
        child.end()
        # Whatever ended it may have ended more.
        self._woken.set()

    def _on_event(self, line: str) -> None:
        with suppress(ValueError, KeyError, TypeError):
            event = json.loads(line)
            if event["Action"] == "oom":
                self._oomed.add(event["Actor"]["ID"])
        self._woken.set()

    def _on_stats(self, line: str) -> None:
        # Of a container that has just ended, the numbers are dashes.
        with suppress(ValueError, KeyError, TypeError):
            told = json.loads(line)
            cores = float(told["CPUPerc"].rstrip("%")) / 100
            memory = parse_size(told["MemUsage"].partition("/")[0])
            self._told[told["ID"]] = Usage(round(cores, 4), memory)
