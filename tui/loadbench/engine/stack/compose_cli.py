"""Docker Compose, one action after the other: each has its time, and can be ended at any moment.

The only module that imports python-on-whales, and only once something is to be done.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loadbench.engine.leash import Tether
from loadbench.engine.stack.docker import Docker, clean
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
        self._tether: Tether | None = None
        # A stop comes from another thread than the one that waits for the action.
        self._lock = threading.Lock()
        self._cut = False

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
                tether = self._tether = Tether()
            client = self._client(tether)
        except (OSError, EngineError) as error:
            return Failure((f"docker cannot be started: {error}",))
        started = time.monotonic()
        overdue = threading.Timer(within_s, tether.cut)
        overdue.daemon = True
        overdue.start()
        try:
            for _, raw in action(client):
                tell(clean(raw))
        except DockerException as error:
            said = tuple(clean(line) for line in (error.stderr or "").splitlines() if line.strip())
            return Failure(said, overdue=time.monotonic() - started >= within_s)
        except OSError as error:
            return Failure((f"docker cannot be started: {error}",))
        finally:
            overdue.cancel()
            tether.cut()
        return None

    def cut(self) -> None:
        """End the action that is under way, and allow no other."""
        with self._lock:
            self._cut = True
            if self._tether:
                self._tether.cut()

    def _client(self, tether: Tether) -> "DockerClient":
        from python_on_whales import DockerClient

        settings = self._docker.settings
        unset = [f"--unset={name}" for name, value in settings.items() if value is None]
        given = [f"{name}={value}" for name, value in settings.items() if value is not None]
        call = [*tether.prefix, "env", *unset, *given, *self._docker.command]
        return DockerClient(
            client_call=call,
            compose_files=list(self._files),
            compose_project_name=self._project,
        )


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
    failure = ComposeCli(docker, project).perform(
        lambda client: client.compose.down(remove_orphans=True, stream_logs=True),
        within_s=DOWN_TIMEOUT_S,
        tell=tell,
    )
    if failure is None:
        return None
    reason = (
        f"not within {DOWN_TIMEOUT_S:g} s" if failure.overdue else str(docker.error(failure.lines))
    )
    return f"containers of {project} may still be up: {reason}"
