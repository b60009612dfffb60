"""What a cell's numbers are worth, rule by rule."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import (
    CellFinished,
    ClientUse,
    ContainerUse,
    ErrorCount,
    Machine,
    ServiceUse,
    Verdict,
)
from loadbench.engine.measure.buckets import to_buckets
from loadbench.engine.measure.limits import MAX_DRIFT
from loadbench.engine.measure.rules import DRIFTED, Case
from loadbench.engine.measure.verdict import judge as findings_of
from tests.support.builders import cell_finished, circumstances, make_cell, requests

BUSY = (ErrorCount(error="503 queue full", count=7), ErrorCount(error="timeout", count=1))
FAULTS = (ErrorCount(error="KeyError('x')", count=2), ErrorCount(error="other", count=1))
NOTHING = requests((), ())


def clients(cpu_cores: float) -> tuple[ClientUse, ...]:
    """The one load generator."""
    return (ClientUse(cpu_cores=cpu_cores),)


def case(
    *, drift: float | None = None, around: dict[str, Any] | None = None, **changes: Any
) -> Case:
    """A cell of two users with four hundred successes and nothing else, on two cores."""
    around = dict(around or {})
    changes = {"clients": clients(around.pop("cpu", 0.1)), **changes}
    finished = cell_finished(circumstances=circumstances(**around), **changes)
    return Case(cell=make_cell(), finished=finished, drift=drift)


def judge(judged: Case) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict, and the texts of the findings."""
    verdict, findings = findings_of(judged)
    return verdict, tuple(it.text for it in findings)


def container(**changes: Any) -> ContainerUse:
    """A container that ran all the time."""
    fields: dict[str, Any] = {
        "name": "model-1",
        "service": "model",
        "cpu_cores": 0.9,
        "memory_bytes": 1,
        "throttled": None,
        "restarts": 0,
        "missing_s": 0,
    }
    return ContainerUse(**{**fields, **changes})


def machine(**changes: Any) -> Machine:
    """A machine that does nothing but measure."""
    fields: dict[str, Any] = {
        "cores": 2,
        "cpu_cores": 1.2,
        "others_cpu_cores": 0.05,
        "stolen_cpu_cores": 0.0,
        "swapped_bytes": 0,
    }
    return Machine(**{**fields, **changes})


def service(fewest: int | None, most: int | None) -> ServiceUse:
    """Metrics that tell of so many workers."""
    return ServiceUse(queue_length=0.0, fewest_workers=fewest, most_workers=most)


def test_a_steady_cell_without_failures_is_valid() -> None:
    around = {"containers": (container(),), "machine": machine(), "service": service(2, 2)}
    assert judge(case(around=around)) == (Verdict.VALID, ())


def test_a_cell_that_was_not_asked_to_settle_is_not_blamed_for_it() -> None:
    assert judge(case(settled=None)) == (Verdict.VALID, ())


def test_a_cell_of_which_little_is_known_is_judged_by_that() -> None:
    finished = cell_finished(circumstances=None)
    assert judge(Case(cell=make_cell(), finished=finished)) == (Verdict.VALID, ())


@pytest.mark.parametrize(
    ("changes", "verdict", "reason"),
    [
        ({"requests": NOTHING}, Verdict.INVALID, "no request was completed"),
        (
            {"requests": requests((), ((1.0, 8),)), "errors": BUSY},
            Verdict.INVALID,
            "no request succeeded: 503 queue full (7 times)",
        ),
        (
            {"requests": requests(((10.0, 1000),), ((1.0, 100),)), "errors": BUSY},
            Verdict.SUSPECT,
            "9.1 % of the requests failed: 503 queue full (7 times)",
        ),
        (
            {"exceptions": FAULTS},
            Verdict.SUSPECT,
            "the locustfile raised 3 exceptions: KeyError('x') (2 times)",
        ),
        ({"aborted": 4}, Verdict.SUSPECT, "4 requests had no answer long after their timeout"),
        (
            {"settled": False, "unsettled": "the rate still moves"},
            Verdict.SUSPECT,
            "not settled: the rate still moves",
        ),
        ({"fewest_users": 1}, Verdict.INVALID, "only 1 of 2 users were there all the time"),
        (
            {"requests": requests(((10.0, 199),))},
            Verdict.SUSPECT,
            "few samples: 199 successes, a p95 needs 200 (measure for longer)",
        ),
        (
            {"clients": clients(0.93)},
            Verdict.SUSPECT,
            "client-bound: Locust used 0.93 of a core, so part of the latency is its own",
        ),
        ({"drift": MAX_DRIFT + 0.01}, Verdict.SUSPECT, DRIFTED),
    ],
)
def test_what_is_wrong_with_a_cell_is_said_in_words(
    changes: dict[str, Any], verdict: Verdict, reason: str
) -> None:
    assert judge(case(**changes)) == (verdict, (reason,))


