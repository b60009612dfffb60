"""Tests with a real Docker engine. Where there is none they are skipped, but never in CI."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.docker_harness import DockerBench, EngineProxy, docker, why_no_engine


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Have an engine, or say why these tests cannot run."""
    if reason := why_no_engine():
        if os.environ.get("CI") == "true":
            pytest.fail(f"these tests need Docker: {reason}")
        pytest.skip(f"these tests need Docker: {reason}")


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[DockerBench]:
    """A workspace with our own stack."""
    bench = DockerBench.make(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[DockerBench]:
    """A workspace with somebody else's project, and a profile for it."""
    bench = DockerBench.make(tmp_path)
    shutil.copytree(Path(__file__).parent / "foreign", bench.root / "foreign")
    bench.save_theirs()
    yield bench
    bench.close()


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[EngineProxy]:
    """The real engine behind a socket that can be made to hang, or to go away."""
    between = EngineProxy(tmp_path / "engine.sock", docker("context", "inspect"))
    yield between
    between.close()
