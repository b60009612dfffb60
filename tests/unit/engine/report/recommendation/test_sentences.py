"""The recommendation as text: the subject, the answer, doubts and the next step."""

from dataclasses import replace
from typing import Any

import pytest

from loadbench.engine.journal.events import CellFailed, CellFinished, Event, Finding, Verdict
from loadbench.engine.measure.bottleneck import Bottleneck, BottleneckKind
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import plan_cells
from loadbench.engine.report.recommendation.capacity import Configuration
from loadbench.engine.report.recommendation.next_step import Situation
from loadbench.engine.report.recommendation.next_step import bottleneck_advice as advice
from loadbench.engine.report.recommendation.recommend import Recommendation, recommendation_of
from loadbench.engine.report.recommendation.sentences import answer, sentences, short_answer
from loadbench.engine.report.recommendation.subject import Subject, subject_of
from loadbench.engine.report.recommendation.table import configuration_table
from tests.support.builders import (
    cell_finished,
    cell_skipped,
    cell_started,
    make_profile,
    requests,
    run_started,
    state_after,
)

CONTAINERS = Subject("container", "containers", "CPU ", " at batch 1")
SERVICE = Subject("", "", "", "")


def recommend(profile: Profile, *events: Event) -> Recommendation:
    """The recommendation of a run after these events."""
    found = recommendation_of(state_after(run_started(profile), *events))
    assert found is not None
    return found


def measure(profile: Profile, rps: float = 40.0, **changes: Any) -> list[Event]:
    """The events of a run in which every cell has this throughput."""
    events: list[Event] = []
    for cell in plan_cells(profile):
        fields = {"completed": round(10 * rps), **changes}
        events += [cell_started(cell.key), cell_finished(cell.key, **fields)]
    return events


def subject(driver: str, **keys: Any) -> Subject:
    """The subject of a profile that was run with a driver."""
    return subject_of(make_profile(**keys), driver)


def test_a_configuration_is_named_by_device_and_batch() -> None:
    assert subject("compose").described(2) == "2 CPU containers at batch 1"
    gpu = subject("compose", device="gpu", batch_size=10)
    assert gpu.described(1) == "1 GPU container at batch 10"
    assert subject("local").described(2) == "2 CPU model processes at batch 1"


def test_a_foreign_service_has_no_known_device() -> None:
    foreign = subject("compose", stack={"compose": ["my.yaml"], "service": "app"})

    assert foreign.described(1) == "1 replica of app"
    assert foreign.described(3) == "3 replicas of app"


def test_an_external_service_is_not_counted() -> None:
    external = subject("external")

    assert external.described(1) == "The service"
    assert external.verb(1, "carries", "carry") == "carries"


def test_a_driver_of_another_version_scales_replicas() -> None:
    assert subject("kubernetes").described(2) == "2 CPU replicas at batch 1"


def test_the_answer_states_the_latency_and_a_near_goal() -> None:
    profile = make_profile(goals={"p95_ms": 500, "failure_ratio": 0.01})
    failing = requests(((10.0, 4954),), ((1.0, 46),))

    near = recommend(profile, *measure(profile, requests=failing))
    far = recommend(profile, *measure(profile))

    assert answer(near) == (
        "1 CPU model process at batch 1 carries at least 2 users: p95 10.0 ms (goal 500 ms), "
        "0.92 % failures (near the goal of ≤ 1 %), 40.0 req/s."
    )
    assert "failures" not in answer(far)


def test_without_a_latency_goal_the_answer_states_the_other_goal() -> None:
    profile = make_profile(goals={"min_rps": 30})

    found = recommend(profile, *measure(profile))

    assert "at least 2 users: throughput 40.0 req/s (goal ≥ 30 req/s)." in answer(found)
    assert short_answer(found) == "1 model process carries ≥ 2 users"
    assert short_answer(found, with_value=True).endswith(", throughput 40.0 req/s")


def test_a_run_without_results_says_so() -> None:
    profile = make_profile()
    lost = CellFailed(cell="m1_u2_s2", attempt=1, reason="Locust exited")

    before, after = recommend(profile), recommend(profile, cell_started(), lost)

    assert answer(before) == "No results yet."
    assert answer(after) == f"No cell has usable results. {after.doubts[0]}."
    assert after.doubts == ("m1_u2_s2: failed and excluded, Locust exited",)
    assert (short_answer(after), configuration_table(after)[1]) == ("", [])


def test_a_run_with_only_suspect_cells_has_an_answer_with_doubts() -> None:
    profile = make_profile(goals={"p95_ms": 500})
    events = measure(profile, verdict=Verdict.SUSPECT, reasons=("not settled",))

    found = recommend(profile, *events)

    assert answer(found).endswith("40.0 req/s (suspect).")
    assert short_answer(found) == "! 1 model process carries ≥ 2 users"
    assert short_answer(found, with_value=True).endswith("p95 10.0 ms (suspect)")
    assert found.doubts[0] == "m1_u2_s2: suspect, not settled"


def test_a_skipped_cell_is_a_doubt() -> None:
    profile = make_profile(models=[1, 2])
    events = [*measure(make_profile()), cell_skipped("m2_u2_s2")]

    assert "m2_u2_s2: skipped" in recommend(profile, *events).doubts


