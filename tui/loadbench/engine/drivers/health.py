"""Readiness check of any service through its health URL."""

from dataclasses import dataclass
from typing import Any

import requests

REQUEST_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Health:
    """Result of a request to a health URL."""

    url: str
    status: int | None
    """HTTP status code. None if there was no response."""
    workers: tuple[bool, ...] | None = None
    """Readiness of each worker. None if the response does not list workers."""


def health_url(health: str, host: str) -> str:
    """Return the health URL. If `health` is a path, it is appended to the base URL `host`."""
    return f"{host}{health}" if health.startswith("/") else health


def check_health(session: requests.Session, url: str) -> Health:
    """Request a health URL, with a timeout of `REQUEST_TIMEOUT_S`."""
    try:
        # An open keep-alive connection would delay the shutdown of the service.
        headers = {"Connection": "close"}
        response = session.get(url, timeout=REQUEST_TIMEOUT_S, headers=headers)
    except requests.RequestException:
        return Health(url, None)
    return Health(url, response.status_code, _workers(response))


def not_ready_reason(health: Health, models: int | None) -> str | None:
    """Return a phrase that explains why a service is not ready, or None if it is ready.

    Args:
        health: Response of its health URL. If the response lists workers, exactly `models` of them
            must be ready; otherwise a 2xx status is sufficient.
        models: Number of workers that must be ready, or None to check only the status.
    """
    if health.status is None:
        return f"no response from {health.url}"
    if health.workers is not None and models is not None:
        ready = sum(health.workers)
        return None if ready == models else f"{ready} of {models} models ready"
    if 200 <= health.status < 300:
        return None
    return f"{health.url} (from stack.health) returned HTTP status {health.status}"


def _workers(response: requests.Response) -> tuple[bool, ...] | None:
    try:
        body = response.json()
    except ValueError:
        return None
    workers: Any = body.get("workers") if isinstance(body, dict) else None
    if not isinstance(workers, list) or not all(isinstance(worker, dict) for worker in workers):
        return None
    return tuple(bool(worker.get("ready")) for worker in workers)
