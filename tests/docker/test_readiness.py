"""Services whose readiness is neither a plain HTTP request nor their own health check."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from loadbench.engine.measure.buckets import count
from tests.support.docker_harness import DockerBench

PROFILE = """
models: [1]
users: [4]
spawn_rates: [20]
run_time: 1s
settle: {max: 0s}
stack:
  driver: compose
  compose: [foreign/compose.yaml]
  service: app
  port: app:8000
  health: [/health, "tcp://localhost:9000"]
  headers: {Host: api.example.com}
  startup_timeout: 30s
load: {locustfile: foreign/user.py, timeout: 5s}
"""


@pytest.fixture
def picky(tmp_path: Path) -> Iterator[DockerBench]:
    """A workspace with a service that is hard to recognise as ready."""
    bench = DockerBench.make(tmp_path, PROFILE, "mine")
    shutil.copytree(Path(__file__).parent / "picky", bench.root / "foreign")
    yield bench
    bench.close()


def test_readiness_by_host_name_and_port_with_a_broken_health_check_overruled(
    picky: DockerBench,
) -> None:
    done = picky.call("run", "mine", "--set", "stack.healthcheck=off")

    assert done.returncode == 0, done.stderr
    state = picky.state("mine")
    [cell] = [one.finished for one in state.cells.values()]
    assert cell is not None
    # Both of Locust's clients sent the header, too.
    assert {request.name for request in cell.requests} == {"/fast", "/plain"}
    assert all(count(request.failures) == 0 for request in cell.requests)
    assert state.started is not None
    assert state.started.target is not None
    assert "containers without their health checks: app" in state.started.target.changes
    assert picky.left() == []


def test_a_health_check_whose_command_is_missing_is_named_at_once(picky: DockerBench) -> None:
    started = time.monotonic()

    done = picky.call("run", "mine")

    assert done.returncode == 3, done.stdout
    expected = (
        "app-1 cannot become healthy: its health check runs no-such-command, which its image does "
        "not have. Set stack.healthcheck: off"
    )
    assert picky.reason("m1_u4_s20", "mine").startswith(expected)
    assert time.monotonic() - started < 25
    assert picky.left() == []


def test_the_health_checks_of_the_containers_alone_are_sufficient(picky: DockerBench) -> None:
    file = picky.root / "foreign" / "compose.yaml"
    config = yaml.safe_load(file.read_text())
    config["services"]["app"]["healthcheck"]["test"] = ["CMD", "test", "-e", "/tmp/open"]
    del config["services"]["front"]
    file.write_text(yaml.safe_dump(config))

    done = picky.call("run", "mine", "--set", "stack.health=containers")

    assert done.returncode == 0, done.stderr
    [cell] = [one.finished for one in picky.state("mine").cells.values()]
    assert cell is not None
    assert sum(count(request.failures) for request in cell.requests) == 0
