"""The verdict on a cell, rule by rule."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import (
    CellFinished,
    ClientUse,
    ContainerUse,
    EarlyFailures,
    ErrorCount,
    Machine,
    Measurement,
    Requests,
    ServiceUse,
    Verdict,
)
from loadbench.engine.measure.buckets import to_buckets
from loadbench.engine.measure.rules.case import Case
from loadbench.engine.measure.verdict import judge as findings_of
from tests.support.builders import cell_finished, circumstances, make_cell, requests

BUSY = (ErrorCount(error="503 queue full", count=7), ErrorCount(error="timeout", count=1))
FAULTS = (ErrorCount(error="KeyError('x')", count=2), ErrorCount(error="other", count=1))
NOTHING = requests((), ())


def pushes(number: int) -> tuple[Requests, ...]:
    """Successes without a latency."""
    return (Requests(method="WS", name="push", untimed_successes=number),)


def early(name: str, successes: int, failures: int, *, in_window: bool = False) -> EarlyFailures:
    """Requests before the window, some of which failed."""
    return EarlyFailures(
        method="POST",
        name=name,
        successes=successes,
        failures=failures,
        errors=(ErrorCount(error="401", count=failures),),
        is_in_window=in_window,
    )


def clients(cpu_cores: float) -> tuple[ClientUse, ...]:
    """A single load generator."""
    return (ClientUse(cpu_cores=cpu_cores),)


def case(
    *, drift: float | None = None, conditions: dict[str, Any] | None = None, **changes: Any
) -> Case:
    """A cell of two users with 400 successes; `cpu` in the conditions is that of Locust."""
    conditions = dict(conditions or {})
    changes = {"clients": clients(conditions.pop("cpu", 0.1)), **changes}
    finished = cell_finished(circumstances=circumstances(**conditions), **changes)
    return Case(cell=make_cell(), finished=finished, drift=drift)


def judge(judged: Case) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict and the texts of the findings."""
    verdict, findings = findings_of(judged)
    return verdict, tuple(finding.text for finding in findings)


def container(**changes: Any) -> ContainerUse:
    """A container that ran without interruption."""
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
    """A machine without other load."""
    fields: dict[str, Any] = {
        "cores": 2,
        "cpu_cores": 1.2,
        "others_cpu_cores": 0.05,
        "stolen_cpu_cores": 0.0,
        "swapped_bytes": 0,
    }
    return Machine(**{**fields, **changes})


def service(fewest: int | None, most: int | None) -> ServiceUse:
    """Metrics with this range of ready workers."""
    return ServiceUse(queue_length=0.0, fewest_workers=fewest, most_workers=most)


def test_a_steady_cell_without_failures_is_valid() -> None:
    conditions = {"containers": (container(),), "machine": machine(), "service": service(2, 2)}
    assert judge(case(conditions=conditions)) == (Verdict.VALID, ())


def test_a_cell_without_settling_is_valid() -> None:
    assert judge(case(settled=None)) == (Verdict.VALID, ())


def test_a_cell_without_recorded_conditions_is_valid() -> None:
    finished = cell_finished(circumstances=None)
    assert judge(Case(cell=make_cell(), finished=finished)) == (Verdict.VALID, ())


