"""Health checks of a service: HTTP requests and TCP connections, as the profile describes them.

The health checks of containers are those of the engine; see `compose.readiness`.
"""

import time
from collections.abc import Mapping
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
from loadbench.engine.profile.stack_section import StackSection
from loadbench.engine.profile.values.urls import mask_userinfo
from loadbench.errors import StackError

REQUEST_TIMEOUT_S = 5.0
MAX_BYTES = 1_000_000
MAX_UNTRUSTED_S = 10.0
"""Seconds after which a certificate that is not trusted ends the start. Proxies may present a
temporary certificate while they start."""

_HINTS = {
    Cause.CERTIFICATE: "set stack.ca_file to the certificate of its CA, or stack.verify: false",
    Cause.NOT_TLS: "use http:// instead of https://",
    Cause.NEEDS_TLS: "use https:// instead of http://",
    Cause.NOT_HTTP: "if the service does not use HTTP, set stack.health: tcp",
    Cause.CLOSED: "it may still be starting, or expect TLS (https://)",
    Cause.TIMEOUT: "stack.health can name another path, or tcp",
}
_STATUS_HINTS = {
    400: "if the service expects another host name, set stack.headers: {Host: NAME}",
    401: "set stack.headers: {Authorization: ...}, or name another path in stack.health",
    403: "if the service expects another host name, set stack.headers: {Host: NAME}",
    404: "name another path in stack.health",
    421: "if the service expects another host name, set stack.headers: {Host: NAME}",
}


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

    def missing(self, urls: tuple[str, ...], workers: int | None = None) -> str | None:
        """Return a phrase that names the first check that fails and why, or None if all pass.

        Args:
            urls: URLs to check, with scheme `http`, `https` or `tcp`.
            workers: Number of workers that the response must list as ready. None if a status of 2xx
                is sufficient.

        Raises:
            StackError: A certificate has not been trusted for `MAX_UNTRUSTED_S`.
        """
        for url in urls:
            cause = None
            try:
                reason = self._check(url, workers)
            except BadInputError as error:
                reason = f"{_shown(url)}: {error}"
            except NoResponseError as error:
                cause = error.cause
                reason = f"{_shown(url)}: {_with_hint(str(error), _HINTS.get(cause))}"
            if reason:
                self._note_certificate(reason, is_untrusted=cause is Cause.CERTIFICATE)
                return reason
        self._untrusted_since = None
        return None

    def _check(self, url: str, workers: int | None) -> str | None:
        """Return a phrase that explains why a check fails, or None if it passes.

        Raises:
            NoResponseError: There is no response.
            BadInputError: The response is too large.
        """
        if url.lower().startswith(TCP_SCHEME):
            parts = urlsplit(url)
            require_open_port(str(parts.hostname), parts.port or 0, timeout_s=REQUEST_TIMEOUT_S)
            return None
        response = request(
            url,
            timeout_s=REQUEST_TIMEOUT_S,
            max_bytes=MAX_BYTES,
            headers=self._headers,
            trust=self._trust,
        )
        ready = None if workers is None else _ready_workers(response.body)
        if ready is not None:
            return None if ready == workers else f"{ready} of {workers} models ready"
        if not response.is_success:
            return f"{_shown(url)}: {_status_reason(response, url)}"
        return None if workers is None else f"{_shown(url)}: the response lists no workers"

    def _note_certificate(self, reason: str, *, is_untrusted: bool) -> None:
        now = time.monotonic()
        if not is_untrusted:
            self._untrusted_since = None
        elif self._untrusted_since is None:
            self._untrusted_since = now
        elif now - self._untrusted_since > MAX_UNTRUSTED_S:
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
    hint = _STATUS_HINTS.get(status)
    if status == HTTPStatus.NOT_FOUND and urlsplit(url).path.count("/") > 1:
        hint = "paths are appended to host; for another place, write a URL in stack.health"
    return _with_hint(text, hint)


def _with_hint(reason: str, hint: str | None) -> str:
    return f"{reason}; {hint}" if hint else reason


def _shown(url: str) -> str:
    return shortened(mask_userinfo(url), 200)
