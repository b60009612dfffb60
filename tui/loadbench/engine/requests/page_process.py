"""The process that writes a page, which can be started before the page can be written."""

import json
import os
import socket
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any

from loadbench.engine.process import SupervisedProcess, describe_exit
from loadbench.errors import LoadbenchError

PAGE_MODULE = "loadbench.page"
WHEN_ASKED = "--when-asked"
"""Option of the module, with the number of an inherited socket. When all is loaded, the process
sends a byte; when it receives a folder, it writes its page. If the socket is closed, it exits."""
END_OF_FOLDER = b"\0"

MAX_OUTPUT_BYTES = 64 * 1024
"""Maximum length of the output that is read, from its end."""


class PageCrashError(LoadbenchError):
    """The process that writes a page ended without an answer, or not in time.

    Args:
        page: The page.
        reason: What happened, as a clause.
    """

    def __init__(self, page: Path, reason: str) -> None:
        super().__init__(f"{page}: not written: {reason}")
        self.reason = reason


class PageProcess:
    """A process that writes one page. It cannot outlive this one.

    Args:
        arguments: Arguments of the module, with the folder. Empty if `answer` gets the folder: the
            process then loads all that it needs, and waits.
        module: The module to execute.

    Raises:
        OSError: The process cannot be started.
    """

    def __init__(self, arguments: Sequence[str] = (), *, module: str = PAGE_MODULE) -> None:
        self._socket: socket.socket | None = None
        with ExitStack() as stack:
            self._output = stack.enter_context(tempfile.TemporaryFile())
            self._errors = stack.enter_context(tempfile.TemporaryFile())
            options, inherited = [], []
            if not arguments:
                ours, theirs = map(stack.enter_context, socket.socketpair())
                options, inherited = [f"{WHEN_ASKED}={theirs.fileno()}"], [theirs.fileno()]
                self._socket = ours
            self._process = SupervisedProcess(
                [sys.executable, "-P", "-m", module, *options, *arguments],
                cwd=Path(),
                environment=os.environ,
                stdout=self._output,
                stderr=self._errors,
                pass_fds=inherited,
            )
            if inherited:
                theirs.close()
            self._open = stack.pop_all()

    @property
    def is_running(self) -> bool:
        """Whether the process has not exited."""
        return self._process.poll() is None

    def wait_until_ready(self, timeout_s: float) -> bool:
        """Wait until all is loaded, and return whether it is. False if the process has exited."""
        assert self._socket is not None
        self._socket.settimeout(timeout_s)
        try:
            return bool(self._socket.recv(1))
        except OSError:
            return False

    def answer(self, page: Path, timeout_s: float, folder: Path | None = None) -> dict[str, Any]:
        """Wait until the page is written, end the process and return its answer.

        Args:
            page: The page, for messages.
            timeout_s: Maximum seconds to wait.
            folder: The folder of the run, unless the process has got arguments.

        Raises:
            PageCrashError: There is no answer.
            LoadbenchError: The page cannot be written.
        """
        try:
            if self._socket and folder:
                with suppress(OSError):  # the process has exited
                    self._socket.sendall(os.fsencode(folder) + END_OF_FOLDER)
            code = self._process.wait(timeout_s)
            if code is None:
                raise PageCrashError(page, f"its process took longer than {timeout_s:.0f} s")
            answer = _answer(_end_of(self._output))
            if "error" in answer:
                raise LoadbenchError(str(answer["error"]))
            if code or "page" not in answer:
                raise PageCrashError(page, _failure(code, _end_of(self._errors)))
            return answer
        finally:
            self.close()

    def close(self) -> None:
        """End the process."""
        self._process.stop()
        self._open.close()


def _answer(output: str) -> dict[str, Any]:
    """Return the answer in the last line of the output. Empty if there is none."""
    lines = output.splitlines()
    try:
        answer = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _failure(code: int, errors: str) -> str:
    """Describe the exit of the process, with the last line of its error output."""
    lines = errors.splitlines()
    return f"its process {describe_exit(code)}" + (f": {lines[-1]}" if lines else "")


def _end_of(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MAX_OUTPUT_BYTES))
    return file.read().decode("utf-8", "replace").strip()