@pytest.mark.parametrize(
    ("changes", "verdict", "reason"),
    [
        ({"requests": NOTHING}, Verdict.INVALID, "no completed requests"),
        (
            {"requests": requests((), ((1.0, 8),)), "errors": BUSY},
            Verdict.INVALID,
            "no successful requests: 503 queue full (7 times)",
        ),
        (
            {"requests": requests(((10.0, 1000),), ((1.0, 100),)), "errors": BUSY},
            Verdict.SUSPECT,
            "9.1 % of requests failed (limit 1 %): 503 queue full (7 times)",
        ),
        (
            {"exceptions": FAULTS},
            Verdict.SUSPECT,
            "3 exceptions in the locustfile: KeyError('x') (2 times)",
        ),
        (
            {"aborted": 4},
            Verdict.SUSPECT,
            "4 aborted requests: no response long after the timeout",
        ),
        (
            {"aborted": 1},
            Verdict.SUSPECT,
            "1 aborted request: no response long after the timeout",
        ),
        (
            {"settled": False, "unsettled": "unsteady median"},
            Verdict.SUSPECT,
            "not settled: unsteady median",
        ),
        (
            {"fewest_users": 1},
            Verdict.INVALID,
            "missing users: at times only 1 of 2 running",
        ),
        (
            {"requests": requests(((10.0, 199),))},
            Verdict.SUSPECT,
            "few samples: 199 successes, p95 needs 200 (set run_time: auto, or increase run_time)",
        ),
        (
            {"requests": (*requests(((10.0, 40),)), *pushes(250))},
            Verdict.SUSPECT,
            (
                "few samples: 40 of 290 successes have a latency, p95 needs 200 "
                "(set run_time: auto, or increase run_time)"
            ),
        ),
        (
            {"requests": pushes(250)},
            Verdict.SUSPECT,
            (
                "few samples: 0 of 250 successes have a latency, p95 needs 200 (set response_time "
                "in the locustfile's events)"
            ),
        ),
        (
            {"early_failures": (early("/login", 1, 3), early("/other", 5, 1))},
            Verdict.SUSPECT,
            ("3 of 4 requests POST /login failed before the measurement window: 401 (3 times)"),
        ),
        (
            {"early_failures": (early("/" + 70 * "x" + "/login", 0, 1),)},
            Verdict.SUSPECT,
            (f"1 of 1 request POST /{'x' * 53}… failed before the measurement window: 401 (once)"),
        ),
        (
            {"clients": clients(0.93)},
            Verdict.SUSPECT,
            (
                "load generator: Locust used 0.93 CPU cores (limit 0.8), so latency includes its "
                "own delay"
            ),
        ),
        (
            {"drift": 0.125},
            Verdict.SUSPECT,
            (
                "drift of 12.5 % in throughput or median (limit 10 %): early and late cells are "
                "not comparable"
            ),
        ),
    ],
)
def test_a_fault_in_the_results_has_a_finding(
    changes: dict[str, Any], verdict: Verdict, reason: str
) -> None:
    assert judge(case(**changes)) == (verdict, (reason,))


@pytest.mark.parametrize(
    ("conditions", "verdict", "reason"),
    [
        (
            {"in_flight": 1.2, "thinking": 0.5, "cpu": 0.5},
            Verdict.SUSPECT,
            (
                "load generator: 1.70 of 2 users in a request or pause (minimum 1.90), others "
                "delayed by Locust, so latency includes its own delay"
            ),
        ),
        (
            {"in_flight": 0.4, "cpu": 0.1},
            Verdict.SUSPECT,
            (
                "load generator: 0.400 of 2 users in a request or pause (minimum 1.90), others in "
                "the locustfile's own code, so the load is below that of 2 users"
            ),
        ),
        (
            {"lag": ((0.2, 240), (1.4, 260))},
            Verdict.SUSPECT,
            (
                "load generator: event-loop lag adds 1.40 ms to p50 (limit 1.00 ms), so latency "
                "includes its own delay"
            ),
        ),
        (
            {"lag": ((0.2, 499), (1300.0, 1))},
            Verdict.SUSPECT,
            "load generator stalled for 1.30 s (limit 0.5 s)",
        ),
        (
            {"gaps": ((25.0, 320), (2000.0, 1))},
            Verdict.SUSPECT,
            (
                "1 stall: no response for up to 2.00 s (limit 0.5 s); percentiles "
                "understate the latency (coordinated omission)"
            ),
        ),
        (
            {"containers": (container(), container(name="model-2", throttled=0.87))},
            Verdict.SUSPECT,
            "CPU limit: model-2 throttled in 87 % of scheduling periods (limit 10 %)",
        ),
        (
            {"containers": (container(restarts=1), container(name="api-1", missing_s=3))},
            Verdict.INVALID,
            "model-1 restarted once, api-1 down for 3 s",
        ),
        (
            {"service": service(1, 2)},
            Verdict.INVALID,
            "at times only 1 of 2 workers ready",
        ),
        (
            {"machine": machine(swapped_bytes=52_000_000)},
            Verdict.SUSPECT,
            "52.0 MB swapped (limit 1 MB)",
        ),
        (
            {"clock_jump_ms": 3600.0},
            Verdict.SUSPECT,
            "clock jump of 3.60 s (limit 0.1 s): clock set or machine suspended",
        ),
        (
            {"machine": machine(stolen_cpu_cores=0.4)},
            Verdict.SUSPECT,
            "CPU steal: 0.4 cores used by other virtual machines (limit 0.1)",
        ),
        (
            {"machine": machine(others_cpu_cores=0.71)},
            Verdict.SUSPECT,
            "other processes used 0.71 of 2 cores (limit 0.2)",
        ),
    ],
)
def test_a_fault_in_the_conditions_has_a_finding(
    conditions: dict[str, Any], verdict: Verdict, reason: str
) -> None:
    assert judge(case(conditions=conditions)) == (verdict, (reason,))


