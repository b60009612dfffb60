"""Runs of locustfiles with several endpoints, a login, and events that are no HTTP requests."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from loadbench.engine.journal.events import CellFinished, CellPhase, Phase
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.measure.buckets import count, num_requests, percentile, to_buckets
from loadbench.engine.report.recommendation.recommend import recommendation_of
from loadbench.engine.report.recommendation.sentences import sentences
from loadbench.engine.report.rows import rows
from tests.support.harness import Bench
from tests.support.shop_server import HOME, PREDICT, USERS, Served, ShopServer

PROFILE = """
models: [1]
users: [12, 24]
spawn_rates: [24]
run_time: 10s
settle: {{max: 0s}}
host: {host}
stack: {{driver: external, health: /health}}
load: {{locustfile: users.py}}
"""
GOALS = """
goals: {p95_ms: 900, requests: {"POST /predict": {p50: 200}, "GET /": {p95: 60}}}
"""
TWO_PROTOCOLS = """
import time
import gevent
from locust import HttpUser, constant, events, task

class Client(HttpUser):
    wait_time = constant(0.02)

    @task
    def login(self):
        self.client.post("/login")

    @task
    def predict(self):
        started = time.time()
        gevent.sleep(0.02)
        events.request.fire(
            request_type="grpc", name="Predict", response_time=20.0, response_length=3,
            exception=None, context={}, start_time=started,
        )
"""


@pytest.fixture
def shop() -> Iterator[ShopServer]:
    with ShopServer() as server:
        yield server


def bench_with(folder: Path, shop: ShopServer, users: str, profile: str = "") -> Bench:
    bench = Bench.make(folder, PROFILE.format(host=shop.host) + profile, "shop")
    (bench.root / "users.py").write_text(users, encoding="utf-8")
    return bench


def window_log(bench: Bench, shop: ShopServer, cell: str) -> Sequence[Served]:
    """Requests that arrived in the measurement window of a cell, from the server's log."""
    for entry in JournalReader(bench.folder("shop")).poll():
        match entry.event:
            case CellPhase(cell=key, phase=Phase.MEASURING) if key == cell:
                begin_s = datetime.fromisoformat(entry.at).timestamp()
            case CellFinished(cell=key, measured_s=seconds) if key == cell:
                end_s = begin_s + seconds
                return [one for one in shop.log if begin_s <= one.arrived_s < end_s]
    pytest.fail(f"{cell} has no results")


def test_results_goals_and_recommendation_are_those_of_the_request_that_counts(
    tmp_path: Path, shop: ShopServer
) -> None:
    bench = bench_with(tmp_path, shop, USERS, GOALS)

    run = bench.call("run", "shop", "--plain", "--set", f"load.main={PREDICT}", within_s=120)

    assert run.returncode == 0, run.stderr
    state = bench.state("shop")
    for row in rows(state):
        log = [one for one in window_log(bench, shop, row.cell) if one.name == PREDICT]
        expected = to_buckets({one.latency_ms: 1 for one in log})
        # The phase is recorded shortly before the window opens.
        assert row.requests is not None
        assert row.requests == pytest.approx(len(log), abs=0.02 * len(log) + 2)
        for column, fraction in (("p50_ms", 0.5), ("p90_ms", 0.9), ("p95_ms", 0.95)):
            logged = percentile(expected, fraction)
            assert logged is not None
            # Both processes and the tests share two cores, so the client may be late.
            assert logged - 5 <= getattr(row, column) <= 1.1 * logged + 20
        assert row.bottleneck is not None
        # On a busy machine, Locust may be the bottleneck.
        assert row.bottleneck.kind in ("model", "client")
        assert "mixed" not in row.reasons
        assert [check.goal.key for check in row.checks] == [
            "p95_ms",
            "requests.POST /predict.p50",
            "requests.GET /.p95",
        ]
        assert [check.samples for check in row.checks[:2]] == [row.requests, row.requests]
        assert row.checks[2].samples > row.requests / 2
        assert row.goal_missed == "requests.POST /predict.p50"
    found = recommendation_of(state)
    assert found is not None
    text = " ".join(sentences(found))
    assert "POST /predict p50 " in text
    assert "(goal 200 ms)" in text


def test_without_main_requests_different_medians_are_marked(
    tmp_path: Path, shop: ShopServer
) -> None:
    bench = bench_with(tmp_path, shop, USERS)

    run = bench.call("run", "shop", "--plain", "--set", "run_time=4s", "--set", "users=16")

    assert 'set load.main: "POST /predict"' in run.stdout
    [cell] = bench.state("shop").cells.values()
    assert cell.finished is not None
    assert "mixed_requests" in [finding.rule for finding in cell.finished.findings]
    log = window_log(bench, shop, cell.cell.key)
    for name in (HOME, PREDICT):
        [requests] = [one for one in cell.finished.requests if name == f"{one.method} {one.name}"]
        logged = sum(one.name == name for one in log)
        assert count(requests.successes) == pytest.approx(logged, abs=0.05 * logged + 3)


def test_a_login_beside_another_protocol_loses_nothing_and_is_marked(
    tmp_path: Path, shop: ShopServer
) -> None:
    bench = bench_with(tmp_path, shop, TWO_PROTOCOLS)
    once = ("--set", "run_time=4s", "--set", "users=4")

    bench.call("run", "shop", "--plain", *once)
    [mixed] = bench.state("shop").cells.values()
    bench.call("run", "shop", "--plain", *once, "--set", "load.measurements=grpc")
    [measured] = bench.state("shop").cells.values()
    bench.call("run", "shop", "--plain", *once, "--set", "load.main=grpc Predict")
    [of_main] = bench.state("shop").cells.values()

    assert mixed.finished
    assert measured.finished
    assert of_main.finished
    by_name = {one.name: one for one in mixed.finished.requests}
    assert set(by_name) == {"/login", "Predict"}
    assert by_name["Predict"].custom_events == num_requests([by_name["Predict"]])
    logged = len(window_log(bench, shop, of_main.cell.key))
    login = next(one for one in of_main.finished.requests if one.name == "/login")
    assert num_requests([login]) == pytest.approx(logged, abs=0.05 * logged + 3)
    [text] = [one.text for one in mixed.finished.findings if one.rule == "mixed_events"]
    assert 'set load.measurements: ["grpc Predict"]' in text
    assert 'set load.main: "grpc Predict"' in text
    for cell in (measured.finished, of_main.finished):
        assert "mixed_events" not in [finding.rule for finding in cell.findings]
    assert [one.name for one in measured.finished.requests] == ["/login"]
    [values] = measured.finished.measurements
    assert (values.kind, values.name, values.failures) == ("grpc", "Predict", 0)
    assert values.values == ((20.0, count(values.values)),)
    page = (bench.folder("shop") / of_main.cell.report_name).read_text(encoding="utf-8")
    assert "Predict" in page
