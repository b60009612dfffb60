"""Health checks of a service: HTTP requests and TCP connections, as the profile describes them.

The health checks of containers are those of the engine; see `compose.faults.not_healthy`.
"""

import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from loadbench.engine.bounds.connect import (
    DEFAULT_TRUST,
    Cause,
    NoResponseError,
    Trust,
    require_open_port,
)
from loadbench.engine.bounds.http import HttpResponse, request
from loadbench.engine.bounds.parsing import BadInputError, parse_json
from loadbench.engine.bounds.texts import shortened
from loadbench.engine.profile.driver_settings import DriverSettings
from loadbench.engine.profile.fields import CONTAINERS, TCP, TCP_SCHEME
from loadbench.engine.profile.sections.stack import StackSection
from loadbench.engine.profile.values.urls import mask_userinfo
from loadbench.errors import StackError

REQUEST_TIMEOUT_S = 5.0
MAX_BYTES = 1_000_000
MAX_UNTRUSTED_S = 10.0
"""Seconds after which a certificate that is not trusted ends the start. Proxies may present a
temporary certificate while they start."""

_UNTRUSTED = (Cause.CERTIFICATE, Cause.WRONG_NAME, Cause.EXPIRED)
_HINTS = {
    Cause.NAME: "write an address, or a name that this machine can resolve",
    Cause.REFUSED: "it may still be starting; otherwise correct the port",
    Cause.CERTIFICATE: "set stack.ca_file to the certificate of its CA, or stack.verify: false",
    Cause.WRONG_NAME: "use a name of the certificate in host, or set stack.verify: false",
    Cause.EXPIRED: "renew it, or set stack.verify: false",
    Cause.NOT_TLS: "use http:// instead of https://",
    Cause.NEEDS_TLS: "use https:// in host or stack.port",
    Cause.NOT_HTTP: "if the service does not use HTTP, set stack.health: tcp",
    Cause.CLOSED: "it may still be starting, or use TLS (https://) or another protocol than HTTP "
    "(stack.health: tcp); in a container, it may listen on another port, or only on 127.0.0.1",
    Cause.TIMEOUT: "stack.health can name another path, or tcp",
    Cause.REDIRECTED: "requests would not reach the service under test",
}
_CLOSED_PORT = "nothing listens there in the container yet, or only on 127.0.0.1"
_OTHER_CA = "it is not signed by {}; correct stack.ca_file, or set stack.verify: false"
_OTHER_NAME = "if the service expects another host name, set stack.headers: {Host: NAME}"
_STATUS_HINTS = {
    400: _OTHER_NAME,
    401: "set stack.headers: {Authorization: ...}, or name another path in stack.health",
    403: _OTHER_NAME,
    404: "name another path in stack.health, or the host name in stack.headers: {Host: NAME}",
    421: _OTHER_NAME,
}
_ONE_PER_REPLICA = "stack.count_workers requires one ready worker per replica"
_STARTING = "it may still be starting; the log of the service may state the cause"
"""Advice for a status of 5xx."""


