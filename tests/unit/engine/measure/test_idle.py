"""Replicas without work, by each kind of evidence."""

from dataclasses import replace
from typing import Any

import pytest

from loadbench.engine.journal.events import (
    ContainerUse,
    Finding,
    ReplicaRequests,
    ServiceUse,
    Verdict,
)
from loadbench.engine.measure.idle import ScaledService
from loadbench.engine.measure.rules.case import Case
from loadbench.engine.measure.rules.registry import IDLE_REPLICA
from loadbench.engine.measure.verdict import judge
from tests.support.builders import cell_finished, circumstances, make_cell, requests

BYTES = (400_000, 1_000)
NAMES = ("app-1", "app-2")
ADVICE = (
    "; in the front, resolve app for each request and close idle connections, or bypass it with "
    "stack.port: app:PORT"
)


def use(name: str, **changes: Any) -> ContainerUse:
    """A replica without evidence of work."""
    fields: dict[str, Any] = {
        "service": "app",
        "cpu_cores": None,
        "memory_bytes": 1,
        "throttled": None,
        "restarts": 0,
        "missing_s": 0,
    }
    return ContainerUse(name=name, **{**fields, **changes})


def receiving(*counts: int | None, error: int = 0) -> tuple[ContainerUse, ...]:
    """Replicas that received these numbers of bytes."""
    return tuple(
        use(f"app-{number}", received_bytes=count, received_error_bytes=error)
        for number, count in enumerate(counts, start=1)
    )


def computing(*cores: tuple[float | None, float | None]) -> tuple[ContainerUse, ...]:
    """Replicas with a CPU usage in the window and before the load."""
    return tuple(
        use(f"app-{number}", cpu_cores=cpu, unloaded_cpu_cores=before)
        for number, (cpu, before) in enumerate(cores, start=1)
    )


def counting(**images: int) -> ServiceUse:
    """Metrics with the number of images by worker; `w1` is that of the replica `app-1`."""
    return ServiceUse(
        queue_length=0.0,
        fewest_workers=2,
        most_workers=2,
        images={f"app-{name[1:]}.1": number for name, number in images.items()},
    )


def finding(
    containers: tuple[ContainerUse, ...],
    service: ServiceUse | None = None,
    *,
    scaled: ScaledService | None = None,
    in_flight: float | None = None,
    sent: int = 1000,
    models: int | None = None,
    **changes: Any,
) -> tuple[Verdict, Finding] | None:
    """The verdict and the finding of the rule, or None. By default, there is enough work."""
    models = models or len(containers)
    users = 100
    conditions = circumstances(
        in_flight=float(users) if in_flight is None else in_flight,
        containers=containers,
        service=service,
    )
    fields = {"requests": requests(((10.0, sent),)), "fewest_users": users, **changes}
    finished = cell_finished(circumstances=conditions, **fields)
    cell = make_cell(models=models, users=users)
    case = Case(cell=cell, finished=finished, scaled=scaled or ScaledService(name="app"))
    verdict, findings = judge(case)
    found = [one for one in findings if one.rule == IDLE_REPLICA]
    return (verdict, found[0]) if found else None


def test_a_replica_that_receives_hardly_any_bytes_is_idle() -> None:
    found = finding(receiving(*BYTES))

    assert found is not None
    verdict, idle = found
    assert (verdict, idle.value, idle.limit) == (Verdict.INVALID, 1, 0)
    expected = (
        "1 of 2 replicas idle: app-2 received 0.25 % of a working replica's bytes (limit 5 %)"
    )
    assert idle.text == expected + ADVICE


def test_most_replicas_may_be_idle() -> None:
    found = finding(receiving(900_000, 90, 2_000, 180))

    assert found is not None
    start = "3 of 4 replicas idle: app-2, app-3, app-4 received at most 0.22 % of a working"
    assert found[1].text.startswith(start)


def test_at_most_five_idle_replicas_are_named() -> None:
    found = finding(receiving(900_000, *[90] * 7))

    assert found is not None
    names = "7 of 8 replicas idle: app-2, app-3, app-4, app-5, app-6 and 2 more received"
    assert found[1].text.startswith(names)


@pytest.mark.parametrize("second", [400_000, 100_000, 20_000])
def test_a_replica_with_at_least_five_percent_of_the_bytes_works(second: int) -> None:
    assert finding(receiving(400_000, second)) is None


def test_the_limit_is_relative_to_the_median_of_the_working_replicas() -> None:
    assert finding(receiving(1_000_000, 300_000, 300_000, 16_000)) is None
    assert finding(receiving(1_000_000, 300_000, 300_000, 14_000)) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"in_flight": 3.9},
        {"in_flight": 39.9, "scaled": ScaledService(name="app", batch_size=10)},
        {"sent": 39},
        {"scaled": ScaledService()},
        {"scaled": ScaledService(name="other")},
        {"models": 3},
    ],
)
def test_without_enough_work_or_facts_no_replica_is_idle(changes: dict[str, Any]) -> None:
    assert finding(receiving(*BYTES)) is not None
    assert finding(receiving(*BYTES), **changes) is None


def test_without_recorded_conditions_no_replica_is_idle() -> None:
    finished = cell_finished(circumstances=None)
    case = Case(cell=make_cell(models=2), finished=finished, scaled=ScaledService(name="app"))

    assert judge(case) == (Verdict.VALID, ())


