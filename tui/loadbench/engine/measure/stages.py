"""Where the time of requests went, on average. Pure."""

from loadbench.engine.journal.events import Stages


def stage_means(stages: Stages) -> dict[str, float]:
    """Return where a request's time went on average, in ms; empty where nothing told it.

    `api` is what the service's total leaves beside queue, decode and inference; `network` is what
    the client waited beyond the service's total.
    """
    number = stages.count
    if not number:
        return {}
    inside = stages.queue_ms + stages.decode_ms + stages.infer_ms
    sums = {
        "queue_ms": stages.queue_ms,
        "decode_ms": stages.decode_ms,
        "infer_ms": stages.infer_ms,
        "api_ms": stages.total_ms - inside,
        "network_ms": stages.latency_ms - stages.total_ms,
    }
    return {name: round(total / number, 3) for name, total in sums.items()}
