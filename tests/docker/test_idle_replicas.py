"""Replicas that get no work because of what is in front of them: real nginx, real containers."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadbench.engine.journal.events import CellFinished, Verdict
from loadbench.engine.measure.rules.registry import IDLE_REPLICA
from tests.support.docker_harness import DockerBench, docker

FRONTS = Path(__file__).parent / "fronts"
PROFILE = """
models: [2]
users: [12]
spawn_rates: [100]
run_time: 3s
settle: {max: 0s}
stack: {driver: compose, compose: [foreign/compose.yaml], service: app, health: /}
load: {locustfile: foreign/user.py, timeout: 5s}
"""
EACH = ("--set", "models=1,2")


@pytest.fixture(scope="module")
def nginx() -> Iterator[str]:
    """Name of an image with nginx."""
    name = f"lb-test-nginx:{uuid.uuid4().hex[:8]}"
    docker("build", "--quiet", "--tag", name, str(FRONTS))
    yield name
    docker("image", "rm", "--force", name)


@pytest.fixture
def fronted(tmp_path: Path, nginx: str) -> Iterator[DockerBench]:
    """A workspace with a service behind nginx."""
    bench = DockerBench.make(tmp_path, PROFILE, "mine")
    shutil.copytree(FRONTS, bench.root / "foreign")
    bench.fixed["NGINX"] = nginx
    yield bench
    bench.close()


def cells(bench: DockerBench, *arguments: str, front: str = "once") -> list[CellFinished]:
    """Perform a run with a configuration of nginx, and return its cells."""
    done = bench.call("run", "mine", *arguments, CONF=front)
    assert done.returncode == 0, done.stderr
    found = [cell.finished for cell in bench.state("mine").cells.values()]
    finished = [cell for cell in found if cell]
    assert len(finished) == len(found)
    return finished


def received(cell: CellFinished) -> dict[str, int | None]:
    """Return the bytes that each replica received in the measurement window."""
    assert cell.circumstances is not None
    uses = cell.circumstances.containers
    return {use.name: use.received_bytes for use in uses if use.service == "app"}


def idle_texts(cell: CellFinished) -> list[str]:
    return [finding.text for finding in cell.findings if finding.rule == IDLE_REPLICA]


def assert_only_one_works(cell: CellFinished, idle: str) -> None:
    """Check that the cell is invalid by received bytes, and that the finding names the replica."""
    [text] = idle_texts(cell)
    assert cell.verdict is Verdict.INVALID, received(cell)
    assert text.startswith(f"1 of 2 replicas idle: {idle} received ")
    assert "of a working replica's bytes (limit 5 %)" in text
    assert "bypass it with stack.port: app:PORT" in text


def test_a_front_that_resolves_its_upstream_once_leaves_the_added_replica_idle(
    fronted: DockerBench,
) -> None:
    one, two = cells(fronted, *EACH, front="once")

    assert idle_texts(one) == []
    assert_only_one_works(two, "app-2")
    report = fronted.call("report", fronted.folder("mine").name)
    advice = "Next: look at the front in between, because a replica got no work in cell m2_u12_s100"
    assert advice in report.stdout


def test_a_front_that_resolves_its_upstream_again_uses_both_replicas(
    fronted: DockerBench,
) -> None:
    for cell in cells(fronted, *EACH, front="each"):
        assert idle_texts(cell) == [], received(cell)
        assert cell.verdict is not Verdict.INVALID
        counts = [count or 0 for count in received(cell).values()]
        assert min(counts) > 0.3 * max(counts) > 0


def test_a_front_that_keeps_connections_to_one_replica_leaves_the_other_idle(
    fronted: DockerBench,
) -> None:
    [cell] = cells(fronted, front="kept")

    counts = {name: count or 0 for name, count in received(cell).items()}
    assert_only_one_works(cell, min(counts, key=lambda name: counts[name]))
