"""Projects that plain Compose cannot scale, in real containers."""

import json
import shutil
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadbench.engine.report.target.replicas import replica_rows
from tests.support.docker_harness import DockerBench, docker
from tests.support.harness import until

PROFILE = """
models: [1, 2]
users: [4]
spawn_rates: [20]
run_time: 2s
settle: {max: 0s}
stack: {driver: compose, compose: [foreign/compose.yaml], service: app, health: /seen}
load: {locustfile: foreign/user.py, timeout: 5s}
"""
OWN = "lb-own-copy"


@pytest.fixture
def unbalanced(tmp_path: Path) -> Iterator[DockerBench]:
    """A workspace with a project that has fixed names and ports, and no front."""
    bench = DockerBench.make(tmp_path, PROFILE, "mine")
    shutil.copytree(Path(__file__).parent / "unbalanced", bench.root / "foreign")
    bench.fixed |= {name: str(free_port()) for name in ("PORT", "STORE_PORT")} | {"COPY": OWN}
    yield bench
    bench.close()
    for project in bench.projects:
        label = f"label=com.docker.compose.project={project}"
        if volumes := docker("volume", "ls", "--quiet", "--filter", label).split():
            docker("volume", "rm", *volumes)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def own_state(port: str) -> tuple[str, str, str]:
    """Return the container of the user's copy, its data and the requests that it received."""
    template = "{{.Id}} {{.State.StartedAt}} {{json .NetworkSettings.Ports}}"
    container = docker("inspect", "--format", template, f"{OWN}-app")
    data = docker("exec", f"{OWN}-app", "cat", "/data/seed")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/seen", timeout=5) as response:
        return container, data, response.read().decode()


def answers(port: str) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/seen", timeout=5).close()
    except OSError:
        return False
    return True


def test_a_service_without_a_front_is_scaled_beside_the_user_s_own_copy(
    unbalanced: DockerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in unbalanced.fixed.items():
        monkeypatch.setenv(name, value)
    port = unbalanced.fixed["PORT"]
    file = str(unbalanced.root / "foreign" / "compose.yaml")
    compose = ("compose", "-f", file, "-p", OWN, "--profile", "cpu")
    docker(*compose, "up", "--detach", "app", "store")
    try:
        until(lambda: answers(port))
        docker("exec", f"{OWN}-app", "sh", "-c", "echo seeded > /data/seed")
        before = own_state(port)

        plan = unbalanced.call("plan", "mine")
        done = unbalanced.call("run", "mine")

        assert own_state(port) == before
    finally:
        docker(*compose, "down", "--timeout", "1", "--volumes")
    assert done.returncode == 0, done.stderr
    assert "Requests to: port 8000 of app (the only port that it publishes)" in plan.stdout
    assert "Scaled: app; Locust assigns its users to the replicas in turn" in plan.stdout
    assert "Left out: locust (load generator); grafana (monitoring or admin tool)" in plan.stdout
    assert 'Warning: compose: The "UNSET" variable is not set' in plan.stderr
    state = unbalanced.state("mine")
    assert state.started is not None
    assert state.started.target is not None
    assert state.images.keys() == {"app", "store"}
    one, two = (cell.finished for cell in state.cells.values())
    assert one is not None
    assert two is not None
    assert [row.name for row in replica_rows(one)] == ["app-1"]
    assert one.replicas[0].host == one.host
    rows = replica_rows(two)
    assert [row.name for row in rows] == ["app-1", "app-2"]
    assert all(abs(row.share - 0.5) < 0.05 for row in rows)
    assert sum(row.failures for row in rows) == 0
    # Both classes of users reach both replicas.
    assert {request.name for request in two.requests} == {"/read", "/write"}
    summary = json.loads((unbalanced.folder("mine") / "summary.json").read_text())
    assert [len(cell["replicas"]) for cell in summary["cells"]] == [1, 2]
    assert summary["target"]["address"] == "port 8000 of app"
    assert unbalanced.left() == []


def test_missing_external_networks_and_volumes_are_named_with_their_commands(
    foreign: DockerBench,
) -> None:
    more = "networks: {default: {name: lb-missing-net, external: true}}\n"
    more += "volumes: {data: {name: lb-missing-data, external: true}}\n"
    (foreign.root / "foreign" / "more.yaml").write_text(
        more + "services: {app: {volumes: ['data:/data']}}\n"
    )
    files = ["foreign/compose.yaml", "foreign/more.yaml"]
    foreign.save_foreign_profile(stack={"compose": files})

    refused = foreign.call("plan", "theirs")

    assert refused.returncode == 3
    commands = "docker network create lb-missing-net && docker volume create lb-missing-data"
    assert f"To create them: {commands}" in refused.stderr


def test_the_env_file_of_a_project_sets_its_profiles_and_variables(foreign: DockerBench) -> None:
    (foreign.root / "foreign" / ".env").write_text("COMPOSE_PROFILES=web\nGREETING=from file\n")
    foreign.change_foreign_services(gateway={"profiles": ["web"], "image": "${IMAGE:-missing}"})

    valid = foreign.call("validate", "theirs")

    assert valid.returncode == 0, valid.stderr
    (foreign.root / "foreign" / ".env").write_text("COMPOSE_PROFILES=other\n")
    invalid = foreign.call("validate", "theirs")
    assert "stack.port: required, because app declares no port" in invalid.stderr
