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
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE
from typing import IO, Any

import requests
from pydantic import TypeAdapter

from loadbench.engine.bounds.lines import MAX_OUTPUT_LINE_BYTES, bounded_lines
from loadbench.engine.load.protocol import LoadState, Measured
from loadbench.engine.load.wire import (
    CELL_OPTION,
    IMAGES_VARIABLE,
    MEASURE_PATH,
    READY_FD_VARIABLE,
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

MAX_LOG_LINES = 15
_LOG_DRAIN_S = 1.0
_EXIT_TIMEOUT_S = 0.5
"""Seconds to wait for an exit code after a failed request."""


class _NoResponseError(LoadLostError):
    """Locust is running but does not respond."""


_STATE: TypeAdapter[LoadState] = TypeAdapter(LoadState)
_MEASURED: TypeAdapter[Measured] = TypeAdapter(Measured)


class LocustLoad:
    """The Locust process of a run.

    Args:
        user_file: The user's locustfile.
        images: Folder of the images to send, passed in `LOADBENCH_IMAGES`.
        timeout_s: Timeout of one request.
        log: File for Locust's log output.
        masker: Masks the secret values in the log output.
    """

    def __init__(
        self,
        user_file: Path,
        *,
        images: Path,
        timeout_s: float,
        log: Path,
        masker: Masker = NO_SECRETS,
    ) -> None:
        self._user_file = user_file
        self._images = images
        self._timeout_s = timeout_s
        self._log = log
        self._masker = masker
        self._copier: threading.Thread | None = None
        self._token = ""
        self._url = ""
        self._timeouts = 0
        self._process: SupervisedProcess | None = None
        self._session = _new_session()

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
        self._session.headers[TOKEN_HEADER] = self._token

    def swarm(self, cell: Cell, host: str, tag: str) -> None:
        """Start spawning the users of a cell.

        Args:
            cell: Defines the number of users and the spawn rate.
            host: Base URL of the service.
            tag: Identifier of this attempt, which `state` returns.

        Raises:
            LoadError: Locust rejected the request.
            LoadLostError: Locust does not respond.
        """
        level = cell.level
        if not isinstance(level, Closed):
            raise LoadError(f"Locust cannot generate the load of {cell.key}")
        fields = {
            "user_count": str(level.users),
            "spawn_rate": repr(level.spawn_rate),
            "host": host,
            CELL_OPTION: tag,
            "profile": cell.key,
        }
        response = self._call("POST", "/swarm", data=fields).json()
        if not response.get("success"):
            raise LoadError(f"Locust rejected {cell.key}: {response.get('message')}")

    def state(self, since: int) -> LoadState | None:
        """Return the state of the cell, with the seconds from number `since` onwards.

        Locust discards earlier seconds. Return None if it does not respond to this request.

        Raises:
            LoadLostError: Locust exited or did not respond several times in a row.
        """
        try:
            response = self._call("GET", f"{STATE_PATH}?since={since}")
        except _NoResponseError as error:
            self._timeouts += 1
            if self._timeouts >= MAX_TIMEOUTS:
                raise LoadLostError(str(error)) from error
            return None
        self._timeouts = 0
        return _STATE.validate_json(response.content)

    def measure(self, seconds: float) -> float:
        """Reset Locust's statistics and open a measurement window of this length.

        Returns:
            Start of the window in seconds, on the time axis of the samples.
        """
        return float(self._call("POST", MEASURE_PATH, data={"seconds": repr(seconds)}).json())

    def stop(self) -> None:
        """Stop all users. Requests in flight finish or time out first."""
        # Use a separate session, because another thread calls `state` in the meantime.
        with _new_session() as session:
            session.headers[TOKEN_HEADER] = self._token
            timeout_s = self._timeout_s + 2 * RESPONSE_TIMEOUT_S
            self._call("POST", "/stop", timeout_s=timeout_s, session=session)

    def measured(self) -> Measured:
        """Return the results of the measurement window."""
        result = self._call("GET", RESULT_PATH).json()
        return _MEASURED.validate_python({**result["window"], "exceptions": result["exceptions"]})

    def report(self) -> bytes:
        """Return Locust's HTML report of the measurement window."""
        return bytes(
            self._call("GET", "/stats/report?theme=dark", timeout_s=REPORT_TIMEOUT_S).content
        )

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
        message: Mapping[str, Any] = json.loads(received)
        if "error" in message:
            raise LoadError(str(message["error"]))
        return int(message["port"])

    def _early_exit(self) -> LoadError | LoadLostError:
        process, self._process = self._process, None
        code = process.stop() if process else None
        self._finish_log()
        output = " | ".join(line.strip() for line in last_lines(self._log, 3))
        message = f"Locust {describe_exit(code)} before it was ready"
        if code is None or code < 0:
            return LoadLostError(message)
        return LoadError(f"{message}: {output} (see {self._log})")

    def _call(
        self,
        method: str,
        path: str,
        *,
        data: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        session: requests.Session | None = None,
    ) -> requests.Response:
        try:
            response = (session or self._session).request(
                method, self._url + path, data=data, timeout=timeout_s or RESPONSE_TIMEOUT_S
            )
            response.raise_for_status()
        except requests.RequestException as error:
            process = self._process
            if process is None:
                raise LoadLostError("Locust is not running") from error
            code = process.wait(_EXIT_TIMEOUT_S)
            if code is not None:
                raise LoadLostError(f"Locust {describe_exit(code)}") from error
            endpoint = f"{method} {path.partition('?')[0]}"
            raise _NoResponseError(
                f"no response from Locust to {endpoint} ({type(error).__name__})"
            ) from error
        return response


def _new_session() -> requests.Session:
    session = requests.Session()
    # Requests to loopback must not use a proxy from the environment.
    session.trust_env = False
    return session


def last_lines(path: Path, number: int = MAX_LOG_LINES) -> tuple[str, ...]:
    """Return the last lines of a log file, without blank lines."""
    try:
        with path.open("r", encoding="utf-8", errors="replace") as file:
            lines = deque((line.rstrip() for line in file if line.strip()), number)
    except OSError:
        return ()
    return tuple(lines)