class HealthChecks:
    """The health checks of a service.

    Args:
        checks: Paths, URLs, `tcp` or `containers`, as in `stack.health`.
        headers: HTTP headers of the requests.
        trust: Which certificates to trust.
    """

    def __init__(
        self,
        checks: tuple[str, ...],
        *,
        headers: Mapping[str, str] | None = None,
        trust: Trust = DEFAULT_TRUST,
    ) -> None:
        self._checks = checks
        self._headers = headers
        self._trust = trust
        self._untrusted_since: float | None = None

    @classmethod
    def of(cls, settings: DriverSettings, root: Path) -> Self:
        """Return the health checks of a profile.

        Args:
            settings: Settings of its driver.
            root: Folder of the workspace.
        """
        trust = trust_of(settings, root)
        return cls(settings.health, headers=settings.headers, trust=trust)

    def urls(self, host: str) -> tuple[str, ...]:
        """Return the URLs to check for a service at a base URL."""
        return tuple(health_url(one, host) for one in self._checks if one != CONTAINERS)

    @property
    def has_requests(self) -> bool:
        """Whether a check is an HTTP request, whose response may list workers."""
        return any(one not in (TCP, CONTAINERS) and not _is_tcp(one) for one in self._checks)

    def begin(self) -> None:
        """Forget earlier starts."""
        self._untrusted_since = None

    def missing(
        self,
        urls: Iterable[str],
        workers: int | None = None,
        names: Mapping[str, str] | None = None,
    ) -> str | None:
        """Return a phrase that names the first check that fails and why, or None if all pass.

        Args:
            urls: URLs to check, with scheme `http`, `https` or `tcp`.
            workers: Number of workers that a response must list as ready. None if a status of 2xx
                is sufficient.
            names: Names of the containers by URL, as far as they are known.

        Raises:
            StackError: A certificate has not been trusted for `MAX_UNTRUSTED_S`.
        """
        has_listed = workers is None
        for url in urls:
            name = (names or {}).get(url)
            shown = f"{name} at {_shown(url)}" if name else _shown(url)
            try:
                reason, lists_workers = self._check(url, workers)
            except BadInputError as error:
                return f"{shown}: {error}"
            except NoResponseError as error:
                reason = f"{shown}: {_with_hint(str(error), self._hint(error.cause, url))}"
                self._note_certificate(reason, is_untrusted=error.cause in _UNTRUSTED)
                return reason
            if reason:
                return f"{shown}: {reason}"
            has_listed |= lists_workers
        self._untrusted_since = None
        if has_listed:
            return None
        return "no response lists workers, of which stack.count_workers requires one per replica"

    def _check(self, url: str, workers: int | None) -> tuple[str, bool]:
        """Return why a check fails, or an empty text, and whether its response lists workers.

        Raises:
            NoResponseError: There is no response.
            BadInputError: The response is too large.
        """
        if _is_tcp(url):
            parts = urlsplit(url)
            require_open_port(str(parts.hostname), parts.port or 0, timeout_s=REQUEST_TIMEOUT_S)
            return "", False
        response = request(
            url,
            timeout_s=REQUEST_TIMEOUT_S,
            max_bytes=MAX_BYTES,
            headers=self._headers,
            trust=self._trust,
            stays_on_host=True,
        )
        ready = None if workers is None else _ready_workers(response.body)
        if ready is not None:
            more = f"; {_ONE_PER_REPLICA}" if ready > (workers or 0) else ""
            return ("" if ready == workers else f"{ready} of {workers} models ready{more}"), True
        return ("" if response.is_success else _status_reason(response, url)), False

    def _hint(self, cause: Cause, url: str) -> str | None:
        if cause is Cause.CLOSED and _is_tcp(url):
            return _CLOSED_PORT
        if cause is Cause.CERTIFICATE and self._trust.ca_file:
            return _OTHER_CA.format(self._trust.ca_file)
        return _HINTS.get(cause)

    def _note_certificate(self, reason: str, *, is_untrusted: bool) -> None:
        now = time.monotonic()
        if not is_untrusted:
            self._untrusted_since = None
        elif self._untrusted_since is None:
            self._untrusted_since = now
        elif now - self._untrusted_since > MAX_UNTRUSTED_S:
            self._untrusted_since = None
            raise StackError(reason)


def health_url(health: str, host: str) -> str:
    """Return the URL of a health check.

    Args:
        health: A path, which is appended to the base URL as Locust does it; a URL; or `tcp`.
        host: Base URL of the service.
    """
    if health == TCP:
        parts = urlsplit(host)
        name = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
        return f"{TCP_SCHEME}{name}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    return f"{host}{health}" if health.startswith("/") else health


def _is_tcp(check: str) -> bool:
    return check.lower().startswith(TCP_SCHEME)


def trust_of(settings: DriverSettings | StackSection, root: Path) -> Trust:
    """Return which certificates a profile trusts.

    Args:
        settings: The settings of its driver, or its section `stack`.
        root: Folder of the workspace.
    """
    file = settings.ca_file
    return Trust(verify=settings.verify, ca_file=str(root / file) if file else None)


def _ready_workers(body: bytes) -> int | None:
    """Return the number of ready workers, or None if the body is no JSON with a list of workers."""
    try:
        parsed = parse_json(body, max_bytes=MAX_BYTES)
    except BadInputError:
        return None
    workers: Any = parsed.get("workers") if isinstance(parsed, dict) else None
    if not isinstance(workers, list) or not all(isinstance(worker, dict) for worker in workers):
        return None
    return sum(worker.get("ready") is True for worker in workers)


def _status_reason(response: HttpResponse, url: str) -> str:
    status = response.status
    phrase = HTTPStatus(status).phrase if status in list(HTTPStatus) else ""
    text = " ".join(f"HTTP status {status} {phrase}".split())
    if status == HTTPStatus.BAD_REQUEST and b"HTTPS" in response.body[:1_000]:
        return _with_hint(text, _HINTS[Cause.NEEDS_TLS])
    hint = _STATUS_HINTS.get(status) or (_STARTING if status >= 500 else None)
    if status == HTTPStatus.NOT_FOUND and urlsplit(url).path.count("/") > 1:
        hint = f"{hint}. Paths are appended to host; for another place, write a URL"
    return _with_hint(text, hint)


def _with_hint(reason: str, hint: str | None) -> str:
    return f"{reason}; {hint}" if hint else reason


def _shown(url: str) -> str:
    return shortened(mask_userinfo(url), 200)
