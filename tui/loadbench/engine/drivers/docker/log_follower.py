"""What the containers of a project say, all of it, in the run's `stack.log`."""

import threading
from datetime import UTC, datetime

from loadbench.engine.drivers.docker.client import Docker, clean
from loadbench.engine.drivers.stack_log import StackLog
from loadbench.engine.process import SupervisedProcess
from loadbench.errors import EngineError

_LAST_LINES_S = 2.0


class LogFollower:
    """Follows the containers' output, by `docker compose logs`.

    Args:
        docker: The engine's command line.
        project: The project's name.
        log: Where it goes.
    """

    def __init__(self, docker: Docker, project: str, log: StackLog) -> None:
        self._docker = docker
        self._project = project
        self._log = log
        self._child: SupervisedProcess | None = None
        self._until = ""

    def follow(self) -> None:
        """Follow all containers, those that come later too, unless that is being done."""
        if self._child and self._child.poll() is None:
            return
        # It ends when all containers have ended, and must not print again what it has printed:
        # https://github.com/docker/compose/issues/10331. Can go when it waits for new containers.
        since = ("--since", self._until) if self._until else ()
        arguments = ("compose", "--project-name", self._project, "logs", "--no-color")
        try:
            self._child = self._docker.follow(*arguments, "--follow", *since)
        except EngineError:
            return
        threading.Thread(target=self._write_down, args=(self._child,), daemon=True).start()

    def close(self) -> None:
        """Take down the last words, and stop."""
        if self._child:
            self._child.wait(_LAST_LINES_S)
            self._child.end()

    def _write_down(self, child: SupervisedProcess) -> None:
        output = child.output
        assert output is not None
        with output:
            for raw in output:
                name, bar, line = clean(raw).partition("|")
                self._log.write(*((name.strip(), line.strip()) if bar else ("compose", name)))
        child.end()
        self._until = datetime.now(UTC).isoformat()
