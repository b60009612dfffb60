"""Docker Compose, one action after the other: each has its time, and can be ended at any moment.

The only module that imports python-on-whales, and only once something is to be done.

The library has no time limits, and leaves its child process running where a stream is given up:
https://github.com/gabrieldemarmiesse/python-on-whales/issues/687. So each action runs under a
`SupervisorPipe`. That can go when the library takes a timeout and ends its child with the stream.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadbench.engine.drivers.docker.client import (
    Docker,
    DockerCallError,
    SilentEngineError,
    clean,
)
from loadbench.engine.drivers.docker.inspect import PROJECT_LABEL
from loadbench.engine.process import GRACE_S, SupervisorPipe
from loadbench.errors import EngineError

if TYPE_CHECKING:
    from python_on_whales import DockerClient

Action = Callable[["DockerClient"], Iterable[tuple[str, bytes]]]
"""Streams what Compose says, as (stream, line)."""

DOWN_TIMEOUT_S = 60.0
"""Longer than the ten seconds that containers are given to end by themselves, several times."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an action did not succeed."""

    lines: tuple[str, ...]
    """What Compose said on its standard error."""
    overdue: bool = False
    """It was ended because it took too long."""


class ComposeCli:
    """Compose for one project.

    Args:
        docker: The engine's command line.
        project: The project's name.
        files: Its compose files; without any, Compose goes by what it has labelled.
    """

    def __init__(self, docker: Docker, project: str, files: Iterable[Path] = ()) -> None:
        self._docker = docker
        self._project = project
        self._files = tuple(files)
        self._tether: SupervisorPipe | None = None
        # A stop comes from another thread than the one that waits for the action.
        self._lock = threading.Lock()
        self._cut = False
        self._idle = threading.Event()
        self._idle.set()

    def perform(
        self, action: Action, *, within_s: float, tell: Callable[[str], None]
    ) -> Failure | None:
        """Have Compose do something.

        Args:
            action: What.
            within_s: It is ended after this.
            tell: Gets every line that Compose says.

        Returns:
            None: it is done.
        """
        from python_on_whales import DockerException

        try:
            with self._lock:
                if self._cut:
                    return Failure(())
                tether = self._tether = SupervisorPipe()
                self._idle.clear()
        except OSError as error:
            return Failure((f"docker cannot be started: {error}",))
        started = time.monotonic()
        overdue = threading.Timer(within_s, tether.cut)
        overdue.daemon = True
        overdue.start()
        complaints = []
        try:
            for stream, raw in action(self._client(tether)):
                line = clean(raw)
                tell(line)
                if stream == "stderr" and line:
                    complaints.append(line)
        except (DockerException, UnicodeDecodeError) as error:
            # The library takes it for granted that all that is said is UTF-8. Fixed for the output
            # of containers: https://github.com/gabrieldemarmiesse/python-on-whales/pull/607. Can go
            # when it decodes the error of a streamed command in that way too.
            lines = complaints or _lines_of(error)
            return Failure(tuple(lines), overdue=time.monotonic() - started >= within_s)
        except DockerCallError:
            raise
        except (OSError, EngineError) as error:
            return Failure((f"docker cannot be started: {error}",))
        finally:
            overdue.cancel()
            tether.cut()
            self._idle.set()
        return None

    def config(self, *, within_s: float) -> dict[str, Any]:
        """Return the project's files as Compose merges and understands them; no engine is needed.

        Args:
            within_s: It is ended after this.

        Raises:
            DockerCallError: They are not valid; its lines are what Compose says.
            EngineError: There is no Compose, or it did not answer in time.
        """
        found: dict[str, Any] = {}

        def ask(client: "DockerClient") -> Iterable[tuple[str, bytes]]:
            try:
                found.update(client.compose.config(return_json=True))
            except ValueError as error:
                raise DockerCallError(["docker compose config gave no JSON"]) from error
            return ()

        failure = self.perform(ask, within_s=within_s, tell=lambda _: None)
        if failure is None:
            return found
        if failure.overdue:
            raise SilentEngineError(f"Compose did not answer within {within_s:g} s")
        raise self._docker.error(failure.lines)

    def cut(self) -> None:
        """End the action that is under way, and allow no other; return once it has ended."""
        with self._lock:
            self._cut = True
            if self._tether:
                self._tether.cut()
        self._idle.wait(GRACE_S + 2)

    def _client(self, tether: SupervisorPipe) -> "DockerClient":
        from python_on_whales import DockerClient

        # DockerClient takes no environment, so `env` sets it. No upstream issue known (searched
        # 2026-11). Can go when it takes one.
        settings = self._docker.settings
        unset = [flag for name, value in settings.items() if value is None for flag in ("-u", name)]
        given = [f"{name}={value}" for name, value in settings.items() if value is not None]
        call = [*tether.prefix, "env", *unset, *given, *self._docker.command]
        return DockerClient(
            client_call=call,
            compose_files=list(self._files),
            compose_project_name=self._project,
        )


def _lines_of(error: Exception) -> list[str]:
    """Return what a command that was not streamed said on its standard error."""
    said = getattr(error, "stderr", None) or ""
    return [line for raw in said.splitlines() if (line := clean(raw))]


def take_down(
    docker: Docker, project: str, tell: Callable[[str], None] = lambda _: None
) -> str | None:
    """End and remove all containers and networks of a project; volumes stay.

    Args:
        docker: The engine's command line.
        project: The project's name; its compose files need not be there any more.
        tell: Gets every line that Compose says.

    Returns:
        What could not be done, as a sentence; None: nothing is left.
    """
    cli = ComposeCli(docker, project)

    def down() -> Failure | None:
        return cli.perform(
            lambda client: client.compose.down(remove_orphans=True, stream_logs=True),
            within_s=DOWN_TIMEOUT_S,
            tell=tell,
        )

    failure = down()
    if failure and failure.overdue:
        # Containers that are given longer to end by themselves have had their chance.
        try:
            label = f"label={PROJECT_LABEL}={project}"
            if ids := docker.ask("ps", "--all", "--quiet", "--filter", label).split():
                docker.ask("rm", "--force", *ids, timeout_s=DOWN_TIMEOUT_S)
            failure = down()
        except EngineError as error:
            return f"containers of {project} may still be up: {error}"
    if failure is None:
        return None
    reason = (
        f"not within {DOWN_TIMEOUT_S:g} s" if failure.overdue else str(docker.error(failure.lines))
    )
    return f"containers of {project} may still be up: {reason}"
