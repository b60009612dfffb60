"""Starts the Locust process and controls it over its web API.

Only this module sends requests to the API.
"""

import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from loadbench.engine.bounds.connect import DEFAULT_TRUST, NoResponseError, Trust
from loadbench.engine.bounds.http import request
from loadbench.engine.bounds.loopback import origin_of
from loadbench.engine.bounds.parsing import MAX_JSON_BYTES, BadInputError, parse
from loadbench.engine.bounds.texts import shortened
from loadbench.engine.load.answers import (
    parse_measured,
    parse_samples,
    parse_seconds,
    parse_state,
    parse_swarm,
)
from loadbench.engine.load.locust_process import MAX_MESSAGE_CHARACTERS, LocustProcess
from loadbench.engine.load.problems import endpoint_of, unusable
from loadbench.engine.load.protocol import LoadState, Measured
from loadbench.engine.load.scenario import Scenario
from loadbench.engine.load.state_cache import StateCache
from loadbench.engine.load.wire import (
    CELL_OPTION,
    CLIENTS_VARIABLE,
    END_PATH,
    IMAGES_VARIABLE,
    MEASURE_PATH,
    REPLICAS_OPTION,
    RESULT_PATH,
    SAMPLES_PATH,
    STATE_PATH,
    TEST_STOP,
    TIMEOUT_VARIABLE,
    TOKEN_HEADER,
    TOKEN_VARIABLE,
)
from loadbench.engine.masking import NO_SECRETS, Masker
from loadbench.engine.measure.sampling.backed import NameSamples
from loadbench.engine.process import describe_exit
from loadbench.engine.profile.levels import Closed
from loadbench.engine.profile.plan import Cell
from loadbench.engine.profile.values.urls import mask_url
from loadbench.errors import LoadError, LoadLostError

RESPONSE_TIMEOUT_S = 5.0
REPORT_TIMEOUT_S = 15.0
MAX_TIMEOUTS = 3
"""Number of consecutive requests without a response after which Locust counts as lost."""

MAX_REPORT_BYTES = 64_000_000

_EXIT_TIMEOUT_S = 0.5
"""Seconds to wait for an exit code after a failed request."""


class _NoAnswerError(LoadLostError):
    """Locust is running but does not respond."""


T = TypeVar("T")


