"""Locust from outside: its process, and the web API that alone drives it.

This module alone knows Locust's URLs.
"""

import json
import os
import re
import secrets
import select
import sys
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import requests
from pydantic import TypeAdapter

from loadbench.engine.events import ErrorCount, Requests, Stages
from loadbench.engine.leash import Leashed
from loadbench.engine.plan import Cell
from loadbench.errors import LoadError, LoadLostError

START_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 5.0
SILENCES = 3
"""How many times in a row it may fail to answer before it counts as lost."""

LOG_LINES = 15
_LAST_WORDS_S = 0.5
"""How long after a refused connection an exit code may take to be seen."""

_TOKEN_HEADER = "X-Loadbench-Token"  # noqa: S105  # the name of a header, not a token
_NOISE = re.compile(r"KeyboardInterrupt|^\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """What happened in one second of a cell, as Locust's process counted it."""

    second: int
    users: int
    requests: tuple[Requests, ...]
    stages: Stages
    client_cpu_cores: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadState:
    """Where Locust stands with a cell."""

    cell: str
    """The tag of the attempt that everything else is about."""
    state: str
    """Locust's own word: ready, spawning, running, cleanup, stopped."""
    users: int
    spawned: bool
    """All users were started at least once."""
    remaining_s: float | None
    """Of the measured window; None: it was not opened."""
    seconds: tuple[Second, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the measured window of a cell came to."""

    measured_s: float
    completed: int
    aborted: int
    client_cpu_cores: float
    errors: tuple[ErrorCount, ...]
    requests: tuple[Requests, ...]
    stages: Stages
    exceptions: tuple[ErrorCount, ...] = ()
    """Raised by the user's own code; none of them is a failed request."""


class Load(Protocol):
    """What puts users on the service."""

    def start(self) -> None:
        """Start the process; nothing is sent yet."""

    def swarm(self, cell: Cell, host: str, tag: str) -> None:
        """Begin to start the users of a cell; `state` answers with the tag once it is about it."""

    def state(self, since: int) -> LoadState:
        """Return where it stands, with the seconds from number `since` on."""

    def measure(self, seconds: float) -> None:
        """Reset the statistics and open the measured window."""

    def stop(self) -> None:
        """End the users, each after its request; returns when there are none."""

    def measured(self) -> Measured:
        """Return what the measured window came to."""

    def report(self) -> bytes:
        """Return Locust's HTML report of the measured window."""

    def close(self) -> None:
        """End the process."""


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
        self._process: Leashed | None = None
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
        self._session.headers[_TOKEN_HEADER] = self._token

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
        fields = {
            "user_count": str(cell.users),
            "spawn_rate": repr(cell.spawn_rate),
            "host": host,
            "loadbench_cell": tag,
        }
        answer = self._call("POST", "/swarm", data=fields).json()
        if not answer.get("success"):
            raise LoadError(f"Locust refused {cell.key}: {answer.get('message')}")

    def state(self, since: int) -> LoadState:
        """Return where Locust stands, with the seconds from number `since` on.

        Raises:
            LoadLostError: Locust ended, or was silent several times in a row.
        """
        return _STATE.validate_json(self._call("GET", f"/loadbench/state?since={since}").content)

    def measure(self, seconds: float) -> None:
        """Reset Locust's statistics and open the measured window for this long."""
        self._call("POST", "/loadbench/measure", data={"seconds": repr(seconds)})

    def stop(self) -> None:
        """End the users, each after its request, at the latest after the request's timeout."""
        # In a session of its own: this waits in another thread while the state is asked for.
        with _new_session() as session:
            session.headers[_TOKEN_HEADER] = self._token
            timeout_s = self._timeout_s + 2 * ANSWER_TIMEOUT_S
            self._call("POST", "/stop", timeout_s=timeout_s, session=session)

    def measured(self) -> Measured:
        """Return what the measured window came to."""
        answer = self._call("GET", "/loadbench/result").json()
        return _MEASURED.validate_python({**answer["window"], "exceptions": answer["exceptions"]})

    def report(self) -> bytes:
        """Return Locust's own HTML report."""
        return bytes(self._call("GET", "/stats/report?theme=dark", timeout_s=30.0).content)

    def close(self) -> None:
        """End Locust, and whatever the user file started."""
        if self._process:
            self._process.end()
            self._process = None

    def _launch(self, told: int, log: IO[bytes]) -> Leashed:
        # -P: the user's folder must not come before the standard library.
        argv = [sys.executable, "-P", "-m", "loadbench.in_locust", "-f", str(self._user_file)]
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("LOCUST_")},
            "LOADBENCH_TOKEN": self._token,
            "LOADBENCH_READY_FD": str(told),
            "LOADBENCH_TIMEOUT_S": f"{self._timeout_s:g}",
            "LOADBENCH_IMAGES": str(self._images),
        }
        return Leashed(
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
                raise LoadError(self._early_end())
            said += chunk
        message: Mapping[str, Any] = json.loads(said)
        if "error" in message:
            raise LoadError(str(message["error"]))
        return int(message["port"])

    def _early_end(self) -> str:
        code = self._process.end() if self._process else None
        self._process = None
        said = " | ".join(line.strip() for line in last_lines(self._log, 3))
        return f"Locust ended with exit code {code} before it was ready: {said} (see {self._log})"

    def _call(
        self,
        method: str,
        path: str,
        *,
        data: Mapping[str, str] | None = None,
        timeout_s: float = ANSWER_TIMEOUT_S,
        session: requests.Session | None = None,
    ) -> requests.Response:
        while True:
            try:
                response = (session or self._session).request(
                    method, self._url + path, data=data, timeout=timeout_s
                )
                response.raise_for_status()
            except requests.RequestException as error:
                self._silent += 1
                code = self._process.wait(_LAST_WORDS_S) if self._process else -1
                if code is not None:
                    raise LoadLostError(f"Locust ended with exit code {code}") from error
                if method != "GET" or self._silent >= SILENCES:
                    what = f"{method} {path.partition('?')[0]}"
                    kind = type(error).__name__
                    raise LoadLostError(f"Locust does not answer {what} ({kind})") from error
            else:
                self._silent = 0
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
            lines = deque((line.rstrip() for line in file if not _NOISE.search(line)), number)
    except OSError:
        return ()
    return tuple(lines)
