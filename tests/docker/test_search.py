"""A search over numbers of real containers, of which each adds a known capacity."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support import slots_server
from tests.support.docker_harness import DockerBench

SERVICE_MS, GOAL_MS, SLOTS = 50.0, 165.0, 2
PER_REPLICA = 6
"""Users of one replica within the goal: 6 / 2 × 50 = 150 ms. 7 take 175 ms."""
LEVELS = (2, 4, 6, 8, 10, 12, 14, 16)
PROFILE = f"""
models: [1, 2]
users: {list(LEVELS)}
spawn_rates: [100]
run_time: 2s
settle: {{max: 0s}}
stack: {{driver: compose, compose: [foreign/compose.yaml], service: app, health: /health,
  port: app:8000, balance: clients}}
load: {{locustfile: foreign/user.py, timeout: 5s}}
goals: {{p50_ms: {GOAL_MS}}}
"""
USER = """
from locust import FastHttpUser, constant, task

class Client(FastHttpUser):
    wait_time = constant(0)

    @task
    def work(self):
        self.client.get("/work")
"""
COMMAND = ["python", "-u", "/srv/server.py", "--host", "0.0.0.0", "--port", "8000"]


@pytest.fixture
def slots(tmp_path: Path) -> Iterator[DockerBench]:
    bench = DockerBench.make(tmp_path, PROFILE, "known")
    folder = bench.root / "foreign"
    folder.mkdir()
    (folder / "user.py").write_text(USER, encoding="utf-8")
    source = Path(slots_server.__file__).read_text(encoding="utf-8")
    (folder / "server.py").write_text(source, encoding="utf-8")
    app = {
        "image": "python:3.11-slim-bookworm",
        "command": [*COMMAND, "--slots", str(SLOTS), "--service-ms", str(SERVICE_MS)],
        "volumes": ["./server.py:/srv/server.py:ro"],
        "stop_signal": "SIGKILL",
    }
    text = yaml.safe_dump({"services": {"app": app}})
    (folder / "compose.yaml").write_text(text, encoding="utf-8")
    yield bench
    bench.close()


def test_a_search_finds_the_capacity_that_each_container_adds(slots: DockerBench) -> None:
    done = slots.call("run", "known", "--find-capacity", "--plain", within_s=300)

    assert done.returncode == 0, done.stderr
    state = slots.state("known")
    assert state.search_ended is not None
    for bracket in state.search_ended.brackets:
        assert bracket.passed is not None, bracket
        expected = LEVELS.index(PER_REPLICA * bracket.models)
        assert abs(LEVELS.index(int(bracket.passed)) - expected) <= 1, bracket
    assert len(state.cells) < len(LEVELS) * 2
    assert slots.left() == []