class LocustLoad:
    """The Locust process of a run.

    Args:
        scenario: The locustfiles and their settings.
        images: Folder of the images to send, passed in `LOADBENCH_IMAGES`.
        timeout_s: Timeout of one request.
        headers: HTTP headers of the requests of Locust's clients.
        trust: Which certificates these clients trust.
        log: File for Locust's log output.
        masker: Masks the secret values in the log output.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        images: Path,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
        trust: Trust = DEFAULT_TRUST,
        log: Path,
        masker: Masker = NO_SECRETS,
    ) -> None:
        self._scenario = scenario
        self._images = images
        self._timeout_s = timeout_s
        self._clients = {"headers": dict(headers or {}), **asdict(trust)}
        self._log = log
        self._masker = masker
        self._token = ""
        self._url = ""
        self._timeouts = 0
        self._tag, self._cache = "", StateCache()
        self._is_stopping = self._is_stuck = False
        self._process: LocustProcess | None = None
        self._notes = scenario.notes(os.environ)
        self._noted: set[str] = set()

    def start(self) -> None:
        """Start Locust and wait until its web API is ready.

        Raises:
            LoadError: The locustfile has a mistake, or takes too long to start. The message names
                the file and line.
            LoadLostError: Locust was killed or was not ready in time.
        """
        self.close()
        self._token = secrets.token_urlsafe(32)
        self._timeouts = 0
        self._is_stuck = False
        self._process = process = LocustProcess(
            self._scenario,
            variables={
                TOKEN_VARIABLE: self._token,
                TIMEOUT_VARIABLE: f"{self._timeout_s:g}",
                CLIENTS_VARIABLE: json.dumps(self._clients),
                IMAGES_VARIABLE: str(self._images),
            },
            log=self._log,
            masker=self._masker,
        )
        process.wait_until(lambda: process.status.port > 0)
        self._url = f"http://127.0.0.1:{process.status.port}"

    def awaited(self) -> str:
        """Return what `start` or `swarm` waits for, with its limit. Any thread may call this."""
        process = self._process
        return process.awaited() if process else ""

    def notes(self) -> list[str]:
        """Return the messages for the user that are new since the last call."""
        found, self._notes = self._notes, []
        if self._process:
            found += self._process.status.take_notes()
        new = [text for text in dict.fromkeys(found) if text not in self._noted]
        self._noted.update(new)
        return new

    def swarm(self, cell: Cell, host: str, tag: str, replicas: Sequence[str] = ()) -> None:
        """Execute the test_start listeners of a cell, and start spawning its users.

        Args:
            cell: Defines the number of users and the spawn rate.
            host: Base URL of the service.
            tag: Identifier of this attempt, which `state` returns.
            replicas: Base URLs of the replicas among which users are distributed. Empty if all
                requests go to `host`.

        Raises:
            LoadError: Locust rejected the request.
            LoadStartError: The listeners take too long.
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
        if self._is_stuck:
            self.start()
        process = self._process
        if process is None:
            raise LoadLostError("Locust is not running")
        status = process.status
        self._tag, self._is_stopping = tag, False
        self._cache.clear()
        self._note_hosts(status.hosts, host)
        try:
            answer = self._ask("/swarm", parse_swarm, fields=fields)
        except _NoAnswerError:
            # Listeners that compute do not let Locust answer.
            if not status.phase:
                raise
        else:
            if not answer.success:
                message = shortened(answer.message or "no reason given", MAX_MESSAGE_CHARACTERS)
                raise LoadError(f"Locust rejected {cell.key}: {message}")
        process.wait_until(lambda: tag in (status.cell, status.failure[0]))
        process.check_cell(tag)

    def state(self, since: int) -> LoadState | None:
        """Return the state of the cell, with the seconds from number `since` onwards.

        Locust discards earlier seconds. Return None if it does not respond to this request, or
        while it executes listeners of the locustfile.

        Raises:
            LoadError: The locustfile has ended the cell, or its listeners take too long.
            LoadLostError: Locust exited, did not respond several times in a row, or did not respond
                as expected.
        """
        if self._process:
            if self._is_stopping:
                # `stop` has a limit of its own.
                if self._process.status.phase:
                    return None
            else:
                self._process.check_cell(self._tag)
                if self._process.status.phase:
                    self._process.check_time()
                    return None
            if (known := self._cache.state()) and self._process.wait(0.0) is None:
                return known
        try:
            state = self._ask(f"{STATE_PATH}?since={since}", parse_state)
        except _NoAnswerError as error:
            self._timeouts += 1
            if self._timeouts >= MAX_TIMEOUTS:
                raise LoadLostError(str(error)) from error
            return None
        self._timeouts = 0
        self._cache.keep(state)
        return state

    def measure(self, seconds: float) -> float:
        """Reset Locust's statistics, open a measurement window and return its `begin_s`."""
        self._cache.clear()
        return self._ask(MEASURE_PATH, parse_seconds, fields={"seconds": repr(seconds)})

    def samples(self) -> tuple[NameSamples, ...] | None:
        """Return the samples counted in the window so far, by name, or None on a timeout."""
        with suppress(_NoAnswerError):
            return self._ask(SAMPLES_PATH, parse_samples)
        return None

    def end_window(self) -> float:
        """End the measurement window now, unless it has ended. Return its length in seconds."""
        self._cache.clear()
        with suppress(_NoAnswerError):
            return self._ask(END_PATH, parse_seconds, fields={})
        return self._ask(END_PATH, parse_seconds, fields={})

    def stop(self) -> None:
        """Stop all users. Requests in flight finish or time out first.

        If the test_stop listeners of the locustfile take too long, they are not waited for.

        Another thread may call `state` in the meantime.
        """
        process, self._is_stopping = self._process, True
        self._cache.clear()
        limit_s = self._scenario.start_timeout_s
        stopped_s = self._timeout_s + 2 * RESPONSE_TIMEOUT_S
        try:
            self._call("/stop", fields={}, timeout_s=stopped_s + limit_s)
        except _NoAnswerError:
            if process is None or process.status.phase != TEST_STOP:
                raise
            # The results are complete.
            self._notes.append(
                f"warning: {process.status.exceeded(limit_s, '')}; restarting Locust"
            )
            self._is_stuck = True
            return
        if process:
            process.status.wait_until_idle(RESPONSE_TIMEOUT_S)

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

    def _note_hosts(self, hosts: Mapping[str, str], host: str) -> None:
        """Note the user classes whose own host is not used."""
        self._notes += [
            f"warning: user class {name} sets the host {mask_url(own)}, but its requests go to the "
            f"service under test. To keep its host, set load.keep_host: [{name}]"
            for name, own in hosts.items()
            if origin_of(own) != origin_of(host)
        ]

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
            raise unusable(endpoint_of(path, fields), error) from error

    def _call(
        self,
        path: str,
        *,
        fields: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        max_bytes: int = MAX_JSON_BYTES,
    ) -> bytes:
        """Send a request, with `POST` if it has fields, and return the body of its response."""
        endpoint = endpoint_of(path, fields)
        try:
            response = request(
                self._url + path,
                timeout_s=timeout_s or RESPONSE_TIMEOUT_S,
                max_bytes=max_bytes,
                headers={TOKEN_HEADER: self._token},
                fields=fields,
            )
        except BadInputError as error:
            raise unusable(endpoint, error) from error
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
            process.status.wait_until_closed(_EXIT_TIMEOUT_S)
            process.check_cell(self._tag)
            return LoadLostError(f"Locust {describe_exit(code)}")
        return _NoAnswerError(f"no response from Locust to {endpoint}: {problem}")
