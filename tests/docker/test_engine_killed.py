"""A Docker engine that is killed while a cell is measured."""

from collections.abc import Iterator

import pytest

from loadbench.engine.journal.events import Phase, Result
from loadbench.engine.journal.state import CellStatus
from tests.support.docker_harness import DockerBench
from tests.support.harness import gone, until
from tests.support.own_engine import OwnEngine, missing_reason

IMAGE = "python:3.11-slim-bookworm"


@pytest.fixture
def engine_of_its_own() -> Iterator[OwnEngine]:
    if reason := missing_reason():
        pytest.skip(reason)
    engine = OwnEngine()
    try:
        engine.copy_image(IMAGE)
        yield engine
    finally:
        engine.close()


def test_an_engine_killed_in_the_window_fails_the_cell_which_is_measured_once_it_is_back(
    foreign: DockerBench, engine_of_its_own: OwnEngine
) -> None:
    engine = engine_of_its_own
    foreign.fixed["DOCKER_HOST"] = engine.host
    overrides = ("--set", "models=1", "--set", "run_time=15s")
    shown = foreign.start("run", "theirs", *overrides, prefix=engine.prefix)
    foreign.when("m1_u2_s10", Phase.MEASURING, name="theirs")

    children = foreign.runner("theirs").children(recursive=True)
    engine.kill()
    _, output = shown.communicate(timeout=60)

    assert shown.returncode == 3, output
    expected = f"cannot connect to the Docker engine at {engine.host}: start it"
    assert foreign.reason("m1_u2_s10").startswith(expected)
    ended = foreign.state("theirs").finished
    assert ended is not None
    assert ended.result is Result.ABORTED
    assert ended.reason.startswith(expected)
    assert ended.left is not None
    assert "may still be running" in ended.left
    until(lambda: gone(children), within_s=8, what="no process left")

    engine.start()
    resume = ("run", "--resume", "theirs", "--retry-failed")
    resumed = foreign.start(*resume, prefix=engine.prefix)
    _, output = resumed.communicate(timeout=90)

    assert resumed.returncode == 0, output
    cell = foreign.state("theirs").cells["m1_u2_s10"]
    assert (cell.status, cell.attempt) == (CellStatus.FINISHED, 2)
    assert engine.docker("ps", "--all", "--quiet") == ""
