"""A search for the capacity of a real service, whose capacity is known."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadbench.engine.journal.events import SearchEnded
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.search import StopReason
from tests.support import slots_server
from tests.support.harness import Bench

USERS = """
from locust import FastHttpUser, constant, task

class Client(FastHttpUser):
    wait_time = constant(0)

    @task
    def work(self):
        self.client.get("/work")
"""
LEVELS = (2, 4, 6, 8, 10, 12, 16, 20, 24, 32)
SLOTS, SERVICE_MS, GOAL_MS = 4, 20.0, 45.0
CAPACITY = max(users for users in LEVELS if users / SLOTS * SERVICE_MS <= GOAL_MS)
"""8 users: 40 ms. 10 users take 50 ms."""
PROFILE = f"""
models: [1]
users: {list(LEVELS)}
spawn_rates: [100]
run_time: 2s
settle: {{max: 0s}}
host: %s
stack: {{driver: external, health: /health}}
load: {{locustfile: users.py}}
goals: {{p95_ms: {GOAL_MS}}}
search: {{strategy: bisection}}
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    command = [sys.executable, slots_server.__file__, "--slots", str(SLOTS)]
    command += ["--service-ms", str(SERVICE_MS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        bench = Bench.make(tmp_path, PROFILE % f"http://127.0.0.1:{port}", "known")
        (bench.root / "users.py").write_text(USERS, encoding="utf-8")
        yield bench
        server.terminate()


def test_a_search_finds_the_known_capacity_within_a_level(bench: Bench) -> None:
    done = bench.call("run", "known", "--json", within_s=120)

    assert done.returncode == 0, done.stderr
    state = bench.state("known")
    assert state.search_ended is not None
    [bracket] = state.search_ended.brackets
    assert bracket.reason == StopReason.EDGE_FOUND
    assert bracket.passed is not None
    assert abs(LEVELS.index(int(bracket.passed)) - LEVELS.index(CAPACITY)) <= 1
    summary = json.loads(done.stdout)
    [configuration] = summary["recommendation"]["configurations"]
    assert configuration["capacity"]["amount"] == bracket.passed


def test_a_budget_ends_a_search_in_time_and_a_resume_continues_it(bench: Bench) -> None:
    done = bench.call("run", "known", "--plain", "--budget", "10s")

    assert done.returncode == 0, done.stderr
    state = bench.state("known")
    assert state.search_ended is not None
    assert state.search_ended.reason == StopReason.BUDGET_USED
    assert state.finished is not None
    (end_s,) = (
        entry.elapsed_s
        for entry in JournalReader(bench.folder("known")).poll()
        if isinstance(entry.event, SearchEnded)
    )
    assert end_s <= 10 + 3  # the runner notices the end of the budget within its poll
    assert 0 < len(state.cells) < len(LEVELS)
    resumed = bench.call("run", "--resume", "known", "--plain")
    assert resumed.returncode == 0, resumed.stderr
    assert len(bench.state("known").cells) > len(state.cells)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--budget", "1m", "--set", "search.strategy=grid"], "--budget requires a search"),
        (["--budget", "soon"], "search.budget"),
        (["--set", "goals.p95_ms=null"], "requires a goal"),
    ],
)
def test_an_impossible_search_is_refused(bench: Bench, arguments: list[str], message: str) -> None:
    done = bench.call("run", "known", *arguments)

    assert done.returncode == 2
    assert message in done.stderr