@pytest.mark.parametrize(
    "conditions",
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
def test_conditions_within_the_limits_are_valid(conditions: dict[str, Any]) -> None:
    assert judge(case(conditions=conditions)) == (Verdict.VALID, ())


def test_a_single_fault_has_a_single_finding() -> None:
    _, missing = judge(case(fewest_users=1, conditions={"in_flight": 1.0}))
    assert missing == ("missing users: at times only 1 of 2 running",)
    stalled = {"lag": ((0.2, 400), (900.0, 1)), "gaps": ((25.0, 320), (910.0, 1))}
    _, stall = judge(case(conditions=stalled))
    assert stall == ("load generator stalled for 0.900 s (limit 0.5 s)",)


def test_event_loop_lag_is_judged_relative_to_the_latency() -> None:
    slow = requests(((1000.0, 400),))
    for lag in (((4.0, 500),), ((0.2, 474), (4.0, 26)), ((0.2, 494), (4.0, 6))):
        assert judge(case(conditions={"lag": lag}))[0] is Verdict.SUSPECT
        assert judge(case(conditions={"lag": lag}, requests=slow))[0] is Verdict.VALID


def test_a_saturated_machine_is_reported_even_if_the_processes_are_unknown() -> None:
    def judged(cores: float) -> tuple[str, ...]:
        full = machine(cpu_cores=cores, others_cpu_cores=None)
        return judge(case(conditions={"machine": full}))[1]

    assert judged(1.7) == ()
    assert judged(1.9) == (
        "machine saturated: 1.9 of 2 cores busy (limit 1.8), share of other processes unknown",
    )


def test_three_times_the_lag_is_allowed_next_to_our_own_service() -> None:
    def judged(lag_ms: float, others: float | None) -> Verdict:
        conditions = {"lag": ((lag_ms, 500),), "machine": machine(others_cpu_cores=others)}
        return judge(case(conditions=conditions))[0]

    assert judged(2.5, None) is Verdict.SUSPECT
    assert judged(2.5, 0.0) is Verdict.VALID
    assert judged(3.5, 0.0) is Verdict.SUSPECT


def test_rare_lag_hardly_changes_a_percentile_of_spread_latencies() -> None:
    spread = requests(tuple((10 + tenths / 10, 2) for tenths in range(500)))
    conditions = {"lag": ((0.2, 470), (4.0, 30))}
    assert judge(case(conditions=conditions, requests=spread)) == (Verdict.VALID, ())


def test_a_large_batch_is_not_a_stall() -> None:
    # Batches of fifty responses, 600 ms apart: nearly all gaps are close to zero.
    conditions = {"gaps": ((0.02, 2450), (600.0, 50))}
    assert judge(case(conditions=conditions)) == (Verdict.VALID, ())


def test_a_large_machine_tolerates_more_load_of_other_processes() -> None:
    def on(cores: int) -> Verdict:
        busy = machine(cores=cores, others_cpu_cores=1.2, stolen_cpu_cores=0.4)
        return judge(case(conditions={"machine": busy}))[0]

    assert on(4) is Verdict.SUSPECT
    assert on(16) is Verdict.VALID


def test_one_percent_of_failures_is_suspect_and_less_is_not() -> None:
    def judged(good: int, bad: int) -> Verdict:
        return judge(case(requests=requests(((10.0, good),), ((1.0, bad),))))[0]

    assert judged(990, 10) is Verdict.SUSPECT
    assert judged(991, 9) is Verdict.VALID


def test_all_findings_are_reported_and_the_most_severe_decides() -> None:
    verdict, reasons = judge(case(requests=NOTHING, aborted=4, settled=False, unsettled="too few"))
    assert verdict is Verdict.INVALID
    assert reasons == (
        "no completed requests",
        "4 aborted requests: no response long after the timeout",
        "not settled: too few",
    )


def test_a_cell_whose_users_raise_before_any_request_has_no_successful_request() -> None:
    verdict, reasons = judge(case(requests=NOTHING, exceptions=FAULTS))
    assert verdict is Verdict.INVALID
    assert reasons[0] == "no successful requests"


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


@pytest.mark.parametrize(
    "failures",
    [
        early("/predict", 0, 9, in_window=True),  # a cold start
        early("/login", 1000, 9),
    ],
)
def test_failures_before_the_window_may_be_valid(failures: EarlyFailures) -> None:
    assert judge(case(early_failures=(failures,))) == (Verdict.VALID, ())


def test_users_that_wait_for_messages_without_a_latency_are_not_accounted_for() -> None:
    waiting = {"in_flight": 0.5, "thinking": 0.0}
    few = (*requests(((10.0, 400),)), *pushes(10))
    many = (*requests(((10.0, 400),)), *pushes(100))

    _, [finding] = findings_of(case(conditions=waiting, requests=few))
    assert finding.rule == "client_bound"
    assert judge(case(conditions=waiting, requests=many)) == (Verdict.VALID, ())
    _, [delayed] = findings_of(case(conditions={**waiting, "cpu": 0.5}, requests=many))
    assert delayed.rule == "client_bound"


@given(finished)
def test_a_cell_is_valid_exactly_if_it_has_no_findings(results: CellFinished) -> None:
    verdict, reasons = judge(Case(cell=make_cell(), finished=results))
    assert (verdict is Verdict.VALID) is (not reasons)


def test_a_finding_has_its_figure_and_limit() -> None:
    _, (few, client) = findings_of(case(requests=requests(((10.0, 50),)), conditions={"cpu": 0.9}))

    assert (few.rule, few.value, few.limit) == ("few_samples", 50, 200)
    assert (client.rule, client.value, client.limit) == ("client_bound", 0.9, 0.8)


@given(finished)
def test_the_figure_of_a_finding_violates_its_limit(results: CellFinished) -> None:
    minimum_rules = {"no_success", "users_missing", "few_samples"}
    for finding in findings_of(Case(cell=make_cell(), finished=results))[1]:
        if finding.value is None or finding.limit is None:
            continue
        if finding.rule in minimum_rules or "users in a request" in finding.text:
            assert finding.value < finding.limit
        else:
            assert finding.value >= finding.limit


def named(name: str, latency_ms: float, number: int = 400, **changes: Any) -> Requests:
    """Successful requests with the same latency."""
    method, _, own = name.partition(" ")
    return Requests(method=method, name=own, successes=((latency_ms, number),), **changes)


def of_names(*names: Requests, main: str | None = None, **changes: Any) -> Case:
    """A cell with several names of requests."""
    return replace(case(requests=names, **changes), main=main)


def test_names_of_similar_medians_are_one_kind_of_requests() -> None:
    assert judge(of_names(named("GET /", 20), named("GET /b", 100))) == (Verdict.VALID, ())


def test_names_whose_medians_differ_by_more_than_five_times_are_marked() -> None:
    verdict, [text] = judge(of_names(named("GET /", 2), named("POST /predict", 400)))

    assert verdict is Verdict.SUSPECT
    assert text == (
        "mixed requests: median 2.00 ms of GET /, 400 ms of POST /predict (limit 5 times), so the "
        'percentiles of all requests describe neither (set load.main: "POST /predict")'
    )


@pytest.mark.parametrize(
    "names",
    [
        (named("GET /", 2), named("POST /login", 400, 19)),
        (named("GET /", 2), Requests(method="", name="other requests", successes=((400.0, 99),))),
    ],
    ids=["few requests", "names counted together"],
)
def test_a_median_of_few_requests_or_of_several_names_marks_nothing(
    names: tuple[Requests, ...],
) -> None:
    assert judge(of_names(*names)) == (Verdict.VALID, ())


def test_the_requests_to_name_are_those_that_users_wait_for_most() -> None:
    slow_but_rare = named("POST /login", 900, 20)
    [text] = judge(of_names(named("GET /", 2), slow_but_rare, named("POST /predict", 400)))[1]

    assert text.endswith('(set load.main: "POST /predict")')


def test_with_main_requests_nothing_is_mixed() -> None:
    names = named("GET /", 2), named("POST /predict", 400), named("LLM token", 1, custom_events=400)
    assert judge(of_names(*names, main="POST /predict")) == (Verdict.VALID, ())


def test_events_of_the_locustfile_beside_http_requests_are_marked() -> None:
    token, rate = (
        named("LLM first token", 40, 60, custom_events=60),
        named('LLM "tokens"/s', 40, 30, custom_events=30),
    )
    verdict, [text] = judge(of_names(named("POST /chat", 40), rate, token))

    assert verdict is Verdict.SUSPECT
    assert text == (
        "mixed events: 90 of 490 requests have neither a response nor a URL: LLM first token, LLM "
        '"tokens"/s. If they are measurements, set load.measurements: ["LLM first token", '
        '"LLM \\"tokens\\"/s"]; if they are requests, set load.main: "LLM first token"'
    )


def test_another_protocol_alone_is_not_mixed() -> None:
    names = named("grpc Predict", 40, custom_events=400), named("grpc Get", 40, custom_events=400)
    assert judge(of_names(*names)) == (Verdict.VALID, ())


def test_few_samples_and_failures_are_those_of_the_main_requests() -> None:
    predict = named("POST /predict", 400, 90, failures=((1.0, 10),))
    verdict, findings = judge(of_names(named("GET /", 2, 9_000), predict, main="POST /predict"))

    assert verdict is Verdict.SUSPECT
    failures, samples = findings
    assert failures == "10.0 % of requests of POST /predict failed (limit 1 %)"
    assert samples == (
        "few samples: 90 successes of POST /predict, p95 needs 200 "
        "(set run_time: auto, or increase run_time)"
    )


def test_failures_of_other_requests_count_too() -> None:
    login = named("POST /login", 2, 100, failures=((1.0, 100),))
    [text] = judge(of_names(login, named("POST /predict", 400), main="POST /predict"))[1]

    assert text == "16.7 % of requests failed (limit 1 %)"


def test_main_requests_that_do_not_occur_are_invalid() -> None:
    verdict, [text] = judge(of_names(named("GET /", 2), main="POST /predct"))

    assert verdict is Verdict.INVALID
    assert text == "no requests of POST /predct (load.main). Names are GET /"


def test_main_requests_without_success_are_invalid() -> None:
    failed = Requests(method="POST", name="/predict", failures=((1.0, 8),))
    judged = of_names(named("GET /", 2), failed, main="POST /predict", errors=BUSY)
    verdict, [text] = judge(judged)

    assert verdict is Verdict.INVALID
    assert text == "no successful requests of POST /predict: 503 queue full (7 times)"


def test_a_cell_with_measurements_alone_names_the_key() -> None:
    measured = Measurement(kind="GET", name="/", values=((2.0, 400),))
    verdict, [text] = judge(case(requests=NOTHING, measurements=(measured,)))

    assert verdict is Verdict.INVALID
    assert text == "no completed requests (all events are measurements, see load.measurements)"


def test_a_window_that_reached_its_maximum_names_that_key() -> None:
    judged = case(requests=requests(((1.0, 199),)))
    [text] = judge(replace(judged, max_run_time_s=10.0))[1]

    assert text == "few samples: 199 successes, p95 needs 200 (increase max_run_time)"


def test_a_name_of_two_methods_may_mean_different_requests() -> None:
    names = named("GET /cart", 2), named("POST /cart", 63)
    verdict, [text] = judge(of_names(*names, main="/cart"))

    assert verdict is Verdict.SUSPECT
    assert text.endswith('(set load.main: "POST /cart")')


def test_users_of_a_cell_with_measurements_alone_are_not_accounted_for() -> None:
    measured = Measurement(kind="grpc", name="Predict", values=((2.0, 400),))
    judged = case(requests=(), completed=0, measurements=(measured,), conditions={"in_flight": 0.1})

    assert [finding.rule for finding in findings_of(judged)[1]] == ["no_success"]


def test_an_automatic_window_that_ended_early_names_the_failures() -> None:
    judged = replace(case(requests=requests(((1.0, 199),))), max_run_time_s=600.0)
    [text] = judge(judged)[1]

    assert text == "few samples: 199 successes, p95 needs 200 (too many requests failed)"


def test_errors_of_other_requests_are_not_those_of_the_main_ones() -> None:
    predict = named("POST /predict", 400, 300, failures=((1.0, 10),))
    login = Requests(method="POST", name="/login", failures=((1.0, 8),))
    [text] = judge(of_names(predict, login, main="POST /predict", errors=BUSY))[1]

    assert text == (
        "3.2 % of requests of POST /predict failed (limit 1 %); "
        "most frequent error of all requests: 503 queue full (7 times)"
    )
