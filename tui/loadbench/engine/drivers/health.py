"""Is the service ready? Asked of its health URL, as any service can answer it."""

from dataclasses import dataclass
from typing import Any

import requests

ASK_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Health:
    """What a health URL answered."""

    url: str
    status: int | None
    """None: nothing."""
    workers: tuple[bool, ...] | None = None
    """Whether each of them is ready. None: the answer does not tell of workers."""


def health_url(health: str, host: str) -> str:
    """Return the URL that `stack.health` stands for, of a service at an address."""
    return f"{host}{health}" if health.startswith("/") else health


def ask_health(session: requests.Session, url: str) -> Health:
    """Ask a health URL, and wait for the answer for `ASK_TIMEOUT_S` at the most."""
    try:
        # A kept connection would make the service linger when it is told to end.
        headers = {"Connection": "close"}
        response = session.get(url, timeout=ASK_TIMEOUT_S, headers=headers)
    except requests.RequestException:
        return Health(url, None)
    return Health(url, response.status_code, _workers(response))


def lacking_workers(health: Health, models: int | None) -> str | None:
    """Return what a service still lacks, as part of a sentence; None: it is ready.

    Args:
        health: Its answer. Where it tells of workers, as many must be ready as were asked for;
            otherwise a status of 2xx is enough.
        models: How many were asked for; None: whatever number it has.
    """
    if health.status is None:
        return f"{health.url} does not answer"
    if health.workers is not None and models is not None:
        ready = sum(health.workers)
        return None if ready == models else f"{ready} of {models} models are ready"
    fine = 200 <= health.status < 300
    return None if fine else f"{health.url} answers {health.status} (stack.health names it)"


def _workers(response: requests.Response) -> tuple[bool, ...] | None:
    try:
        answer = response.json()
    except ValueError:
        return None
    workers: Any = answer.get("workers") if isinstance(answer, dict) else None
    if not isinstance(workers, list) or not all(isinstance(worker, dict) for worker in workers):
        return None
    return tuple(bool(worker.get("ready")) for worker in workers)
