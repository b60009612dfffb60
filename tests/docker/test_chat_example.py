"""The chat example with one and two replicas of a streaming server, in real containers."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadbench.engine.journal.events import CellFinished
from loadbench.engine.measure.buckets import num_failures, percentile
from loadbench.engine.profile.model import Profile
from loadbench.engine.report.recommendation.goals import Outcome, check_goals
from tests.support import streaming_server
from tests.support.chat_results import FIRST_TOKEN, first_tokens, measurement, window_of
from tests.support.docker_harness import DockerBench
from tests.support.streaming_server import Logged, read_log

GOAL_MS = 200
"""Missed by one replica, which has slots for half of the users, and met by two."""
CHANGES = (
    *("stack.driver=compose", "stack.compose=foreign/compose.yaml", "stack.service=llm"),
    *("host=null", "models=1,2", "users=8", "spawn_rates=50", "run_time=8s", "settle.max=0s"),
    "load.options={max-tokens: 10}",
    f"goals.measurements={{{FIRST_TOKEN}: {{p95: {GOAL_MS}}}}}",
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[DockerBench]:
    """A workspace with the Compose project of a streaming server."""
    made = DockerBench.make(tmp_path)
    shutil.copytree(Path(__file__).parent / "chat", made.root / "foreign")
    shutil.copy(streaming_server.__file__, made.root / "foreign")
    (made.root / "foreign" / "log").mkdir()
    yield made
    made.close()


def logged(bench: DockerBench) -> list[Logged]:
    """Return the requests that all replicas have logged."""
    files = (bench.root / "foreign" / "log").iterdir()
    return [entry for file in files for entry in read_log(file.read_text())]


def p95_ms(finished: CellFinished) -> float:
    """Return the 95th percentile of the time to first token."""
    return percentile(measurement(finished, FIRST_TOKEN).values, 0.95) or 0.0


def outcome(finished: CellFinished, profile: Profile) -> Outcome:
    """Return whether the goal for the first token is met."""
    checks = check_goals(finished, profile.goals, profile.load.main)
    [check] = [one for one in checks if one.goal.subject == FIRST_TOKEN]
    return check.outcome


def test_a_second_replica_meets_the_goal_for_the_first_token(bench: DockerBench) -> None:
    assert bench.call("new", "--example", "chat").returncode == 0

    overrides = [part for change in CHANGES for part in ("--set", change)]
    result = bench.call("run", "chat", "--plain", *overrides)

    state = bench.state("chat")
    assert state.profile is not None, result.stderr
    entries = logged(bench)
    finished = []
    for key, cell in state.cells.items():
        assert cell.finished is not None, result.stdout + result.stderr
        window = window_of(bench.folder("chat"), key)
        assert first_tokens(cell.finished, entries, window).problems() == []
        assert num_failures(cell.finished.requests) == 0
        finished.append(cell.finished)
    one, two = finished
    assert p95_ms(one) > GOAL_MS > p95_ms(two)
    outcomes = [outcome(cell, state.profile) for cell in finished]
    assert outcomes == [Outcome.MISSED, Outcome.PASSED]
    assert "2 replicas of llm carry at least 8 users: time to first token p95" in result.stdout
    assert [len(cell.replicas) for cell in finished] == [1, 2]
    assert bench.left() == []
