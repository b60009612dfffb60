"""The Locust process: its start, its log, and what it executes outside of users."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from subprocess import PIPE
from typing import IO

from loadbench.engine.bounds.lines import MAX_OUTPUT_LINE_BYTES, bounded_lines
from loadbench.engine.bounds.texts import shortened
from loadbench.engine.load.activity import Activity
from loadbench.engine.load.log_file import LogFile, newest_lines, own_lines
from loadbench.engine.load.scenario import Scenario
from loadbench.engine.load.status import LocustStatus
from loadbench.engine.load.wire import SCENARIO_VARIABLE, STATUS_FD_VARIABLE
from loadbench.engine.masking import NO_SECRETS, Masker
from loadbench.engine.process import SupervisedProcess, describe_exit
from loadbench.errors import LoadError, LoadLostError, LoadStartError

START_TIMEOUT_S = 30.0
"""Maximum time for Locust itself to start, without the code of the locustfile."""

MAX_MESSAGE_CHARACTERS = 1_000

_MAX_LOG_LINES = 3
_LOG_DRAIN_S = 1.0
_POLL_S = 0.5


class LocustProcess:
    """A running Locust process.

    Args:
        scenario: The locustfiles and their settings.
        variables: Further environment variables.
        log: File for Locust's log output.
        masker: Masks the secret values in the log output.

    Raises:
        OSError: The process cannot be started.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        variables: Mapping[str, str],
        log: Path,
        masker: Masker = NO_SECRETS,
    ) -> None:
        self._limit_s = scenario.start_timeout_s
        self._log = log
        self._masker = masker
        read_fd, write_fd = os.pipe()
        try:
            self._process = self._launch(
                scenario, {**variables, STATUS_FD_VARIABLE: str(write_fd)}, write_fd
            )
        except BaseException:
            os.close(read_fd)
            raise
        finally:
            os.close(write_fd)
        self._activity = Activity(self._process.pid)
        self.status = LocustStatus(read_fd)
        """What Locust reports."""

    def wait(self, seconds: float) -> int | None:
        """Wait up to `seconds` for Locust to exit. Return its exit code, or None if it runs."""
        return self._process.wait(seconds)

    def wait_until(self, is_done: Callable[[], bool]) -> None:
        """Wait until Locust has reported something.

        Args:
            is_done: Whether `status` contains it.

        Raises:
            LoadError: The locustfile has a mistake, or takes too long.
            LoadLostError: Locust exited, or reports nothing.
        """
        started, status = time.monotonic(), self.status
        while not is_done():
            if status.problem:
                raise LoadLostError(f"unusable message from Locust: {status.problem}")
            if status.error:
                raise self._mistake(status.error)
            if status.is_closed or self._process.poll() is not None:
                raise self._early_exit()
            self.check_time()
            # Phases have a limit of their own.
            idle_s = time.monotonic() - max(started, status.since_s)
            if not status.phase and idle_s > START_TIMEOUT_S:
                raise LoadLostError(f"Locust was not ready within {START_TIMEOUT_S:g} s")
            if not is_done():
                status.wait(_POLL_S)

    def check_time(self) -> None:
        """Check that code of the locustfile outside of users does not take too long.

        Raises:
            LoadStartError: It does.
        """
        if self.status.phase and self.status.overdue_s(self._limit_s) > 0:
            text = self.status.exceeded(self._limit_s, self._activity.describe())
            raise LoadStartError(text, log_lines=self._lines_of_locustfile())

    def check_cell(self, tag: str) -> None:
        """Check that the locustfile did not end a cell.

        Args:
            tag: The tag of the cell.

        Raises:
            LoadError: It did.
        """
        cell, text = self.status.failure
        if text and cell == tag:
            text = shortened(text, MAX_MESSAGE_CHARACTERS)
            raise LoadError(text, log_lines=self._lines_of_locustfile())

    def awaited(self) -> str:
        """Return what Locust is waited for, with its limit; empty if for nothing."""
        if not self.status.phase and not self.status.port:
            return f"Locust to start, at most {START_TIMEOUT_S:g} s"
        return self.status.awaited(self._limit_s, self._activity.describe())

    def stop(self) -> int:
        """Terminate Locust and all processes started by the locustfile; return the exit code."""
        code = self._process.stop()
        # Until the output of the exited Locust is in its log.
        self._copier.join(_LOG_DRAIN_S)
        return code

    def _launch(
        self, scenario: Scenario, variables: Mapping[str, str], status_fd: int
    ) -> SupervisedProcess:
        files = scenario.files
        # -P: files in the user's folder must not shadow the standard library.
        argv = [sys.executable, "-P", "-m", "loadbench.in_locust", "-f", str(files.paths[0])]
        environment = {
            **scenario.variables(os.environ),
            SCENARIO_VARIABLE: json.dumps(scenario.settings()),
            **variables,
        }
        log = LogFile(self._log)
        try:
            process = SupervisedProcess(
                argv,
                cwd=files.folder,
                environment=environment,
                stdout=PIPE,
                pass_fds=(status_fd,),
            )
        except BaseException:
            log.close()
            raise
        assert process.output is not None
        self._copier = threading.Thread(
            target=self._copy_output, args=(process.output, log), daemon=True
        )
        self._copier.start()
        return process

    def _copy_output(self, output: IO[bytes], log: LogFile) -> None:
        """Copy Locust's output to its log, with secret values masked."""
        with output, closing(log):
            for line, _ in bounded_lines(output, MAX_OUTPUT_LINE_BYTES, with_last=True):
                log.write(self._masker.data(line))

    def _mistake(self, error: str) -> LoadError:
        """Return a mistake in the locustfile, with the log lines before its traceback."""
        self.stop()
        text = shortened(error, MAX_MESSAGE_CHARACTERS)
        return LoadError(text, log_lines=self._lines_of_locustfile())

    def _lines_of_locustfile(self) -> tuple[str, ...]:
        """Return the last log lines of the locustfile itself."""
        lines = own_lines(self._log, _MAX_LOG_LINES)
        return tuple(shortened(line, MAX_MESSAGE_CHARACTERS) for line in lines)

    def _early_exit(self) -> LoadError | LoadLostError:
        code = self.stop()
        lines = newest_lines(self._log, _MAX_LOG_LINES)
        output = " | ".join(shortened(line.strip(), MAX_MESSAGE_CHARACTERS) for line in lines)
        message = f"Locust {describe_exit(code)} before it was ready"
        if code < 0:
            return LoadLostError(message)
        return LoadError(f"{message}: {output} (see {self._log})")
