"""Starts the Locust process and controls it over its web API.

Only this module sends requests to the API.
"""

import json
import os
import secrets
import select
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from subprocess import PIPE
from typing import IO, TypeVar

from loadbench.engine.bounds.connect import DEFAULT_TRUST, NoResponseError, Trust
from loadbench.engine.bounds.http import request
from loadbench.engine.bounds.lines import MAX_OUTPUT_LINE_BYTES, bounded_lines, last_lines
from loadbench.engine.bounds.parsing import MAX_JSON_BYTES, BadInputError, parse
from loadbench.engine.bounds.texts import shortened
from loadbench.engine.load.answers import (
    parse_begin,
    parse_measured,
    parse_started,
    parse_state,
    parse_swarm,
)
from loadbench.engine.load.protocol import LoadState, Measured
from loadbench.engine.load.wire import (
    CELL_OPTION,
    CLIENTS_VARIABLE,
    IMAGES_VARIABLE,
    MEASURE_PATH,
    READY_FD_VARIABLE,
    REPLICAS_OPTION,
    RESULT_PATH,
    STATE_PATH,
    TIMEOUT_VARIABLE,
    TOKEN_HEADER,
    TOKEN_VARIABLE,
)
from loadbench.engine.masking import NO_SECRETS, Masker
from loadbench.engine.process import SupervisedProcess, describe_exit
from loadbench.engine.profile.levels import Closed
from loadbench.engine.profile.plan import Cell
from loadbench.errors import LoadError, LoadLostError

START_TIMEOUT_S = 30.0
RESPONSE_TIMEOUT_S = 5.0
REPORT_TIMEOUT_S = 15.0
MAX_TIMEOUTS = 3
"""Number of consecutive requests without a response after which Locust counts as lost."""

MAX_REPORT_BYTES = 64_000_000
MAX_STARTUP_BYTES = 1_000_000
"""Size limit of the message with which Locust reports that it is ready, or why it is not."""

_MAX_MESSAGE_CHARACTERS = 1_000
_MAX_LOG_LINES = 3
_LOG_DRAIN_S = 1.0
_EXIT_TIMEOUT_S = 0.5
"""Seconds to wait for an exit code after a failed request."""


class _NoAnswerError(LoadLostError):
    """Locust is running but does not respond."""


T = TypeVar("T")


