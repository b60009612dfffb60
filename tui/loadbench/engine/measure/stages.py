"""Mean time that requests spend in each stage."""

from loadbench.engine.journal.events import Stages


def stage_means(stages: Stages) -> dict[str, float]:
    """Return the mean time per request in each stage in ms, or {} if there are no stage timings.

    `api` is the service's total minus queue, decoding and inference. `network` is the latency
    measured by the client minus the service's total.
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
