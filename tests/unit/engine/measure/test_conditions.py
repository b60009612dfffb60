"""What a measured window was like, from its samples."""

import random
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any

import pytest

from loadbench.engine.journal.events import (
    Container,
    ContainerUse,
    Machine,
    Sample,
    ServiceMetrics,
    ServiceUse,
    Worker,
    WorkerUse,
)
from loadbench.engine.measure.conditions import MAX_PARTS, WindowUse, whole_seconds
from tests.support.builders import sample


def container(name: str = "model-1", **changes: Any) -> Container:
    fields: dict[str, Any] = {"service": "model", "state": "running", **changes}
    return Container(name=name, **fields)


def use_of(samples: Sequence[Sample], before: Sample | None = None) -> WindowUse:
    """What a window was like that has all of these samples."""
    window = range(samples[0].second, samples[-1].second + 1) if samples else range(0)
    use = WindowUse(window, before)
    for one in samples:
        use.add(one)
    return use


def seconds(*containers: tuple[Container, ...]) -> list[Sample]:
    return [sample(second=i, containers=its) for i, its in enumerate(containers)]


def test_seconds_that_lie_partly_in_the_window_are_left_out() -> None:
    assert list(whole_seconds(2.4, 5.0)) == [3, 4, 5, 6]
    assert list(whole_seconds(2.0, 5.0)) == [2, 3, 4, 5, 6]
    assert list(whole_seconds(2.4, 1.0)) == [2, 3]


def test_what_is_outside_of_the_window_does_not_count() -> None:
    use = WindowUse(range(1, 3))
    for it in seconds(*((container(cpu_cores=float(second)),) for second in range(4))):
        use.add(it)

    assert [it.cpu_cores for it in use.containers()] == [1.5]


def test_cpu_is_a_mean_and_memory_the_most() -> None:
    first = container(cpu_cores=0.5, memory_bytes=100, throttled=0.2)
    second = container(cpu_cores=0.7, memory_bytes=300, throttled=0.4)
    unknown = container(memory_bytes=200)

    [use] = use_of(seconds((first,), (second,), (unknown,))).containers()

    assert (use.name, use.service) == ("model-1", "model")
    assert (use.cpu_cores, use.memory_bytes, use.throttled) == (0.6, 300, 0.2)
    assert (use.restarts, use.missing_s) == (0, 0)


def test_what_was_not_there_or_came_back_is_counted() -> None:
    here, ended = container(), container(state="exited", exit_code=137)
    again = container(restarts=1)
    late = container("model-2")

    first, second = use_of(seconds((here,), (ended,), (again, late))).containers()

    assert (first.restarts, first.missing_s) == (1, 1)
    assert (second.name, second.missing_s) == ("model-2", 2)


def test_a_restart_in_the_first_moment_of_the_window_counts() -> None:
    [before], again = seconds((container(),)), seconds((container(restarts=1),))

    assert [it.restarts for it in use_of(again, before).containers()] == [1]
    assert [it.restarts for it in use_of(again).containers()] == [0]


def test_a_limit_that_holds_for_one_second_of_four_holds_for_a_quarter_of_the_time() -> None:
    idle, held = container(), container(throttled=1.0)

    [use] = use_of(seconds((idle,), (held,), (idle,), (idle,))).containers()
    [free] = use_of(seconds((idle,), (idle,))).containers()

    assert use.throttled == 0.25
    assert free.throttled is None


def test_a_job_that_was_done_before_is_not_missed() -> None:
    done = container("migrate-1", state="exited", exit_code=0)

    [use] = use_of(seconds((done,), (done,))).containers()

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

    assert use_of(samples).service() == ServiceUse(
        queue_length=4.0,
        fewest_workers=1,
        most_workers=2,
        workers=(WorkerUse(id="a", seconds=2, images=30, infer_s=2.5),),
    )
    assert use_of([sample()]).service() is None


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

    assert use_of([busy(1.0, 0.1, 5), sample(), busy(1.5, 0.3, 7)]).machine() == Machine(
        cores=2, cpu_cores=1.25, others_cpu_cores=0.2, stolen_cpu_cores=0.0, swapped_bytes=12
    )
    assert use_of([busy(1.0, None, 0)]).machine() == Machine(
        cores=2, cpu_cores=1.0, others_cpu_cores=None, stolen_cpu_cores=0.0, swapped_bytes=0
    )
    assert use_of([]).machine() is None


# All the samples together, as a reference


def mean(values: Iterable[float | None]) -> float | None:
    known = [it for it in values if it is not None]
    return round(fmean(known), 3) if known else None


