"""What a measured window was like, from its samples."""

from typing import Any

from loadbench.engine.journal.events import (
    Container,
    Machine,
    Sample,
    ServiceMetrics,
    ServiceUse,
    Worker,
    WorkerUse,
)
from loadbench.engine.measure.conditions import container_uses, machine_use, service_use, within
from tests.support.builders import sample


def container(name: str = "model-1", **changes: Any) -> Container:
    fields: dict[str, Any] = {"service": "model", "state": "running", **changes}
    return Container(name=name, **fields)


def seconds(*containers: tuple[Container, ...]) -> list[Sample]:
    return [sample(second=i, containers=its) for i, its in enumerate(containers)]


def test_seconds_that_lie_partly_in_the_window_are_left_out() -> None:
    samples = [sample(second=second) for second in range(10)]
    assert [it.second for it in within(samples, 2.4, 5.0)] == [3, 4, 5, 6]
    assert [it.second for it in within(samples, 2.0, 5.0)] == [2, 3, 4, 5, 6]
    assert [it.second for it in within(samples, 2.4, 1.0)] == [2, 3]


def test_cpu_is_a_mean_and_memory_the_most() -> None:
    first = container(cpu_cores=0.5, memory_bytes=100, throttled=0.2)
    second = container(cpu_cores=0.7, memory_bytes=300, throttled=0.4)
    unknown = container(memory_bytes=200)

    [use] = container_uses(seconds((first,), (second,), (unknown,)))

    assert (use.name, use.service) == ("model-1", "model")
    assert (use.cpu_cores, use.memory_bytes, use.throttled) == (0.6, 300, 0.2)
    assert (use.restarts, use.missing_s) == (0, 0)


def test_what_was_not_there_or_came_back_is_counted() -> None:
    here, ended = container(), container(state="exited", exit_code=137)
    again = container(restarts=1)
    late = container("model-2")

    first, second = container_uses(seconds((here,), (ended,), (again, late)))

    assert (first.restarts, first.missing_s) == (1, 1)
    assert (second.name, second.missing_s) == ("model-2", 2)


def test_a_restart_in_the_first_moment_of_the_window_counts() -> None:
    [before], again = seconds((container(),)), seconds((container(restarts=1),))

    assert [it.restarts for it in container_uses(again, before)] == [1]
    assert [it.restarts for it in container_uses(again)] == [0]


def test_a_limit_that_holds_for_one_second_of_four_holds_for_a_quarter_of_the_time() -> None:
    idle, held = container(), container(throttled=1.0)

    [use] = container_uses(seconds((idle,), (held,), (idle,), (idle,)))
    [free] = container_uses(seconds((idle,), (idle,)))

    assert use.throttled == 0.25
    assert free.throttled is None


def test_a_job_that_was_done_before_is_not_missed() -> None:
    done = container("migrate-1", state="exited", exit_code=0)

    [use] = container_uses(seconds((done,), (done,)))

    assert use.missing_s == 0


def test_what_workers_did_is_the_difference_of_their_counters() -> None:
    def at(second: int, length: float, workers: int, *totals: Worker) -> Sample:
        told = ServiceMetrics(queue_length=length, workers=workers, totals=totals)
        return sample(second=second, service=told)

    def worker(images: int, infer_s: float, name: str = "a") -> Worker:
        return Worker(id=name, images=images, infer_s=infer_s)

    samples = [
        sample(second=3),
        at(4, 2.0, 2, worker(90, 4.0), worker(7, 1.0, "gone"), worker(900, 9.0, "anew")),
        at(5, 6.0, 1, worker(100, 5.0), worker(901, 9.1, "anew")),
        at(6, 4.0, 2, worker(115, 6.0), worker(1, 0.1, "new"), worker(2, 0.1, "anew")),
        at(7, 4.0, 2, worker(130, 7.5), worker(9, 0.2, "new"), worker(7, 0.2, "anew")),
        at(8, 4.0, 2, worker(130, 7.5)),
        sample(second=9),
    ]

    assert service_use(samples) == ServiceUse(
        queue_length=4.0,
        fewest_workers=1,
        most_workers=2,
        workers=(WorkerUse(id="a", seconds=2, images=30, infer_s=2.5),),
    )
    assert service_use([sample()]) is None


def test_the_machine_s_swapping_is_a_sum_and_the_rest_a_mean() -> None:
    def busy(cpu: float, others: float | None, swapped: int) -> Sample:
        return sample(
            machine=Machine(
                cores=2,
                cpu_cores=cpu,
                others_cpu_cores=others,
                stolen_cpu_cores=0.0,
                swapped_bytes=swapped,
            )
        )

    assert machine_use([busy(1.0, 0.1, 5), sample(), busy(1.5, 0.3, 7)]) == Machine(
        cores=2, cpu_cores=1.25, others_cpu_cores=0.2, stolen_cpu_cores=0.0, swapped_bytes=12
    )
    assert machine_use([busy(1.0, None, 0)]) == Machine(
        cores=2, cpu_cores=1.0, others_cpu_cores=None, stolen_cpu_cores=0.0, swapped_bytes=0
    )
    assert machine_use([]) is None