def test_exactly_enough_work_is_enough() -> None:
    assert finding(receiving(*BYTES), in_flight=4.0, sent=40) is not None


def test_a_single_replica_is_never_idle() -> None:
    assert finding(receiving(0)) is None


def test_fewer_bytes_than_headers_are_no_evidence() -> None:
    assert finding(receiving(39_900, 0)) is None
    assert finding(receiving(40_000, 0)) is not None


def test_bytes_are_no_evidence_if_one_replica_shares_its_network() -> None:
    assert finding(receiving(400_000, None)) is None


def test_rounded_bytes_are_evidence_only_if_the_error_is_small() -> None:
    assert finding(receiving(*BYTES, error=4_001)) is None
    assert finding(receiving(*BYTES, error=4_000)) is not None


def test_a_worker_without_images_is_idle() -> None:
    found = finding(computing((0.5, 0.0), (0.5, 0.0)), counting(w1=900, w2=0))

    assert found is not None
    verdict, idle = found
    assert verdict is Verdict.INVALID
    assert idle.text == (
        "1 of 2 replicas idle: app-2 classified under 0.1 % of a working replica's images "
        "(limit 5 %); read the log of app-2"
    )


def test_bytes_come_before_counters_and_counters_before_cpu() -> None:
    idle_by_cpu = computing((0.5, 0.0), (0.0, 0.0))

    assert finding(receiving(*BYTES), counting(w1=500, w2=500)) is not None
    assert finding(receiving(400_000, 400_000), counting(w1=900, w2=0)) is None
    assert finding(idle_by_cpu, counting(w1=500, w2=500)) is None
    assert finding(idle_by_cpu) is not None


@pytest.mark.parametrize("images", [{"w1": 39, "w2": 0}, {"w1": 900}, {"w1": 9, "w2": 0, "w3": 9}])
def test_counters_of_too_few_images_or_other_workers_are_no_evidence(
    images: dict[str, int],
) -> None:
    assert finding(computing((0.5, 0.0), (0.5, 0.0)), counting(**images)) is None


def test_a_replica_without_cpu_usage_is_suspect() -> None:
    found = finding(computing((0.62, 0.02), (0.022, 0.02)))

    assert found is not None
    verdict, idle = found
    assert verdict is Verdict.SUSPECT
    assert idle.text == (
        "1 of 2 replicas idle: app-2 used 0.33 % of a working replica's CPU time above the level "
        f"before the load (limit 5 %){ADVICE}"
    )


@pytest.mark.parametrize(
    "cores",
    [
        pytest.param(((0.5, 0.02), (0.4, 0.02)), id="both work"),
        pytest.param(((0.5, 0.1), (0.5, 0.9)), id="start-up before the load"),
        pytest.param(((0.5, 0.1), (0.5, 0.495)), id="end of a start-up before the load"),
        pytest.param(((0.06, 0.02), (0.02, 0.02)), id="hardly any work"),
        pytest.param(((0.5, None), (0.001, None)), id="level unknown, as in older journals"),
        pytest.param(((0.5, 0.0), (None, 0.0)), id="usage unknown"),
    ],
)
def test_cpu_usage_that_has_other_causes_is_no_evidence(
    cores: tuple[tuple[float | None, float | None], ...],
) -> None:
    assert finding(computing(*cores)) is None


def replicas(*counts: int) -> tuple[ReplicaRequests, ...]:
    return tuple(
        ReplicaRequests(
            name=f"app-{number}",
            host=f"http://127.0.0.1:{number}",
            successes=((10.0, count),) if count else (),
        )
        for number, count in enumerate(counts, start=1)
    )


def test_requests_counted_by_locust_come_before_all_other_evidence() -> None:
    found = finding(receiving(400_000, 400_000), replicas=replicas(500, 0))

    assert found is not None
    verdict, idle = found
    assert verdict is Verdict.INVALID
    start = "1 of 2 replicas idle: app-2 got no requests from Locust; "
    assert idle.text == start + "check which users of the locustfile send requests"
    assert finding(receiving(*BYTES), replicas=replicas(500, 1)) is None
    elsewhere = (*replicas(500, 0), replace(replicas(500)[0], name="", host="http://x"))
    found = finding(receiving(400_000, 400_000), replicas=elsewhere)
    assert found is not None
    assert found[1].text == start + "use self.client with relative URLs in the locustfile"


def test_a_replica_without_requests_is_suspect_if_the_others_had_little_to_do() -> None:
    found = finding(receiving(400_000, 400_000), replicas=replicas(500, 0), in_flight=2.0)
    assert found is not None
    assert found[0] is Verdict.SUSPECT
    # One slow request may fill the window, so a few requests are no evidence.
    assert finding(receiving(1, 1), replicas=replicas(30, 0), sent=30) is None


def test_large_requests_do_not_make_other_replicas_idle() -> None:
    """One of 1,000 requests is a large upload; the other replica got half of the small ones."""
    assert finding(receiving(20_250_000, 125_000)) is None
    assert finding(receiving(20_250_000, 48_000)) is not None
    found = finding(receiving(20_250_000, 125_000, 90))
    assert found is not None
    assert found[1].text.startswith("1 of 3 replicas idle: app-3 received under 0.1 %")


def test_replicas_that_have_no_user_are_expected_to_be_idle() -> None:
    finished = cell_finished(replicas=replicas(400, 0, 0))
    case = Case(cell=make_cell(models=3, users=2), finished=finished)

    assert judge(case) == (Verdict.VALID, ())