@pytest.mark.parametrize(
    ("around", "verdict", "reason"),
    [
        (
            {"in_flight": 1.2, "thinking": 0.5, "cpu": 0.5},
            Verdict.SUSPECT,
            (
                "client-bound: of 2 users only 1.7 were waiting for an answer or pausing, the "
                "others for Locust, so part of the latency is its own"
            ),
        ),
        (
            {"in_flight": 0.4, "cpu": 0.1},
            Verdict.SUSPECT,
            (
                "client-bound: of 2 users only 0.4 were waiting for an answer or pausing, the "
                "others were in their own code, so they asked for less than 2 would"
            ),
        ),
        (
            {"lag": ((0.2, 240), (1.4, 260))},
            Verdict.SUSPECT,
            (
                "client-bound: Locust was late, which adds 1.4 ms to p50, so part of the latency "
                "is its own"
            ),
        ),
        (
            {"lag": ((0.2, 499), (1300.0, 1))},
            Verdict.SUSPECT,
            "Locust itself stood still for 1.3 s",
        ),
        (
            {"gaps": ((25.0, 320), (2000.0, 1))},
            Verdict.SUSPECT,
            (
                "stalled once: no answer for up to 2 s, which the percentiles hide, since users "
                "who wait send nothing"
            ),
        ),
        (
            {"containers": (container(), container(name="model-2", throttled=0.87))},
            Verdict.SUSPECT,
            "held back by a CPU limit: model-2 in 87 % of the scheduling periods",
        ),
        (
            {"containers": (container(restarts=1), container(name="api-1", missing_s=3))},
            Verdict.INVALID,
            "model-1 was started again, api-1 was down for 3 s",
        ),
        (
            {"service": service(1, 2)},
            Verdict.INVALID,
            "only 1 of 2 workers were ready all the time",
        ),
        (
            {"machine": machine(swapped_bytes=52_000_000)},
            Verdict.SUSPECT,
            "the machine swapped 52 MB",
        ),
        (
            {"clock_jump_ms": 3600.0},
            Verdict.SUSPECT,
            "the clock jumped by 3.6 s, or the machine slept",
        ),
        (
            {"machine": machine(stolen_cpu_cores=0.4)},
            Verdict.SUSPECT,
            "neighbours: the hypervisor gave 0.4 cores to other virtual machines",
        ),
        (
            {"machine": machine(others_cpu_cores=0.71)},
            Verdict.SUSPECT,
            "neighbours: other processes used 0.71 of 2 cores",
        ),
    ],
)
def test_what_is_wrong_around_a_cell_is_said_in_words(
    around: dict[str, Any], verdict: Verdict, reason: str
) -> None:
    assert judge(case(around=around)) == (verdict, (reason,))


@pytest.mark.parametrize(
    "around",
    [
        {"in_flight": 1.0, "thinking": 0.95, "cpu": 0.5},
        {"lag": ((0.2, 460), (1.4, 35), (1.9, 5))},
        {"gaps": ((400.0, 3), (450.0, 2))},
        {"gaps": ((25.0, 320), (480.0, 1))},
        {"gaps": ((900.0, 10), (2000.0, 1))},
        {"containers": (container(throttled=0.05),)},
        {"service": service(None, None)},
        {"machine": machine(others_cpu_cores=None, swapped_bytes=4096)},
        {"clock_jump_ms": 40.0},
    ],
)
def test_what_is_usual_speaks_against_nothing(around: dict[str, Any]) -> None:
    assert judge(case(around=around)) == (Verdict.VALID, ())


def test_what_one_fault_explains_is_told_once() -> None:
    _, missing = judge(case(fewest_users=1, around={"in_flight": 1.0}))
    assert missing == ("only 1 of 2 users were there all the time",)
    still = {"lag": ((0.2, 400), (900.0, 1)), "gaps": ((25.0, 320), (910.0, 1))}
    _, stood_still = judge(case(around=still))
    assert stood_still == ("Locust itself stood still for 0.9 s",)


def test_lateness_is_weighed_against_the_latency() -> None:
    slow = requests(((1000.0, 400),))
    for lag in (((4.0, 500),), ((0.2, 474), (4.0, 26)), ((0.2, 494), (4.0, 6))):
        assert judge(case(around={"lag": lag}))[0] is Verdict.SUSPECT
        assert judge(case(around={"lag": lag}, requests=slow))[0] is Verdict.VALID