class LocustLoad:
    """The Locust process of a run.

    Args:
        user_file: The user's locustfile.
        images: Folder of the images to send, passed in `LOADBENCH_IMAGES`.
        timeout_s: Timeout of one request.
        headers: HTTP headers of the requests of Locust's clients.
        trust: Which certificates these clients trust.
        log: File for Locust's log output.
        masker: Masks the secret values in the log output.
    """

    def __init__(
        self,
        user_file: Path,
        *,
        images: Path,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
        trust: Trust = DEFAULT_TRUST,
        log: Path,
        masker: Masker = NO_SECRETS,
    ) -> None:
        self._user_file = user_file
        self._images = images
        self._timeout_s = timeout_s
        self._clients = {"headers": dict(headers or {}), **asdict(trust)}
        self._log = log
        self._masker = masker
        self._copier: threading.Thread | None = None
        self._token = ""
        self._url = ""
        self._timeouts = 0
        self._process: SupervisedProcess | None = None

    def start(self) -> None:
        """Start Locust and wait until its web API is ready.

        Raises:
            LoadError: The user file has an error; the message names the file and line.
            LoadLostError: Locust was killed or was not ready in time.
        """
        self.close()
        self._token = secrets.token_urlsafe(32)
        self._timeouts = 0
        read_fd, write_fd = os.pipe()
        try:
            self._process = self._launch(write_fd)
            os.close(write_fd)
            write_fd = -1
            self._url = f"http://127.0.0.1:{self._wait_for_port(read_fd)}"
        finally:
            os.close(read_fd)
            if write_fd >= 0:
                os.close(write_fd)

    def swarm(self, cell: Cell, host: str, tag: str, replicas: Sequence[str] = ()) -> None:
        """Start spawning the users of a cell.

        Args:
            cell: Defines the number of users and the spawn rate.
            host: Base URL of the service.
            tag: Identifier of this attempt, which `state` returns.
            replicas: Base URLs of the replicas among which users are distributed. Empty if all
                requests go to `host`.

        Raises:
            LoadError: Locust rejected the request.
            LoadLostError: Locust does not respond, or not as expected.
        """
        level = cell.level
        if not isinstance(level, Closed):
            raise LoadError(f"Locust cannot generate the load of {cell.key}")
        fields = {
            "user_count": str(level.users),
            "spawn_rate": repr(level.spawn_rate),
            "host": host,
            CELL_OPTION: tag,
            REPLICAS_OPTION: json.dumps(list(replicas)) if replicas else "",
            "profile": cell.key,
        }
        answer = self._ask("/swarm", parse_swarm, fields=fields)
        if not answer.success:
            message = shortened(answer.message or "no reason given", _MAX_MESSAGE_CHARACTERS)
            raise LoadError(f"Locust rejected {cell.key}: {message}")

    def state(self, since: int) -> LoadState | None:
        """Return the state of the cell, with the seconds from number `since` onwards.

        Locust discards earlier seconds. Return None if it does not respond to this request.

        Raises:
            LoadLostError: Locust exited, did not respond several times in a row, or did not respond
                as expected.
        """
        try:
            state = self._ask(f"{STATE_PATH}?since={since}", parse_state)
        except _NoAnswerError as error:
            self._timeouts += 1
            if self._timeouts >= MAX_TIMEOUTS:
                raise LoadLostError(str(error)) from error
            return None
        self._timeouts = 0
        return state

    def measure(self, seconds: float) -> float:
        """Reset Locust's statistics and open a measurement window of this length.

        Returns:
            Start of the window in seconds, on the time axis of the samples.
        """
        return self._ask(MEASURE_PATH, parse_begin, fields={"seconds": repr(seconds)})

    def stop(self) -> None:
        """Stop all users. Requests in flight finish or time out first.

        Another thread may call `state` in the meantime.
        """
        self._call("/stop", fields={}, timeout_s=self._timeout_s + 2 * RESPONSE_TIMEOUT_S)

    def measured(self) -> Measured:
        """Return the results of the measurement window."""
        return self._ask(RESULT_PATH, parse_measured)

    def report(self) -> bytes:
        """Return Locust's HTML report of the measurement window."""
        path = "/stats/report?theme=dark"
        return self._call(path, timeout_s=REPORT_TIMEOUT_S, max_bytes=MAX_REPORT_BYTES)

    def close(self) -> None:
        """Terminate Locust and all processes started by the user file."""
        process, self._process = self._process, None
        if process:
            process.stop()
            self._finish_log()

    def _launch(self, ready_fd: int) -> SupervisedProcess:
        # -P: files in the user's folder must not shadow the standard library.
        argv = [sys.executable, "-P", "-m", "loadbench.in_locust", "-f", str(self._user_file)]
        environment = {
            **os.environ,
            TOKEN_VARIABLE: self._token,
            READY_FD_VARIABLE: str(ready_fd),
            TIMEOUT_VARIABLE: f"{self._timeout_s:g}",
            CLIENTS_VARIABLE: json.dumps(self._clients),
            IMAGES_VARIABLE: str(self._images),
        }
        with self._log.open("ab") as log:
            process = SupervisedProcess(
                argv,
                cwd=self._user_file.parent,
                environment=environment,
                # Without secrets, Locust writes to the file itself.
                stdout=PIPE if self._masker else log,
                pass_fds=(ready_fd,),
            )
        if process.output:
            self._copier = threading.Thread(
                target=self._copy_output, args=(process.output,), daemon=True
            )
            self._copier.start()
        return process

    def _copy_output(self, output: IO[bytes]) -> None:
        """Copy Locust's output to its log, with secret values masked."""
        with output, self._log.open("ab", buffering=0) as log:
            for line, _ in bounded_lines(output, MAX_OUTPUT_LINE_BYTES, with_last=True):
                # Locust must not block if the disk is full.
                with suppress(OSError):
                    log.write(self._masker.data(line) + b"\n")

    def _finish_log(self) -> None:
        """Wait until the output of an exited Locust is in its log."""
        if self._copier:
            self._copier.join(_LOG_DRAIN_S)

    def _wait_for_port(self, read_fd: int) -> int:
        deadline = time.monotonic() + START_TIMEOUT_S
        received = b""
        while not received.endswith(b"\n"):
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([read_fd], [], [], remaining)[0]:
                raise LoadLostError(f"Locust was not ready within {START_TIMEOUT_S:g} s")
            chunk = os.read(read_fd, 65536)
            if not chunk:
                raise self._early_exit()
            received += chunk
            if len(received) > MAX_STARTUP_BYTES:
                break
        try:
            started = parse(received, parse_started, max_bytes=MAX_STARTUP_BYTES)
        except BadInputError as error:
            message = f"unusable startup message from Locust: {_one_line(error)}"
            raise LoadLostError(message) from error
        if started.error is not None:
            raise LoadError(shortened(started.error, _MAX_MESSAGE_CHARACTERS))
        return started.port

    def _early_exit(self) -> LoadError | LoadLostError:
        process, self._process = self._process, None
        code = process.stop() if process else None
        self._finish_log()
        lines = last_lines(self._log, _MAX_LOG_LINES)
        output = " | ".join(shortened(line.strip(), _MAX_MESSAGE_CHARACTERS) for line in lines)
        message = f"Locust {describe_exit(code)} before it was ready"
        if code is None or code < 0:
            return LoadLostError(message)
        return LoadError(f"{message}: {output} (see {self._log})")

    def _ask(
        self,
        path: str,
        parser: Callable[[bytes], T],
        *,
        fields: Mapping[str, str] | None = None,
    ) -> T:
        """Send a request and return its parsed response."""
        body = self._call(path, fields=fields)
        try:
            return parse(body, parser, max_bytes=MAX_JSON_BYTES)
        except BadInputError as error:
            raise _unusable(_endpoint(path, fields), error) from error

    def _call(
        self,
        path: str,
        *,
        fields: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        max_bytes: int = MAX_JSON_BYTES,
    ) -> bytes:
        """Send a request, with `POST` if it has fields, and return the body of its response."""
        endpoint = _endpoint(path, fields)
        try:
            response = request(
                self._url + path,
                timeout_s=timeout_s or RESPONSE_TIMEOUT_S,
                max_bytes=max_bytes,
                headers={TOKEN_HEADER: self._token},
                fields=fields,
            )
        except BadInputError as error:
            raise _unusable(endpoint, error) from error
        except NoResponseError as error:
            raise self._lost(endpoint, str(error)) from error
        if not response.is_success:
            raise self._lost(endpoint, f"HTTP status {response.status}")
        return response.body

    def _lost(self, endpoint: str, problem: str) -> LoadLostError:
        process = self._process
        if process is None:
            return LoadLostError("Locust is not running")
        code = process.wait(_EXIT_TIMEOUT_S)
        if code is not None:
            return LoadLostError(f"Locust {describe_exit(code)}")
        return _NoAnswerError(f"no response from Locust to {endpoint}: {problem}")


def _endpoint(path: str, fields: Mapping[str, str] | None) -> str:
    return f"{'GET' if fields is None else 'POST'} {path.partition('?')[0]}"


def _unusable(endpoint: str, error: BadInputError) -> LoadLostError:
    return LoadLostError(f"unusable response from Locust to {endpoint}: {_one_line(error)}")


def _one_line(error: BadInputError) -> str:
    return shortened(" ".join(str(error).split()), _MAX_MESSAGE_CHARACTERS)
