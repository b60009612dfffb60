"""How long each cell must last: what `plan` prints."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loadbench.cli.main import main
from loadbench.engine.journal.events import Requests
from loadbench.engine.profile.loading import load_profile
from tests.support.builders import (
    cell_finished,
    cell_started,
    run_started,
    write_journal,
)
from tests.support.harness import Bench

PROFILE = """
models: [1]
users: [2, 20]
spawn_rates: [10]
run_time: 30s
host: http://127.0.0.1:9
stack: {driver: external}
load: {locustfile: think.py, main: POST /predict}
goals: {p95_ms: 400}
"""
LOCUSTFILE = """
from locust import HttpUser, between, task
open("executed", "w")
class Shopper(HttpUser):
    wait_time = between(1, 3)
    @task(3)
    def predict(self): self.client.post("/predict")
    @task
    def index(self): self.client.get("/")
"""

Plan = Callable[..., Result]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench.make(tmp_path, PROFILE, "mine")
    (made.root / "think.py").write_text(LOCUSTFILE)
    return made


@pytest.fixture
def plan(bench: Bench) -> Plan:
    """Return a function that runs `plan mine` with options."""

    def call(*options: str) -> Result:
        arguments = ("--workspace", str(bench.root), "plan", "mine", *options)
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
        return result

    return call


def needs(result: Result) -> list[str]:
    """Return the columns run time and needs of all cells."""
    lines = [line for line in result.stdout.splitlines() if line.startswith("m1_u")]
    header = result.stdout.splitlines()[0]
    start, end = header.index("repeat") + len("repeat"), header.index("report")
    return [" ".join(line[start:end].split()) for line in lines]


def test_plan_shows_needed_times_from_think_time_and_users(plan: Plan, bench: Bench) -> None:
    result = plan()

    assert needs(result) == ["30 s ! 6 min 18 s", "30 s ! 38 s"]
    assert (
        "needs: up to 6 min 18 s per cell for p95 of POST /predict, estimated from the locustfile\n"
    ) in result.stdout
    assert result.stderr == (
        "Warning: run_time: 30s is too short for p95 of POST /predict with 2 users (and 1 more): "
        "6 min 20 s needed. Set run_time: auto, or run_time: 380s\n"
    )
    assert not (bench.root / "executed").exists()


def test_long_enough_cells_are_not_marked(plan: Plan) -> None:
    result = plan("--set", "run_time=380s")

    assert needs(result) == ["6 min 20 s 6 min 18 s", "6 min 20 s 38 s"]
    assert result.stderr == ""


def test_with_an_automatic_run_time_plan_shows_the_expected_length(plan: Plan) -> None:
    result = plan("--set", "run_time=auto")

    assert needs(result) == ["10 s to 10 min 5 min 20 s", "10 s to 10 min 32 s"]
    # Scaling 6 s, and for each cell: ramp, settling 15 s, window, overhead 1 s.
    assert "2 cells, about 6 min 31 s in total" in result.stdout
    assert result.stderr == ""


def test_a_maximum_that_is_too_short_is_named(plan: Plan) -> None:
    result = plan("--set", "run_time=auto", "--set", "max_run_time=1m")

    assert needs(result) == ["10 s to 1 min ! 6 min 18 s", "10 s to 1 min 32 s"]
    assert "max_run_time: 1m is too short" in result.stderr
    assert result.stderr.endswith("Set max_run_time: 380s\n")


def test_a_think_time_that_is_computed_is_unknown(plan: Plan, bench: Bench) -> None:
    text = LOCUSTFILE.replace("between(1, 3)", "between(1, HIGH)")
    (bench.root / "think.py").write_text(text)

    result = plan()

    assert needs(result) == ["30 s ?", "30 s ?"]
    assert (
        "needs: unknown: the think time of Shopper is unknown: the arguments of between are no "
        "numbers\n"
    ) in result.stdout


def test_rates_of_an_earlier_run_are_used(plan: Plan, bench: Bench) -> None:
    profile = load_profile(bench.root / "profiles" / "mine.yaml")
    requests = (Requests(method="POST", name="/predict", successes=((300.0, 30),)),)
    cell = "m1_u2_s10"
    write_journal(
        bench.reports / "mine" / "20261122-072100",
        run_started(profile),
        cell_started(cell),
        cell_finished(cell, measured_s=30.0, requests=requests),
    )

    result = plan()

    assert needs(result) == ["30 s ! 3 min 56 s", "30 s ≥ 24 s"]
    assert "for p95 of POST /predict, from run 20261122-072100\n" in result.stdout


def test_a_search_is_planned_with_its_budget(plan: Plan) -> None:
    lines = plan("--find-capacity", "--budget", "45s").stdout.splitlines()

    assert any(line.startswith("1 to 6 cells by search (grid: 2), about ") for line in lines)
    assert "The budget ends the search after 45 s." in lines


def test_profiles_and_validate_have_the_cells_of_a_search(bench: Bench) -> None:
    bench.save_profile(f"{PROFILE}search: {{strategy: bisection}}", "mine")

    def call(*names: str) -> str:
        return CliRunner().invoke(main, ["--workspace", str(bench.root), *names]).stdout

    assert "  1 to 6  " in call("profiles")
    assert call("validate") == "mine: valid, 1 to 6 cells by search (grid: 2)\n"
