"""Users with think time: automatic run times and longer settle windows, with a real Locust."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loadbench.engine.journal.events import CellFinished, StackProgress
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.measure.buckets import count, successes
from loadbench.engine.measure.main_request import of_name
from tests.support.harness import Bench
from tests.support.hostile_server import HostileServer

PROFILE = """
models: [1]
users: [4]
spawn_rates: [10]
run_time: auto
min_run_time: 2s
settle: {{max: 0s}}
host: {host}
stack: {{driver: external, health: /ok}}
load: {{locustfile: users.py, main: GET /ok}}
"""
LOCUSTFILE = """
from locust import FastHttpUser, between, task

class Shopper(FastHttpUser):
    wait_time = between(0.05, 0.15)

    @task(3)
    def ok(self): self.client.get("/ok")

    @task
    def rare(self): self.client.get("/ok", name="/rare")
"""
NEEDED = 200
"""Requests for p95."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with HostileServer() as server:
        made = Bench.make(tmp_path, PROFILE.format(host=server.host))
        (made.root / "users.py").write_text(LOCUSTFILE)
        yield made
        made.close()


def run(bench: Bench, *overrides: str) -> tuple[CellFinished, str]:
    """Run the profile. Return the results of its cell and the output."""
    options = [part for one in overrides for part in ("--set", one)]
    result = bench.call("run", "fast", "--plain", *options, within_s=90)
    [cell] = bench.state().cells.values()
    assert cell.finished is not None, result.stdout + result.stderr
    return cell.finished, result.stdout + result.stderr


def test_a_window_ends_once_p95_of_the_main_request_has_enough_samples(bench: Bench) -> None:
    finished, output = run(bench)

    samples = count(successes(of_name(finished.requests, "GET /ok")))
    rate = samples / finished.measured_s
    # It ends at the first second with enough samples; a busy machine sees it some seconds later.
    assert NEEDED <= samples <= NEEDED + 5 * rate + 4
    # Four users send 30 such requests per second.
    assert 5 < finished.measured_s < 15
    assert "Measuring for 2 s to 10 min" in output
    assert not [one for one in finished.findings if one.rule == "few_samples"]
    assert finished.circumstances is not None
    # Its conditions are those of this window.
    assert 3 < finished.circumstances.in_flight + finished.circumstances.thinking <= 4.001


def test_a_window_that_reaches_its_maximum_has_few_samples(bench: Bench) -> None:
    finished, _ = run(bench, "max_run_time=3s")

    assert finished.measured_s == pytest.approx(3, abs=0.01)
    assert "few_samples" in [one.rule for one in finished.findings]


def test_few_requests_settle_in_longer_windows(bench: Bench) -> None:
    finished, _ = run(
        bench, "settle.max=3s", "settle.window=1s", "max_run_time=2s", "load.main=GET /rare"
    )

    events = [entry.event for entry in JournalReader(bench.folder()).poll()]
    lines = [one.line for one in events if isinstance(one, StackProgress) and one.step == "settle"]
    assert lines
    assert lines[0].startswith("Settling: windows of ")
    # Whether they agree is up to chance, but there were enough requests to compare.
    assert finished.settled or finished.unsettled.startswith("unsteady ")
