"""What bounds a cell, in one sentence with its figure."""

from typing import Any

import pytest

from loadbench.engine.journal.events import (
    CellFinished,
    ClientUse,
    ContainerUse,
    ServiceUse,
    Stages,
    WorkerUse,
)
from loadbench.engine.measure.bottleneck import BottleneckKind, Peer, find_bottleneck
from tests.support.builders import cell_finished, circumstances, make_cell, requests

CELL = make_cell(users=8)
BUSY_CLIENT = ClientUse(cpu_cores=0.96)


def stages(*, queue: float = 1, infer: float = 10, api: float = 2, network: float = 2) -> Stages:
    """The sums over ten requests, of means in ms; 5 ms of each are decoding."""
    total = queue + 5 + infer + api
    return Stages(
        count=10,
        latency_ms=10 * (total + network),
        total_ms=10 * total,
        queue_ms=10 * queue,
        decode_ms=50,
        infer_ms=10 * infer,
    )


def finished(measured: Stages | None = None, **changes: Any) -> CellFinished:
    """A cell of eight users whose answers tell these stages."""
    around = {
        name: changes.pop(name)
        for name in ("containers", "service", "in_flight")
        if name in changes
    }
    return cell_finished(
        stages=measured or Stages(),
        fewest_users=8,
        circumstances=circumstances(**{"in_flight": 7.99, **around}),
        **changes,
    )


def container(service: str = "model", *, cores: float = 0.1, throttled: float = 0) -> ContainerUse:
    return ContainerUse(
        name=f"{service}-1",
        service=service,
        cpu_cores=cores,
        memory_bytes=None,
        throttled=throttled,
        restarts=0,
        missing_s=0,
    )


def workers(*infer_s: float, seconds: int = 10, queue_length: float = 6.0) -> ServiceUse:
    """Workers that did a hundred pictures each, in so many seconds of inference."""
    return ServiceUse(
        queue_length=queue_length,
        fewest_workers=len(infer_s),
        most_workers=len(infer_s),
        workers=tuple(
            WorkerUse(id=f"model-{i}", seconds=seconds, images=100, infer_s=it)
            for i, it in enumerate(infer_s, 1)
        ),
    )


def bound(it: CellFinished, *peers: Peer) -> str | None:
    found = find_bottleneck(CELL, it, [(CELL, it), *peers])
    return found.text if found else None


def peer(users: int, it: CellFinished) -> Peer:
    return make_cell(users=users), it


def test_the_queue_is_named_with_those_who_wait_in_it() -> None:
    cell = finished(stages(queue=75), service=workers(9.8))
    assert bound(cell) == (
        "the queue before the model: 75.0 of 94.0 ms, 6.00 jobs wait, workers busy about 98 % of "
        "the time"
    )


def test_the_queue_is_named_where_no_metrics_tell_of_it() -> None:
    assert bound(finished(stages(queue=75))) == "the queue before the model: 75.0 of 94.0 ms"


def test_a_queue_before_an_idle_model_is_a_wait() -> None:
    cell = finished(stages(queue=75), service=workers(1.0, queue_length=0.5))
    assert bound(cell) == (
        "a wait before the model, which is idle: 75.0 of 94.0 ms in the queue, 0.500 jobs wait, "
        "workers busy about 10 % of the time"
    )


def test_a_model_that_decodes_more_than_it_infers_is_not_idle() -> None:
    cell = finished(stages(queue=75), service=workers(3.0), containers=(container(cores=0.95),))
    sentence = bound(cell)
    assert sentence is not None
    assert sentence.startswith("the queue before the model")


def test_the_model_is_named_where_most_of_the_time_is_its() -> None:
    cell = finished(stages(infer=30), service=workers(9.0))
    assert bound(cell) == (
        "the model: 35.0 of 40.0 ms are decoding and inference, workers busy about 90 % of the time"
    )


def test_a_sleep_in_the_api_is_a_constant_wait_where_another_load_shows_it() -> None:
    cell = finished(stages(api=102), containers=(container("api", cores=0.05),))
    other = finished(stages(api=101))
    assert bound(cell, peer(2, other)) == (
        "a constant wait in the API: 102 of 120 ms, and 101 ms with 2 users instead of 8; the API "
        "uses 0.050 of a core"
    )