def test_many_cells_with_the_same_doubt_are_counted() -> None:
    profile = make_profile(users=[1, 2, 3, 4, 5, 6])
    events = measure(profile, verdict=Verdict.SUSPECT, reasons=("not settled",))

    doubts = recommend(profile, *events).doubts

    assert "m1_u1_s2, m1_u2_s2, m1_u3_s2, m1_u4_s2 and 2 more: suspect, not settled" in doubts


def test_the_same_rule_with_other_values_is_one_doubt() -> None:
    profile = make_profile(users=[1, 2])
    events = measure(profile)
    for index, value in ((1, 0.8), (3, 0.5)):
        finding = Finding(rule="neighbours", text=f"other processes used {value} cores")
        event = events[index]
        assert isinstance(event, CellFinished)
        events[index] = replace(event, verdict=Verdict.SUSPECT, findings=(finding,))

    doubts = recommend(profile, *events).doubts

    assert "m1_u1_s2, m1_u2_s2: suspect, other processes used 0.8 cores in m1_u1_s2" in doubts


def test_undecided_loads_of_a_configuration_are_one_doubt() -> None:
    profile = make_profile(users=[1, 2, 3], goals={"p99_ms": 500})

    doubt = recommend(profile, *measure(profile)).doubts[0]

    assert doubt == (
        "1 user, 2 users and 3 users with 1 model process are undecided: p99 needs 1000 requests, "
        "400 measured at 1 user"
    )


def test_drift_is_a_doubt() -> None:
    profile = make_profile(recheck_first=True)
    events = [*measure(make_profile()), cell_started("m1_u2_s2_recheck")]
    events.append(cell_finished("m1_u2_s2_recheck", completed=200))

    doubt = recommend(profile, *events).doubts[-1]

    assert doubt.startswith("The first cell changed between start and end: drift of 50 %")


def test_an_undecided_run_needs_a_longer_window() -> None:
    profile = make_profile(goals={"p99_ms": 500})

    found = recommend(profile, *measure(profile))

    assert answer(found) == (
        "No load is known to meet the goals: 2 users are undecided, p99 needs 1000 requests, "
        "400 measured."
    )
    assert found.next_step == (
        "increase run_time to 25s, or set run_time: auto, so that 2 users can be decided"
    )
    assert short_answer(found) == "too few requests to decide"


def test_an_undecided_automatic_run_needs_a_larger_maximum() -> None:
    profile = make_profile(goals={"p99_ms": 500}, run_time="auto", max_run_time="10s")

    found = recommend(profile, *measure(profile))

    assert found.next_step == "increase max_run_time to 25s, so that 2 users can be decided"


def test_without_goals_the_last_sentence_suggests_one() -> None:
    profile = make_profile()

    assert "goals.p95_ms" in sentences(recommend(profile, *measure(profile)))[-1]


def situation(kind: BottleneckKind | None, **changes: Any) -> Situation:
    """A situation with a bottleneck, by default of two containers whose throughput grows."""
    fields = {
        "subject": CONTAINERS,
        "configurations": [Configuration(models=models, loads=()) for models in (1, 2)],
        "best": None,
        "limit": None,
        "load": None,
        "busy_cores": None,
        "stop_at": None,
        "has_goals": True,
    }
    bottleneck = Bottleneck(kind, "planted") if kind else None
    return Situation(bottleneck=bottleneck, **{**fields, **changes})


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (BottleneckKind.CLIENT, "give Locust a machine of its own"),
        (BottleneckKind.CPU_LIMIT, "raise the CPU limit"),
        (BottleneckKind.SLOW_WORKER, "find out why one replica is slower"),
        (BottleneckKind.QUEUE, "measure more than 2 containers"),
        (BottleneckKind.MODEL, "use a faster device"),
        (BottleneckKind.WAIT_BEFORE_MODEL, "look at the broker"),
        (BottleneckKind.API, "give the API more CPU"),
        (BottleneckKind.CONSTANT_WAIT_IN_API, "look for a sleep, a timer or a remote call"),
        (BottleneckKind.NETWORK, "check the network"),
        (BottleneckKind.CONSTANT_WAIT, "look for a sleep, a timer or a rate limit"),
        (BottleneckKind.SERVICE, "measure more than 2 containers"),
    ],
)
def test_every_bottleneck_has_an_advice(kind: BottleneckKind, text: str) -> None:
    assert advice(situation(kind)).startswith(text)


def test_no_bottleneck_has_no_advice() -> None:
    assert advice(situation(None)) == ""
    assert {kind for kind in BottleneckKind if not advice(situation(kind))} == set()


def test_more_models_are_only_suggested_if_they_can_help() -> None:
    queue = BottleneckKind.QUEUE
    more_cores = "use more cores, a GPU or a larger batch size"

    assert advice(situation(queue, busy_cores=2)) == more_cores
    assert advice(situation(BottleneckKind.MODEL, busy_cores=2)) == more_cores
    assert advice(situation(queue, stop_at=1)) == ("try a larger batch size or a faster device")


def test_a_service_that_cannot_be_scaled_is_profiled() -> None:
    kept = advice(situation(BottleneckKind.SERVICE, subject=SERVICE))

    assert kept == "profile the service, which does not report its stages"