def container_reference(name: str, samples: Sequence[Sample], before: Sample) -> ContainerUse:
    looks = [next((it for it in one.containers if it.name == name), None) for one in samples]
    there = [it for it in looks if it]
    ran = any(it.state == "running" for it in there)
    counted = [*there, *(it for it in before.containers if it.name == name)]
    limited = any(it.throttled is not None for it in there)
    return ContainerUse(
        name=name,
        service=there[0].service,
        cpu_cores=mean(it.cpu_cores for it in there),
        memory_bytes=max((it.memory_bytes for it in there if it.memory_bytes), default=None),
        throttled=mean(it.throttled or 0.0 for it in there) if limited else None,
        restarts=max(it.restarts for it in counted) - min(it.restarts for it in counted),
        missing_s=sum(ran and (it is None or it.state != "running") for it in looks),
    )


def worker_reference(name: str, samples: Sequence[Sample]) -> WorkerUse | None:
    looks = [
        (one.second, total)
        for one in samples
        for total in (one.service.totals if one.service else ())
        if total.id == name
    ]
    steps = [now for before, now in pairwise(looks) if now[1] != before[1]]
    if len(steps) < 2 or steps[-1][1].images < steps[0][1].images:
        return None
    (first_s, first), (last_s, last) = steps[0], steps[-1]
    images, infer_s = last.images - first.images, round(last.infer_s - first.infer_s, 4)
    return WorkerUse(id=name, seconds=last_s - first_s, images=images, infer_s=infer_s)


def service_reference(samples: Sequence[Sample]) -> ServiceUse | None:
    known = [it.service for it in samples if it.service]
    if not known:
        return None
    workers = [it.workers for it in known if it.workers is not None]
    names = dict.fromkeys(total.id for it in known for total in it.totals)
    uses = (worker_reference(name, samples) for name in names)
    return ServiceUse(
        queue_length=mean(it.queue_length for it in known),
        fewest_workers=min(workers, default=None),
        most_workers=max(workers, default=None),
        workers=tuple(it for it in uses if it),
    )


def machine_reference(samples: Sequence[Sample]) -> Machine | None:
    known = [it.machine for it in samples if it.machine]
    if not known:
        return None
    return Machine(
        cores=known[0].cores,
        cpu_cores=round(fmean(it.cpu_cores for it in known), 3),
        others_cpu_cores=mean(it.others_cpu_cores for it in known),
        stolen_cpu_cores=round(fmean(it.stolen_cpu_cores for it in known), 3),
        swapped_bytes=sum(it.swapped_bytes for it in known),
    )


def eventful_second(draw: random.Random, second: int, images: dict[str, int]) -> Sample:
    """A second in which anything may be unknown, missing, restarted or throttled."""

    def maybe(value: Any) -> Any:
        return value if draw.random() < 0.9 else None

    for name in images:
        images[name] = 0 if draw.random() < 0.001 else images[name] + draw.randrange(3)
    return sample(
        second=second,
        containers=tuple(
            container(
                f"model-{number}",
                state=draw.choice(["running"] * 9 + ["exited"]) if number else "exited",
                cpu_cores=maybe(draw.random()),
                memory_bytes=maybe(draw.randrange(10**9)),
                restarts=second // 700,
                throttled=maybe(draw.random()) if number > 1 else None,
            )
            for number in range(draw.randint(2, 4))
        ),
        service=maybe(
            ServiceMetrics(
                queue_length=maybe(draw.random() * 9),
                workers=maybe(draw.randrange(4)),
                totals=tuple(
                    Worker(id=name, images=done, infer_s=done / 7)
                    for name, done in images.items()
                    if draw.random() < 0.9
                ),
            )
        ),
        machine=maybe(
            Machine(
                cores=4,
                cpu_cores=draw.random() * 4,
                others_cpu_cores=maybe(draw.random()),
                stolen_cpu_cores=draw.random(),
                swapped_bytes=draw.randrange(1000),
            )
        ),
    )


@pytest.mark.parametrize("seed", range(20))
def test_what_is_added_second_by_second_equals_what_all_samples_give(seed: int) -> None:
    draw = random.Random(seed)
    images = {"a": 0, "b": 0, "c": 0}
    length = draw.choice([1, MAX_PARTS, MAX_PARTS + 1, 10 * MAX_PARTS])
    before, *samples = (eventful_second(draw, second, images) for second in range(length + 1))

    use = use_of(samples, before)

    names = dict.fromkeys(it.name for one in samples for it in one.containers)
    assert use.containers() == tuple(container_reference(it, samples, before) for it in names)
    assert use.service() == service_reference(samples)
    assert use.machine() == machine_reference(samples)
