"""The conditions of a measurement window, folded from its samples."""

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
    """The use in a window of exactly these samples."""
    window = range(samples[0].second, samples[-1].second + 1) if samples else range(0)
    use = WindowUse(window, before)
    for one in samples:
        use.add(one)
    return use


def seconds(*containers: tuple[Container, ...]) -> list[Sample]:
    return [sample(second=i, containers=seen) for i, seen in enumerate(containers)]


def test_seconds_partly_in_the_window_are_excluded() -> None:
    assert list(whole_seconds(2.4, 5.0)) == [3, 4, 5, 6]
    assert list(whole_seconds(2.0, 5.0)) == [2, 3, 4, 5, 6]
    assert list(whole_seconds(2.4, 1.0)) == [2, 3]


def test_samples_outside_the_window_do_not_count() -> None:
    use = WindowUse(range(1, 3))
    for one in seconds(*((container(cpu_cores=float(second)),) for second in range(4))):
        use.add(one)

    assert [found.cpu_cores for found in use.containers()] == [1.5]


def test_cpu_is_a_mean_and_memory_a_maximum() -> None:
    first = container(cpu_cores=0.5, memory_bytes=100, throttled=0.2)
    second = container(cpu_cores=0.7, memory_bytes=300, throttled=0.4)
    unknown = container(memory_bytes=200)

    [use] = use_of(seconds((first,), (second,), (unknown,))).containers()

    assert (use.name, use.service) == ("model-1", "model")
    assert (use.cpu_cores, use.memory_bytes, use.throttled) == (0.6, 300, 0.2)
    assert (use.restarts, use.missing_s) == (0, 0)


def test_downtime_and_restarts_are_counted() -> None:
    running, ended = container(), container(state="exited", exit_code=137)
    restarted = container(restarts=1)
    late = container("model-2")

    first, second = use_of(seconds((running,), (ended,), (restarted, late))).containers()

    assert (first.restarts, first.missing_s) == (1, 1)
    assert (second.name, second.missing_s) == ("model-2", 2)


def test_a_restart_in_the_first_second_of_the_window_counts() -> None:
    [before], restarted = seconds((container(),)), seconds((container(restarts=1),))

    assert [use.restarts for use in use_of(restarted, before).containers()] == [1]
    assert [use.restarts for use in use_of(restarted).containers()] == [0]


def test_throttling_in_one_of_four_seconds_is_a_quarter() -> None:
    idle, throttled = container(), container(throttled=1.0)

    [use] = use_of(seconds((idle,), (throttled,), (idle,), (idle,))).containers()
    [unlimited] = use_of(seconds((idle,), (idle,))).containers()

    assert use.throttled == 0.25
    assert unlimited.throttled is None


def test_a_job_completed_before_the_window_is_not_down() -> None:
    done = container("migrate-1", state="exited", exit_code=0)

    [use] = use_of(seconds((done,), (done,))).containers()

    assert use.missing_s == 0


def test_worker_use_is_the_difference_of_its_counters() -> None:
    def at(second: int, length: float, workers: int, *totals: Worker) -> Sample:
        metrics = ServiceMetrics(queue_length=length, workers=workers, totals=totals)
        return sample(second=second, service=metrics)

    def worker(images: int, infer_s: float, name: str = "a") -> Worker:
        return Worker(id=name, images=images, infer_s=infer_s)

    samples = [
        sample(second=3),
        at(4, 2.0, 2, worker(90, 4.0), worker(7, 1.0, "gone"), worker(900, 9.0, "restarted")),
        at(5, 6.0, 1, worker(100, 5.0), worker(901, 9.1, "restarted")),
        at(6, 4.0, 2, worker(115, 6.0), worker(1, 0.1, "new"), worker(2, 0.1, "restarted")),
        at(7, 4.0, 2, worker(130, 7.5), worker(9, 0.2, "new"), worker(7, 0.2, "restarted")),
        at(8, 4.0, 2, worker(130, 7.5)),
        sample(second=9),
    ]

    assert use_of(samples).service() == ServiceUse(
        queue_length=4.0,
        fewest_workers=1,
        most_workers=2,
        workers=(WorkerUse(id="a", seconds=2, images=30, infer_s=2.5),),
        images={"a": 40},
    )
    assert use_of([sample()]).service() is None


def test_a_worker_without_work_has_classified_no_images() -> None:
    def at(second: int, *totals: Worker) -> Sample:
        return sample(second=second, service=ServiceMetrics(totals=totals))

    busy = [Worker(id="a", images=images, infer_s=1.0) for images in (10, 20)]
    idle, stopped = (Worker(id=name, images=7, infer_s=0.5) for name in ("b", "stopped"))

    service = use_of([at(0, busy[0], idle, stopped), at(1, busy[1], idle), sample(second=2)])

    found = service.service()
    assert found is not None
    assert found.images == {"a": 10, "b": 0}


def received(second: int, count: int | None, error: int = 0) -> Sample:
    one = container(received_bytes=count, received_error_bytes=error)
    return sample(second=second, containers=(one,))


def test_received_bytes_are_the_difference_since_the_last_second_before_the_window() -> None:
    samples = [received(second, count) for second, count in enumerate((700, 1000, 1500))]

    [with_before] = use_of(samples[1:], samples[0]).containers()
    [without] = use_of(samples[1:]).containers()

    assert (with_before.received_bytes, without.received_bytes) == (800, 500)