def test_a_sleep_in_the_api_is_told_by_its_idle_cpu_where_there_is_one_load() -> None:
    cell = finished(stages(api=102), containers=(container("api", cores=0.05),))
    assert bound(cell, peer(7, cell)) == (
        "the API: 102 of 120 ms; the API uses 0.050 of a core, so it waits more than it works"
    )


def test_an_api_that_works_is_named_with_its_cpu() -> None:
    cell = finished(stages(api=102), containers=(container("api", cores=0.97),))
    assert bound(cell, peer(2, cell)) == "the API: 102 of 120 ms; the API uses 0.97 of a core"


def test_the_network_is_named() -> None:
    assert bound(finished(stages(network=80))) == (
        "the network: 80.0 of 98.0 ms pass between Locust and the service"
    )


def test_how_busy_workers_are_is_not_told_from_a_few_seconds() -> None:
    cell = finished(stages(queue=75), service=workers(2.9, seconds=3))
    assert bound(cell) == "the queue before the model: 75.0 of 94.0 ms, 6.00 jobs wait"


def test_workers_that_take_no_time_are_not_slow() -> None:
    sentence = bound(finished(stages(queue=75), service=workers(0.0, 0.0)))
    assert sentence is not None
    assert "slow" not in sentence


def test_a_slow_worker_is_named_beside_a_fast_one() -> None:
    cell = finished(stages(queue=75), service=workers(1.1, 6.2))
    assert bound(cell) == (
        "the model, one slow worker: model-2 takes 62.0 ms for a picture, model-1 11.0 ms"
    )


def test_workers_that_differ_a_little_are_not_told_apart() -> None:
    sentence = bound(finished(stages(queue=75), service=workers(5.0, 6.0)))
    assert sentence is not None
    assert sentence.startswith("the queue")


def test_a_limit_comes_before_what_follows_from_it() -> None:
    limited = (container("api"), container(cores=0.4, throttled=0.87))
    cell = finished(stages(queue=75), containers=limited)
    expected = (
        "the CPU limit of model-1: it got 0.400 cores and was held back in 87 % of the scheduling "
        "periods"
    )
    assert bound(cell) == expected
    assert bound(finished(containers=limited)) == expected


def test_the_client_comes_before_everything() -> None:
    cell = finished(stages(queue=75), clients=(BUSY_CLIENT,))
    found = find_bottleneck(CELL, cell, [])

    assert found is not None
    assert found.kind is BottleneckKind.CLIENT
    assert found.text == "the client: Locust used 0.96 of a core"
    assert found.figures == {"value": 0.96, "limit": 0.8}


def test_the_client_is_found_from_the_evidence_whatever_was_said_of_it_then() -> None:
    cell = finished(
        stages(queue=75), reasons=("in words of another version",), clients=(BUSY_CLIENT,)
    )
    found = find_bottleneck(CELL, cell, [])

    assert found is not None
    assert found.kind is BottleneckKind.CLIENT


def test_figures_are_those_of_the_sentence() -> None:
    found = find_bottleneck(CELL, finished(stages(queue=75), service=workers(5.0, 6.0)), [])

    assert found is not None
    assert found.kind is BottleneckKind.QUEUE
    assert found.figures == {
        "stage_ms": 75.0,
        "total_ms": 94.0,
        "queue_length": 6.0,
        "busy_share": pytest.approx(0.55),
    }


def test_without_stages_a_latency_that_does_not_change_is_a_constant_wait() -> None:
    cell, other = (
        finished(requests=requests(((20.0, 9),))),
        finished(requests=requests(((21.0, 9),))),
    )
    assert bound(cell, peer(2, other)) == (
        "a constant wait: the median is 20.0 ms, and 21.0 ms with 2 users instead of 8, so "
        "nothing is saturated"
    )


def test_without_stages_a_rate_that_does_not_grow_is_the_service_s() -> None:
    cell = finished(requests=requests(((40.0, 9),)), completed=2000)
    other = finished(requests=requests(((10.0, 9),)), completed=1990)
    assert bound(cell, peer(2, other)) == (
        "the service: 200 req/s, as with 2 users; its answers do not say where (no Server-Timing "
        "header)"
    )


@pytest.mark.parametrize("users", [8, 10])
def test_without_stages_and_another_load_nothing_is_claimed(users: int) -> None:
    assert bound(finished(), peer(users, finished())) is None
