"""Fixtures for tests with a real Docker engine. Without one, they are skipped, except in CI."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.docker_harness import DockerBench, EngineProxy, docker, missing_engine_reason


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Skip the tests without an engine; fail in CI."""
    if reason := missing_engine_reason():
        if os.environ.get("CI") == "true":
            pytest.fail(f"these tests require Docker: {reason}")
        pytest.skip(f"these tests require Docker: {reason}")


@pytest.fixture
def bundled(tmp_path: Path) -> Iterator[DockerBench]:
    """A workspace with the bundled stack."""
    bench = DockerBench.make(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[DockerBench]:
    """A workspace with a foreign Compose project and a profile for it."""
    bench = DockerBench.make(tmp_path)
    shutil.copytree(Path(__file__).parent / "foreign", bench.root / "foreign")
    bench.save_foreign_profile()
    yield bench
    bench.close()


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[EngineProxy]:
    """A proxy for the real engine that can hang or disconnect."""
    made = EngineProxy(tmp_path / "engine.sock", docker("context", "inspect"))
    yield made
    made.close()
