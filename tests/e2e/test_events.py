"""Runs of locustfiles whose events have unusual values, names and failures."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadbench.engine.journal.events import CellFinished
from loadbench.engine.measure.buckets import num_requests
from tests.support.harness import Bench
from tests.support.hostile_server import HostileServer

PROFILE = """
models: [1]
users: [2]
spawn_rates: [10]
run_time: 4s
settle: {{max: 0s}}
host: {host}
stack: {{driver: external, health: /ok}}
load: {{locustfile: users.py}}
"""
HOSTILE = r"""
import time
from decimal import Decimal
from locust import FastHttpUser, constant, events, task

class Unprintable:
    def __str__(self): raise RuntimeError("no text")
    def __bool__(self): raise RuntimeError("neither true nor false")

VALUES = (
    {"response_time": None, "name": "pushed"},
    {"response_time": float("nan"), "name": "ratio"},
    {"response_time": float("inf")},
    {"response_time": -5},
    {"response_time": "5"},
    {"response_time": 10**400},
    {"response_time": Decimal("2.5"), "name": "decimal"},
    {"name": None},
    {"name": b"bytes"},
    {"name": ["a", "list"]},
    {"name": Unprintable()},
    {"name": "\ud83d half"},
    {"name": "two\nlines"},
    {"name": "n" * 300},
    {"name": "<script>alert(1)</script>"},
    {"request_type": {}},
    {"response_length": None},
    {"response_length": float("nan")},
    {"response_length": "5"},
    {"start_time": time.monotonic(), "name": "monotonic"},
    {"start_time": time.time() * 1000},
    {"exception": ""},
    {"exception": 0},
    {"exception": Unprintable()},
    {"url": 5, "response": Unprintable(), "context": None},
)
USUAL = dict(request_type="X", name="usual", response_time=5.0, response_length=0, exception=None,
             context={})

class Person(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def ask(self):
        self.client.get("/ok")
        for value in VALUES:
            events.request.fire(**{**USUAL, **value})
"""
LOGIN = """
from locust import FastHttpUser, constant, task

class Person(FastHttpUser):
    wait_time = constant(0.01)

    def on_start(self):
        with self.client.post("/ok", name="/login", catch_response=True) as response:
            response.failure("401 Unauthorized")

    @task
    def ask(self):
        self.client.get("/ok")
"""
OF_THE_MACHINE = {"neighbours", "client_bound", "client_stalled", "stalls", "stolen", "swap"}
"""Rules that a busy machine may violate."""


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as made:
        yield made


@pytest.fixture
def bench(tmp_path: Path, server: HostileServer) -> Iterator[Bench]:
    made = Bench.make(tmp_path, PROFILE.format(host=server.host))
    yield made
    made.close()


def run(bench: Bench, locustfile: str) -> tuple[CellFinished, str]:
    """Run a locustfile. Return the results of its cell and the output."""
    (bench.root / "users.py").write_text(locustfile, encoding="utf-8")
    result = bench.call("run", "fast", "--plain", within_s=60)
    [cell] = bench.state().cells.values()
    assert cell.finished is not None, result.stdout + result.stderr
    return cell.finished, result.stdout


def test_hostile_events_are_counted_and_end_no_run(bench: Bench) -> None:
    finished, output = run(bench, HOSTILE)

    rules = {finding.rule for finding in finished.findings}
    assert rules <= {*OF_THE_MACHINE, "mixed_events"}
    assert not finished.errors
    names = Counter[str]()
    for one in finished.requests:
        names[one.name] += num_requests([one])
    # Users may be stopped within a task.
    assert 11.9 < names["usual"] / names["/ok"] < 13.1
    assert {"pushed", "ratio", "decimal", "None", "b'bytes'", "two lines", "n" * 300} <= set(names)
    noted = {(note.kind, note.name) for note in finished.notes}
    assert noted >= {
        ("response_time", "ratio"),
        ("response_time", "usual"),
        ("start_time", "monotonic"),
        ("start_time", "usual"),
    }
    assert ("response_time", "pushed") not in noted
    assert "m1_u2_s10 note: start_time of " in output
    page = (bench.folder() / "1_2_10.html").read_text(encoding="utf-8")
    assert f"{names['pushed']}" in page
    [cell] = json.loads((bench.folder() / "summary.json").read_text(encoding="utf-8"))["cells"]
    assert {note["kind"] for note in cell["notes"]} == {"response_time", "start_time"}


def test_a_login_that_fails_before_the_window_is_in_the_verdict(bench: Bench) -> None:
    finished, output = run(bench, LOGIN)

    [failed] = finished.early_failures
    assert (failed.method, failed.name) == ("POST", "/login")
    assert (failed.successes, failed.failures, failed.is_in_window) == (0, 2, False)
    text = "2 of 2 requests POST /login failed before the measurement window: 401 Unauthorized"
    assert "setup_failures" in {finding.rule for finding in finished.findings}
    assert text in output
