"""The bottleneck of a cell, with its text and figures."""

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
from loadbench.engine.measure.bottleneck import BottleneckKind, find_bottleneck
from loadbench.engine.measure.peers import Peers
from loadbench.engine.profile.plan import Cell
from tests.support.builders import cell_finished, circumstances, make_cell, requests

CELL = make_cell(users=8)
BUSY_CLIENT = ClientUse(cpu_cores=0.96)


def stages(*, queue: float = 1, infer: float = 10, api: float = 2, network: float = 2) -> Stages:
    """Stage sums over ten requests with these means in ms; decoding takes 5 ms each."""
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
    """A cell of eight users whose responses report these stages."""
    conditions = {
        name: changes.pop(name)
        for name in ("containers", "service", "in_flight")
        if name in changes
    }
    return cell_finished(
        stages=measured or Stages(),
        fewest_users=8,
        circumstances=circumstances(**{"in_flight": 7.99, **conditions}),
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
    """Workers that processed a hundred images each, with these seconds of inference."""
    return ServiceUse(
        queue_length=queue_length,
        fewest_workers=len(infer_s),
        most_workers=len(infer_s),
        workers=tuple(
            WorkerUse(id=f"model-{i}", seconds=seconds, images=100, infer_s=busy_s)
            for i, busy_s in enumerate(infer_s, 1)
        ),
    )


def text_of(results: CellFinished, *peers: tuple[Cell, CellFinished]) -> str | None:
    """The text of the bottleneck of `CELL` with these results."""
    found = find_bottleneck(CELL, results, Peers([(CELL, results), *peers]))
    return found.text if found else None


def peer(users: int, results: CellFinished) -> tuple[Cell, CellFinished]:
    return make_cell(users=users), results


def test_the_queue_is_reported_with_its_length() -> None:
    cell = finished(stages(queue=75), service=workers(9.8))
    assert text_of(cell) == (
        "the queue before the model: 75.0 of 94.0 ms, 6.00 jobs waiting, workers busy 98 % of "
        "the time"
    )


def test_the_queue_is_reported_without_metrics() -> None:
    assert text_of(finished(stages(queue=75))) == "the queue before the model: 75.0 of 94.0 ms"


def test_a_queue_before_an_idle_model_is_waiting_time() -> None:
    cell = finished(stages(queue=75), service=workers(1.0, queue_length=0.5))
    assert text_of(cell) == (
        "queueing while the model is mostly idle: 75.0 of 94.0 ms in the queue, "
        "0.500 jobs waiting, workers busy 10 % of the time"
    )


def test_a_model_that_mostly_decodes_is_not_idle() -> None:
    cell = finished(stages(queue=75), service=workers(3.0), containers=(container(cores=0.95),))
    text = text_of(cell)
    assert text is not None
    assert text.startswith("the queue before the model")


def test_the_model_is_reported_if_it_takes_most_of_the_time() -> None:
    cell = finished(stages(infer=30), service=workers(9.0))
    assert text_of(cell) == (
        "the model: decoding and inference take 35.0 of 40.0 ms, workers busy 90 % of the time"
    )


def test_a_sleep_in_the_api_is_a_constant_wait_if_another_load_confirms_it() -> None:
    cell = finished(stages(api=102), containers=(container("api", cores=0.05),))
    other = finished(stages(api=101))
    assert text_of(cell, peer(2, other)) == (
        "constant wait in the API: 102 of 120 ms with 8 users, 101 ms with 2 users, 0.050 cores "
        "used"
    )


def test_a_sleep_in_the_api_is_detected_by_idle_cpu_at_a_single_load() -> None:
    cell = finished(stages(api=102), containers=(container("api", cores=0.05),))
    assert text_of(cell, peer(7, cell)) == (
        "the API: 102 of 120 ms, 0.050 cores used, mostly waiting"
    )


def test_a_busy_api_is_reported_with_its_cpu() -> None:
    cell = finished(stages(api=102), containers=(container("api", cores=0.97),))
    assert text_of(cell, peer(2, cell)) == "the API: 102 of 120 ms, 0.97 cores used"


def test_the_network_is_reported() -> None:
    assert text_of(finished(stages(network=80))) == (
        "the network: 80.0 of 98.0 ms between Locust and the service"
    )


def test_utilisation_is_not_reported_for_a_few_seconds() -> None:
    cell = finished(stages(queue=75), service=workers(2.9, seconds=3))
    assert text_of(cell) == "the queue before the model: 75.0 of 94.0 ms, 6.00 jobs waiting"


def test_workers_without_inference_time_are_not_slow() -> None:
    text = text_of(finished(stages(queue=75), service=workers(0.0, 0.0)))
    assert text is not None
    assert "slow" not in text


def test_a_slow_worker_is_reported_with_the_fastest_one() -> None:
    cell = finished(stages(queue=75), service=workers(1.1, 6.2))
    assert text_of(cell) == (
        "slow worker model-2: 62.0 ms per image, compared with 11.0 ms for model-1"
    )


def test_a_slightly_slower_worker_is_not_reported() -> None:
    text = text_of(finished(stages(queue=75), service=workers(5.0, 6.0)))
    assert text is not None
    assert text.startswith("the queue")


def test_a_cpu_limit_takes_precedence_over_its_consequences() -> None:
    limited = (container("api"), container(cores=0.4, throttled=0.87))
    cell = finished(stages(queue=75), containers=limited)
    expected = "CPU limit of model-1: 0.400 cores, throttled in 87 % of scheduling periods"
    assert text_of(cell) == expected
    assert text_of(finished(containers=limited)) == expected


def test_the_load_generator_takes_precedence_over_all_others() -> None:
    cell = finished(stages(queue=75), clients=(BUSY_CLIENT,))
    found = find_bottleneck(CELL, cell, Peers())

    assert found is not None
    assert found.kind is BottleneckKind.CLIENT
    assert found.text == "the load generator: Locust used 0.96 CPU cores (limit 0.8)"
    assert found.figures == {"value": 0.96, "limit": 0.8}


def test_the_load_generator_is_detected_from_the_evidence_not_from_recorded_texts() -> None:
    cell = finished(stages(queue=75), reasons=("text of another version",), clients=(BUSY_CLIENT,))
    found = find_bottleneck(CELL, cell, Peers())

    assert found is not None
    assert found.kind is BottleneckKind.CLIENT


def test_figures_match_the_text() -> None:
    found = find_bottleneck(CELL, finished(stages(queue=75), service=workers(5.0, 6.0)), Peers())

    assert found is not None
    assert found.kind is BottleneckKind.QUEUE
    assert found.figures == {
        "stage_ms": 75.0,
        "total_ms": 94.0,
        "queue_length": 6.0,
        "busy_share": pytest.approx(0.55),
    }


def test_without_stages_a_constant_latency_is_a_constant_wait() -> None:
    cell, other = (
        finished(requests=requests(((20.0, 9),))),
        finished(requests=requests(((21.0, 9),))),
    )
    assert text_of(cell, peer(2, other)) == (
        "constant wait: median 20.0 ms with 8 users, 21.0 ms with 2 users, nothing saturated"
    )


def test_without_stages_a_constant_throughput_is_a_saturated_service() -> None:
    cell = finished(requests=requests(((40.0, 9),)), completed=2000)
    other = finished(requests=requests(((10.0, 9),)), completed=1990)
    assert text_of(cell, peer(2, other)) == (
        "the service: 200 req/s with 8 users, 199 req/s with 2 users, stages unknown (no "
        "Server-Timing header)"
    )


@pytest.mark.parametrize("users", [8, 10])
def test_without_stages_and_another_load_no_bottleneck_is_reported(users: int) -> None:
    assert text_of(finished(), peer(users, finished())) is None
