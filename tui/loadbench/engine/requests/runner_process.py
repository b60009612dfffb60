"""A runner process that waits for its request. It is in a session of its own.

This module imports little, so that a command can start the process before it loads the rest: both
then start at the same time.
"""

import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

RUNNER_MODULE = "loadbench.engine.run"
PREVIEW = "preview"
"""Argument of a runner that only returns the preview of a run."""


@dataclass(frozen=True, slots=True)
class RunnerOutput:
    """What a runner has printed until it closed its output."""

    answer: bytes
    log_lines: tuple[str, ...]


class RunnerProcess:
    """Context manager for a runner, which ends with the context unless it got a request.

    It also ends if this process exits without a request.

    Args:
        arguments: Arguments of the module.

    Raises:
        OSError: The process cannot be started.
    """

    def __init__(self, *arguments: str) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the context
        self._is_asked = False
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", RUNNER_MODULE, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
        )

    def __enter__(self) -> "RunnerProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._is_asked:
            self._process.kill()
            self._process.communicate()
        self._errors.close()

    @property
    def pid(self) -> int:
        """Process id of the runner."""
        return self._process.pid

    def ask(self, request: str) -> RunnerOutput:
        """Send the request and return the output. Can be called once."""
        self._is_asked = True
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        # A runner that has exited does not read the request. Its output then says why.
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(request.encode())
        with process.stdout:
            answer = process.stdout.read()
        self._errors.seek(0)
        log_lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        # Wait for the process in the background, so that it does not remain as a zombie.
        threading.Thread(target=process.wait, daemon=True).start()
        return RunnerOutput(answer, tuple(log_lines))
