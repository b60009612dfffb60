"""Is the service ready? Asked of its health URL, as any service can answer it."""

from typing import Any

import requests

ASK_TIMEOUT_S = 2.0


def missing_workers(session: requests.Session, url: str, models: int) -> str | None:
    """Return what a service still lacks, as part of a sentence.

    Args:
        session: Used for the request.
        url: The health URL.
        models: How many workers must be ready, where the answer tells of workers.

    Returns:
        None: it is ready. Where the answer is JSON with `workers`, exactly as many of them must be
        ready as were asked for; otherwise a status of 2xx is enough.
    """
    try:
        # A kept connection would make the service linger when it is told to end.
        headers = {"Connection": "close"}
        response = session.get(url, timeout=ASK_TIMEOUT_S, headers=headers)
    except requests.RequestException:
        return f"{url} does not answer"
    workers = _workers(response)
    if workers is None:
        return None if response.ok else f"{url} answers {response.status_code}"
    ready = sum(bool(worker.get("ready")) for worker in workers)
    return None if ready == models else f"{ready} of {models} models are ready"


def _workers(response: requests.Response) -> list[dict[str, Any]] | None:
    try:
        answer = response.json()
    except ValueError:
        return None
    workers = answer.get("workers") if isinstance(answer, dict) else None
    if not isinstance(workers, list) or not all(isinstance(worker, dict) for worker in workers):
        return None
    return workers