def test_received_bytes_have_the_rounding_errors_of_both_readings() -> None:
    [use] = use_of([received(0, 1_230, 5), received(1, 45_600, 50)]).containers()

    assert (use.received_bytes, use.received_error_bytes) == (44_370, 55)


@pytest.mark.parametrize("counts", [(5, None, 9), (None, 5, 9), (9, 5, 12), (9, 12, None)])
def test_received_bytes_are_unknown_after_a_reset_or_a_gap(
    counts: tuple[int | None, ...],
) -> None:
    samples = [received(second, count) for second, count in enumerate(counts)]

    [use] = use_of(samples).containers()

    assert (use.received_bytes, use.received_error_bytes) == (None, 0)
    before, *rest = samples
    if (before.containers[0].received_bytes or 0) > (rest[0].containers[0].received_bytes or 0):
        assert use_of(rest, before).containers()[0].received_bytes is None


def test_the_cpu_usage_before_the_load_is_kept() -> None:
    use = WindowUse(range(2), unloaded=(container(cpu_cores=0.01),))
    for one in seconds((container(cpu_cores=0.5), container("model-2"))):
        use.add(one)

    assert [found.unloaded_cpu_cores for found in use.containers()] == [0.01, None]


def test_swap_traffic_is_a_sum_and_other_machine_figures_are_means() -> None:
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


# Reference: computed from all samples at once


def mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 3) if known else None


def container_reference(name: str, samples: Sequence[Sample], before: Sample) -> ContainerUse:
    polls = [next((c for c in one.containers if c.name == name), None) for one in samples]
    seen = [container for container in polls if container]
    ran = any(container.state == "running" for container in seen)
    counted = [*seen, *(container for container in before.containers if container.name == name)]
    limited = any(container.throttled is not None for container in seen)
    return ContainerUse(
        name=name,
        service=seen[0].service,
        cpu_cores=mean(c.cpu_cores for c in seen),
        memory_bytes=max((c.memory_bytes for c in seen if c.memory_bytes), default=None),
        throttled=mean(c.throttled or 0.0 for c in seen) if limited else None,
        restarts=max(c.restarts for c in counted) - min(c.restarts for c in counted),
        missing_s=sum(ran and (c is None or c.state != "running") for c in polls),
        received_bytes=received_reference(seen, counted[len(seen) :]),
    )


def received_reference(seen: Sequence[Container], before: Sequence[Container]) -> int | None:
    counts = [container.received_bytes for container in seen]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts) or known != sorted(known):
        return None
    first = [container.received_bytes for container in before][-1:]
    begin = first[0] if first and first[0] is not None else known[0]
    return known[-1] - begin if begin <= known[0] else None


def worker_reference(name: str, samples: Sequence[Sample]) -> WorkerUse | None:
    polls = [
        (one.second, total)
        for one in samples
        for total in (one.service.totals if one.service else ())
        if total.id == name
    ]
    steps = [now for before, now in pairwise(polls) if now[1] != before[1]]
    if len(steps) < 2 or steps[-1][1].images < steps[0][1].images:
        return None
    (first_s, first), (last_s, last) = steps[0], steps[-1]
    images, infer_s = last.images - first.images, round(last.infer_s - first.infer_s, 4)
    return WorkerUse(id=name, seconds=last_s - first_s, images=images, infer_s=infer_s)


def service_reference(samples: Sequence[Sample]) -> ServiceUse | None:
    known = [one.service for one in samples if one.service]
    if not known:
        return None
    workers = [metrics.workers for metrics in known if metrics.workers is not None]
    names = dict.fromkeys(total.id for metrics in known for total in metrics.totals)
    uses = (worker_reference(name, samples) for name in names)
    readings = [metrics.totals for metrics in known if metrics.totals]
    images = {
        name: counts[-1] - counts[0]
        for name in names
        if (counts := [t.images for totals in readings for t in totals if t.id == name])
        and name in {total.id for total in readings[-1]}
        and counts[-1] >= counts[0]
    }
    return ServiceUse(
        images=images,
        queue_length=mean(metrics.queue_length for metrics in known),
        fewest_workers=min(workers, default=None),
        most_workers=max(workers, default=None),
        workers=tuple(use for use in uses if use),
    )


def machine_reference(samples: Sequence[Sample]) -> Machine | None:
    known = [one.machine for one in samples if one.machine]
    if not known:
        return None
    return Machine(
        cores=known[0].cores,
        cpu_cores=round(fmean(machine.cpu_cores for machine in known), 3),
        others_cpu_cores=mean(machine.others_cpu_cores for machine in known),
        stolen_cpu_cores=round(fmean(machine.stolen_cpu_cores for machine in known), 3),
        swapped_bytes=sum(machine.swapped_bytes for machine in known),
    )


def eventful_second(draw: random.Random, second: int, images: dict[str, int]) -> Sample:
    """A second in which values may be unknown and containers missing, restarted or throttled."""

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
                received_bytes=1000 * second + number if number != 2 else maybe(second),
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
def test_folding_sample_by_sample_equals_computing_from_all_samples(seed: int) -> None:
    draw = random.Random(seed)
    images = {"a": 0, "b": 0, "c": 0}
    length = draw.choice([1, MAX_PARTS, MAX_PARTS + 1, 10 * MAX_PARTS])
    before, *samples = (eventful_second(draw, second, images) for second in range(length + 1))

    use = use_of(samples, before)

    names = dict.fromkeys(seen.name for one in samples for seen in one.containers)
    assert use.containers() == tuple(container_reference(name, samples, before) for name in names)
    assert use.service() == service_reference(samples)
    assert use.machine() == machine_reference(samples)
