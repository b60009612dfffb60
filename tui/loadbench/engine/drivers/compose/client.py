"""Runs Docker Compose commands, one at a time, with time limits and cancellation.

Only this module imports python-on-whales, and only when a command runs.

The library has no timeouts and does not terminate its child process when a stream is abandoned:
https://github.com/gabrieldemarmiesse/python-on-whales/issues/687. Each command therefore runs under
a `SupervisorPipe`. Remove the pipe when the library supports timeouts and terminates the child.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadbench.engine.bounds.lines import MAX_OUTPUT_LINE_BYTES
from loadbench.engine.bounds.parsing import BadInputError, parse_json
from loadbench.engine.bounds.relay import relay_prefix
from loadbench.engine.drivers.docker.client import (
    Docker,
    DockerCommandError,
    EngineTimeoutError,
    strip_escapes,
)
from loadbench.engine.drivers.docker.command import MAX_BYTES
from loadbench.engine.drivers.docker.inspect import PROJECT_LABEL
from loadbench.engine.process import GRACE_S, SupervisorPipe
from loadbench.errors import EngineError

if TYPE_CHECKING:
    from python_on_whales import DockerClient

Action = Callable[["DockerClient"], Iterable[tuple[str, bytes]]]
"""A Compose command that streams its output as (stream, line)."""

_MAX_FAILURE_LINES = 200
DOWN_TIMEOUT_S = 60.0
"""Timeout of `docker compose down`: several times Docker's default stop grace period (10 s)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed Compose command."""

    lines: tuple[str, ...]
    """Last lines of its output."""
    timed_out: bool = False
    """Whether it exceeded its time limit."""


WATCH_INTERVAL_S = 1.0
"""Seconds between two checks whether a command must be terminated."""


class ComposeCli:
    """Docker Compose for one project.

    Args:
        docker: Command line of the engine.
        project: Name of the Compose project.
        files: Its compose files. If there are none, Compose finds the project's resources by label.
    """

    def __init__(self, docker: Docker, project: str, files: Iterable[Path] = ()) -> None:
        self._docker = docker
        self._project = project
        self._files = tuple(files)
        self._supervisor_pipe: SupervisorPipe | None = None
        # `cancel` and `run` are called from different threads.
        self._lock = threading.Lock()
        self._cancelled = False
        self._idle = threading.Event()
        self._idle.set()

    def run(
        self,
        action: Action,
        *,
        timeout_s: float,
        on_line: Callable[[str], None],
        is_hopeless: Callable[[], bool] = lambda: False,
    ) -> Failure | None:
        """Run a Compose command.

        Args:
            action: The command.
            timeout_s: Time limit, after which the command is terminated.
            on_line: Called with each line of output.
            is_hopeless: Called every `WATCH_INTERVAL_S`. The command is terminated once it returns
                True.

        Returns:
            The failure, or None if the command succeeded.
        """
        from python_on_whales import DockerException

        try:
            with self._lock:
                if self._cancelled:
                    return Failure(())
                pipe = self._supervisor_pipe = SupervisorPipe(self._docker.settings)
                self._idle.clear()
        except OSError as error:
            return Failure((f"cannot start docker: {error}",))
        started = time.monotonic()
        has_ended = threading.Event()

        def watch() -> None:
            while not has_ended.wait(min(WATCH_INTERVAL_S, timeout_s)):
                if is_hopeless() or time.monotonic() - started >= timeout_s:
                    pipe.terminate()
                    return

        threading.Thread(target=watch, name="compose", daemon=True).start()
        lines: deque[str] = deque(maxlen=_MAX_FAILURE_LINES)
        try:
            for _, raw in action(self._client(pipe)):
                line = strip_escapes(raw)
                on_line(line)
                if line:
                    lines.append(line)
        except DockerException:
            return Failure(tuple(lines), timed_out=time.monotonic() - started >= timeout_s)
        except (OSError, EngineError) as error:
            return Failure((f"cannot start docker: {error}",))
        finally:
            has_ended.set()
            pipe.terminate()
            self._idle.set()
        return None

    def config(self, *options: str, timeout_s: float) -> tuple[dict[str, Any], str]:
        """Return the merged configuration of the project's files, without contacting an engine.

        Args:
            options: Further options of `docker compose`.
            timeout_s: Time limit of the command.

        Returns:
            The configuration, and what Compose printed to standard error.

        Raises:
            DockerCommandError: The files are invalid; `lines` contains the messages from Compose.
            EngineError: Docker Compose is not installed, or the command exceeded a limit.
        """
        files = [part for path in self._files for part in ("--file", str(path))]
        arguments = ("compose", *files, "--project-name", self._project, *options, "config")
        try:
            completed = self._docker.complete(*arguments, "--format", "json", timeout_s=timeout_s)
            config = parse_json(completed.output)
        except EngineTimeoutError:
            message = f"docker compose config timed out after {timeout_s:g} s"
            raise EngineTimeoutError(message) from None
        except BadInputError as error:
            raise DockerCommandError(["docker compose config did not return JSON"]) from error
        if not isinstance(config, dict):
            raise DockerCommandError(["docker compose config did not return a JSON object"])
        return config, completed.error_output

    def cancel(self) -> None:
        """Terminate the running command, wait for its exit and reject all later commands."""
        with self._lock:
            self._cancelled = True
            if self._supervisor_pipe:
                self._supervisor_pipe.terminate()
        self._idle.wait(GRACE_S + 2)

    def _client(self, pipe: SupervisorPipe) -> "DockerClient":
        from python_on_whales import DockerClient

        # DockerClient has no parameter for the environment, so the supervisor sets it. No upstream
        # issue known (searched 2026-11). Remove when there is such a parameter.
        # The library reads lines of any length and keeps all of them. No upstream issue known
        # (searched 2026-11). Remove the relay when it limits them.
        relay = relay_prefix(max_line_bytes=MAX_OUTPUT_LINE_BYTES, max_bytes=MAX_BYTES)
        call = [*pipe.prefix, *relay, *self._docker.command]
        return DockerClient(
            client_call=call,
            compose_files=list(self._files),
            compose_project_name=self._project,
        )


def tear_down(
    docker: Docker, project: str, on_line: Callable[[str], None] = lambda _: None
) -> str | None:
    """Stop and remove all containers and networks of a project. Volumes are kept.

    Args:
        docker: Command line of the engine.
        project: Name of the Compose project. Its compose files are not required.
        on_line: Called with each line of output.

    Returns:
        A sentence that describes what may still be running, or None if nothing is left.
    """
    cli = ComposeCli(docker, project)

    def down() -> Failure | None:
        return cli.run(
            lambda client: client.compose.down(remove_orphans=True, stream_logs=True),
            timeout_s=DOWN_TIMEOUT_S,
            on_line=on_line,
        )

    label = f"label={PROJECT_LABEL}={project}"
    list_ids = ("ps", "--all", "--quiet", "--filter", label)
    try:
        # An engine that does not respond to this would keep `down` waiting until its timeout.
        docker.run(*list_ids)
        failure = down()
        if failure and failure.timed_out:
            # Some containers may have a stop grace period longer than the timeout: kill them.
            if ids := docker.run(*list_ids).split():
                docker.run("rm", "--force", *ids, timeout_s=DOWN_TIMEOUT_S)
            failure = down()
    except EngineError as error:
        return f"containers of {project} may still be running: {error}"
    if failure is None:
        return None
    if failure.timed_out:
        reason = f"`docker compose down` timed out after {DOWN_TIMEOUT_S:g} s"
    else:
        reason = str(docker.error(failure.lines))
    return f"containers of {project} may still be running: {reason}"
