"""Copies the log output of a project's containers to the run's `stack.log`."""

import threading
import time
from datetime import UTC, datetime

from loadbench.engine.bounds.lines import MAX_OUTPUT_LINE_BYTES, bounded_lines
from loadbench.engine.drivers.docker.client import Docker, strip_escapes
from loadbench.engine.drivers.stack_log import StackLog
from loadbench.engine.process import SupervisedProcess
from loadbench.errors import EngineError

_DRAIN_TIMEOUT_S = 2.0
_QUIET_S = 0.5
"""Seconds without output after which no more lines of removed containers are expected."""

_POLL_S = 0.05


class LogFollower:
    """Follows the output of containers with `docker compose logs`.

    Args:
        docker: Command line of the engine.
        project: Name of the Compose project.
        log: Destination of the lines.
    """

    def __init__(self, docker: Docker, project: str, log: StackLog) -> None:
        self._docker = docker
        self._project = project
        self._log = log
        self._child: SupervisedProcess | None = None
        self._until = ""
        self._read_at = 0.0

    def follow(self) -> None:
        """Follow all containers, including later ones. Does nothing if already following."""
        if self._child and self._child.poll() is None:
            return
        # `compose logs` exits when the last container exits. When started again, it must not repeat
        # lines: https://github.com/docker/compose/issues/10331. Remove when it waits for new
        # containers.
        since = ("--since", self._until) if self._until else ()
        arguments = ("compose", "--project-name", self._project, "logs", "--no-color")
        try:
            self._child = self._docker.follow(*arguments, "--follow", *since)
        except EngineError:
            return
        threading.Thread(target=self._copy_lines, args=(self._child,), daemon=True).start()

    def close(self) -> None:
        """Copy the remaining lines of containers that have been removed, and stop."""
        child, start = self._child, time.monotonic()
        if child is None:
            return
        # If a container has exited before, `compose logs` does not exit after the others:
        # https://github.com/docker/compose/issues/8715. Wait only for its exit when it is closed.
        while child.wait(_POLL_S) is None:
            now = time.monotonic()
            if now > min(start + _DRAIN_TIMEOUT_S, max(start, self._read_at) + _QUIET_S):
                break
        child.stop()

    def _copy_lines(self, child: SupervisedProcess) -> None:
        output = child.output
        assert output is not None
        with output:
            for raw, _ in bounded_lines(output, MAX_OUTPUT_LINE_BYTES, with_last=True):
                self._read_at = time.monotonic()
                name, separator, line = strip_escapes(raw).partition("|")
                entry = (name.strip(), line.strip()) if separator else ("compose", name)
                self._log.write(*entry)
        child.stop()
        self._until = datetime.now(UTC).isoformat()