def test_a_full_machine_is_told_even_where_nobody_knows_with_what() -> None:
    def judged(cores: float) -> tuple[str, ...]:
        full = machine(cpu_cores=cores, others_cpu_cores=None)
        return judge(case(around={"machine": full}))[1]

    assert judged(1.7) == ()
    assert judged(1.9) == (
        "neighbours: 1.9 of 2 cores of this machine were busy, with what cannot be told",
    )


def test_lateness_beside_our_own_service_may_be_three_times_as_much() -> None:
    def judged(lag_ms: float, others: float | None) -> Verdict:
        around = {"lag": ((lag_ms, 500),), "machine": machine(others_cpu_cores=others)}
        return judge(case(around=around))[0]

    assert judged(2.5, None) is Verdict.SUSPECT
    assert judged(2.5, 0.0) is Verdict.VALID
    assert judged(3.5, 0.0) is Verdict.SUSPECT


def test_rare_lateness_hardly_moves_a_percentile_of_latencies_that_differ() -> None:
    spread = requests(tuple((10 + tenths / 10, 2) for tenths in range(500)))
    around = {"lag": ((0.2, 470), (4.0, 30))}
    assert judge(case(around=around, requests=spread)) == (Verdict.VALID, ())


def test_a_batch_is_not_a_stall_however_many_answers_it_holds() -> None:
    # Fifty answers at once, six hundred milliseconds apart: nearly all gaps are nothing.
    around = {"gaps": ((0.02, 2450), (600.0, 50))}
    assert judge(case(around=around)) == (Verdict.VALID, ())


def test_a_large_machine_may_do_more_besides() -> None:
    def on(cores: int) -> Verdict:
        busy = machine(cores=cores, others_cpu_cores=1.2, stolen_cpu_cores=0.4)
        return judge(case(around={"machine": busy}))[0]

    assert on(4) is Verdict.SUSPECT
    assert on(16) is Verdict.VALID


def test_one_failure_in_a_hundred_is_too_many_and_fewer_are_not() -> None:
    def judged(good: int, bad: int) -> Verdict:
        return judge(case(requests=requests(((10.0, good),), ((1.0, bad),))))[0]

    assert judged(990, 10) is Verdict.SUSPECT
    assert judged(991, 9) is Verdict.VALID


def test_all_reasons_are_given_and_the_worst_decides() -> None:
    verdict, reasons = judge(case(requests=NOTHING, aborted=4, settled=False, unsettled="too few"))
    assert verdict is Verdict.INVALID
    assert reasons == (
        "no request was completed",
        "4 requests had no answer long after their timeout",
        "not settled: too few",
    )


def test_a_cell_whose_users_raise_before_any_request_has_no_success() -> None:
    verdict, reasons = judge(case(requests=NOTHING, exceptions=FAULTS))
    assert verdict is Verdict.INVALID
    assert reasons[0] == "no request succeeded"


buckets = st.dictionaries(st.floats(0, 1e5), st.integers(1, 500), max_size=8).map(to_buckets)
finished = st.builds(
    cell_finished,
    requests=st.builds(requests, buckets, buckets),
    aborted=st.integers(0, 2),
    settled=st.sampled_from([None, True, False]),
    fewest_users=st.integers(0, 2),
    clients=st.floats(0, 2).map(clients),
    circumstances=st.none()
    | st.builds(
        circumstances,
        in_flight=st.floats(0, 2),
        gaps=buckets,
        lag=buckets,
        thinking=st.floats(0, 1),
    ),
)


@given(finished)
def test_numbers_are_valid_exactly_where_no_reason_speaks_against_them(told: CellFinished) -> None:
    verdict, reasons = judge(Case(cell=make_cell(), finished=told))
    assert (verdict is Verdict.VALID) is (not reasons)


def test_a_finding_carries_the_figure_and_its_limit() -> None:
    _, (few, client) = findings_of(case(requests=requests(((10.0, 50),)), around={"cpu": 0.9}))

    assert (few.rule, few.value, few.limit) == ("few_samples", 50, 200)
    assert (client.rule, client.value, client.limit) == ("client_bound", 0.9, 0.8)


@given(finished)
def test_a_finding_with_figures_is_beyond_its_limit(told: CellFinished) -> None:
    at_least = {"no_success", "users_missing", "few_samples"}
    for finding in findings_of(Case(cell=make_cell(), finished=told))[1]:
        if finding.value is None or finding.limit is None:
            continue
        if finding.rule in at_least or "users only" in finding.text:
            assert finding.value < finding.limit
        else:
            assert finding.value >= finding.limit
