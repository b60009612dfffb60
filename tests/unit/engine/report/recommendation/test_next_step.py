"""What to try next after a replica got no work."""

from dataclasses import replace

import pytest

from loadbench.engine.journal.events import Finding, ServiceUse, Verdict
from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.rules.registry import IDLE_REPLICA
from loadbench.engine.profile.target import Balance, Target
from loadbench.engine.report.recommendation.recommend import recommendation_of
from tests.support.builders import (
    cell_finished,
    cell_started,
    circumstances,
    run_started,
    state_after,
)

IDLE = Finding(rule=IDLE_REPLICA, text="1 of 2 replicas idle: app-2")


def state_with(
    finding: Finding, balance: Balance | None = None, service: ServiceUse | None = None
) -> RunState:
    """A run whose only cell is invalid."""
    target = Target(address="port 80 of front", scaled="app", balance=balance) if balance else None
    conditions = circumstances(service=service)
    finished = cell_finished(verdict=Verdict.INVALID, findings=(finding,), circumstances=conditions)
    return state_after(replace(run_started(), target=target), cell_started(), finished)


@pytest.mark.parametrize(
    ("balance", "place"),
    [
        (Balance.FRONT, "the front in between"),
        (Balance.CLIENTS, "the locustfile"),
        (None, "the front in between"),
    ],
)
def test_what_distributes_the_requests_is_named(balance: Balance | None, place: str) -> None:
    found = recommendation_of(state_with(IDLE, balance))

    assert found is not None
    expected = f"look at {place}, because a replica got no work in cell m1_u2_s2"
    assert found.next_step == expected


def test_workers_with_counters_have_a_queue_instead_of_a_front() -> None:
    images = {"model-1.1": 400, "model-2.1": 0}
    counters = ServiceUse(queue_length=0.0, fewest_workers=2, most_workers=2, images=images)

    found = recommendation_of(state_with(IDLE, Balance.FRONT, counters))

    assert found is not None
    assert found.next_step.startswith("look at the queue in between, because")


def test_a_finding_with_the_id_of_earlier_versions_is_kept() -> None:
    old = replace(IDLE, rule="idle_replicas")

    finished = state_with(old).cells["m1_u2_s2"].finished

    assert finished is not None
    assert finished.findings == (old,)
