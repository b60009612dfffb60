"""Readiness check of any service through its health URL."""

from dataclasses import dataclass
from typing import Any

from loadbench.engine.bounds.http import NoResponseError, request
from loadbench.engine.bounds.parsing import BadInputError, parse_json

REQUEST_TIMEOUT_S = 2.0
MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Health:
    """Result of a request to a health URL."""

    url: str
    status: int | None
    """HTTP status code. None if there was no complete response within the limits."""
    ready_workers: int | None = None
    """Number of ready workers. None if the response does not list workers."""
    problem: str = ""
    """Why there is no status."""


def health_url(health: str, host: str) -> str:
    """Return the health URL. If `health` is a path, it is appended to the base URL `host`."""
    return f"{host}{health}" if health.startswith("/") else health


def check_health(url: str) -> Health:
    """Request a health URL, within `REQUEST_TIMEOUT_S` and `MAX_BYTES`."""
    try:
        response = request(url, timeout_s=REQUEST_TIMEOUT_S, max_bytes=MAX_BYTES)
    except (NoResponseError, BadInputError) as error:
        return Health(url, None, problem=str(error))
    return Health(url, response.status, _ready_workers(response.body))


def not_ready_reason(health: Health, models: int | None) -> str | None:
    """Return a phrase that explains why a service is not ready, or None if it is ready.

    Args:
        health: Response of its health URL. If the response lists workers, exactly `models` of them
            must be ready; otherwise a 2xx status is sufficient.
        models: Number of workers that must be ready, or None to check only the status.
    """
    if health.status is None:
        return f"no valid response from {health.url}: {health.problem}"
    if health.ready_workers is not None and models is not None:
        ready = health.ready_workers
        return None if ready == models else f"{ready} of {models} models ready"
    if 200 <= health.status < 300:
        return None
    return f"{health.url} (from stack.health) returned HTTP status {health.status}"


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
