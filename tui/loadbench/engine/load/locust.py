"""Locust from outside: its process, and the web API that alone drives it.

This module alone knows Locust's URLs.
"""

import json
import os
import secrets
import select
import sys
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import requests
from pydantic import TypeAdapter

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
from loadbench.engine.process import SupervisedProcess, describe_exit
from loadbench.engine.profile.levels import Closed
from loadbench.engine.profile.plan import Cell
from loadbench.errors import LoadError, LoadLostError

START_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 5.0
REPORT_TIMEOUT_S = 15.0
SILENCES = 3
"""How many times in a row it may fail to answer before it counts as lost."""

LOG_LINES = 15
_LAST_WORDS_S = 0.5
"""How long after a refused connection an exit code may take to be seen."""


class _SilentError(LoadLostError):
    """Locust lives, and does not answer."""


_STATE: TypeAdapter[LoadState] = TypeAdapter(LoadState)
_MEASURED: TypeAdapter[Measured] = TypeAdapter(Measured)


class LocustLoad:
    """The one Locust process of a run.

    Args:
        user_file: The user's locustfile.
        images: The folder that it sends images from, told in `LOADBENCH_IMAGES`.
        timeout_s: Of one request.
        log: Where Locust's own words go.
    """

    def __init__(self, user_file: Path, *, images: Path, timeout_s: float, log: Path) -> None:
        self._user_file = user_file
        self._images = images
        self._timeout_s = timeout_s
        self._log = log
        self._token = ""
        self._url = ""
        self._silent = 0
        self._process: SupervisedProcess | None = None
        self._session = _new_session()

    def start(self) -> None:
        """Start Locust and wait until its web API answers.

        Raises:
            LoadError: The user file is not usable; the message says where.
            LoadLostError: Locust ended or was not ready in time.
        """
        self.close()
        self._token = secrets.token_urlsafe(32)
        self._silent = 0
        ready, told = os.pipe()
        try:
            with self._log.open("ab") as log:
                self._process = self._launch(told, log)
            os.close(told)
            told = -1
            self._url = f"http://127.0.0.1:{self._wait_for_port(ready)}"
        finally:
            os.close(ready)
            if told >= 0:
                os.close(told)
        self._session.headers[TOKEN_HEADER] = self._token

    def swarm(self, cell: Cell, host: str, tag: str) -> None:
        """Begin to start the users of a cell.

        Args:
            cell: How many users, and how fast.
            host: The service's address.
            tag: What `state` calls this attempt, so that no older one is taken for it.

        Raises:
            LoadError: Locust refuses.
            LoadLostError: Locust does not answer.
        """
        level = cell.level
        if not isinstance(level, Closed):
            raise LoadError(f"Locust is not driven with the load of {cell.key} yet")
        fields = {
            "user_count": str(level.users),
            "spawn_rate": repr(level.spawn_rate),
            "host": host,
            CELL_OPTION: tag,
            "profile": cell.key,
        }
        answer = self._call("POST", "/swarm", data=fields).json()
        if not answer.get("success"):
            raise LoadError(f"Locust refused {cell.key}: {answer.get('message')}")

    def state(self, since: int) -> LoadState | None:
        """Return where Locust stands, with the seconds from number `since` on.

        Seconds before that are forgotten. None: it did not answer this time.

        Raises:
            LoadLostError: Locust ended, or was silent several times in a row.
        """
        try:
            answer = self._call("GET", f"{STATE_PATH}?since={since}")
        except _SilentError as silence:
            self._silent += 1
            if self._silent >= SILENCES:
                raise LoadLostError(str(silence)) from silence
            return None
        self._silent = 0
        return _STATE.validate_json(answer.content)

    def measure(self, seconds: float) -> float:
        """Reset Locust's statistics and open the measurement window for this long.

        Returns:
            When the window begins, counted as samples are.
        """
        return float(self._call("POST", MEASURE_PATH, data={"seconds": repr(seconds)}).json())

    def stop(self) -> None:
        """End the users, each after its request, at the latest after the request's timeout."""
        # In a session of its own: this waits in another thread while the state is asked for.
        with _new_session() as session:
            session.headers[TOKEN_HEADER] = self._token
            timeout_s = self._timeout_s + 2 * ANSWER_TIMEOUT_S
            self._call("POST", "/stop", timeout_s=timeout_s, session=session)

    def measured(self) -> Measured:
        """Return what the measured window came to."""
        answer = self._call("GET", RESULT_PATH).json()
        return _MEASURED.validate_python({**answer["window"], "exceptions": answer["exceptions"]})

    def report(self) -> bytes:
        """Return Locust's own HTML report."""
        return bytes(
            self._call("GET", "/stats/report?theme=dark", timeout_s=REPORT_TIMEOUT_S).content
        )

    def close(self) -> None:
        """End Locust, and whatever the user file started."""
        process, self._process = self._process, None
        if process:
            process.end()

    def _launch(self, told: int, log: IO[bytes]) -> SupervisedProcess:
        # -P: the user's folder must not come before the standard library.
        argv = [sys.executable, "-P", "-m", "loadbench.in_locust", "-f", str(self._user_file)]
        environment = {
            **os.environ,
            TOKEN_VARIABLE: self._token,
            READY_FD_VARIABLE: str(told),
            TIMEOUT_VARIABLE: f"{self._timeout_s:g}",
            IMAGES_VARIABLE: str(self._images),
        }
        return SupervisedProcess(
            argv,
            cwd=self._user_file.parent,
            environment=environment,
            stdout=log,
            pass_fds=(told,),
        )

    def _wait_for_port(self, ready: int) -> int:
        deadline = time.monotonic() + START_TIMEOUT_S
        said = b""
        while not said.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([ready], [], [], left)[0]:
                raise LoadLostError(f"Locust was not ready within {START_TIMEOUT_S:g} s")
            chunk = os.read(ready, 65536)
            if not chunk:
                raise self._early_end()
            said += chunk
        message: Mapping[str, Any] = json.loads(said)
        if "error" in message:
            raise LoadError(str(message["error"]))
        return int(message["port"])

    def _early_end(self) -> LoadError | LoadLostError:
        process, self._process = self._process, None
        code = process.end() if process else None
        said = " | ".join(line.strip() for line in last_lines(self._log, 3))
        ended = f"Locust {describe_exit(code)} before it was ready"
        if code is None or code < 0:
            return LoadLostError(ended)
        return LoadError(f"{ended}: {said} (see {self._log})")

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
                method, self._url + path, data=data, timeout=timeout_s or ANSWER_TIMEOUT_S
            )
            response.raise_for_status()
        except requests.RequestException as error:
            process = self._process
            code = process.wait(_LAST_WORDS_S) if process else -1
            if code is not None:
                raise LoadLostError(f"Locust {describe_exit(code)}") from error
            what = f"{method} {path.partition('?')[0]}"
            raise _SilentError(f"Locust does not answer {what} ({type(error).__name__})") from error
        return response


def _new_session() -> requests.Session:
    session = requests.Session()
    # A proxy named in the environment is not for loopback.
    session.trust_env = False
    return session


def last_lines(path: Path, number: int = LOG_LINES) -> tuple[str, ...]:
    """Return the last lines of a log that say anything."""
    try:
        with path.open("r", encoding="utf-8", errors="replace") as file:
            lines = deque((line.rstrip() for line in file if line.strip()), number)
    except OSError:
        return ()
    return tuple(lines)
