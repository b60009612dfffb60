"""When the stack of the compose driver is ready, without an engine."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.drivers.compose.stack import ComposeStack
from loadbench.engine.drivers.docker.client import Docker, Endpoint
from loadbench.engine.drivers.docker.inspect import Port
from tests.support.compose_projects import make_deployment, make_files, running_container
from tests.support.hostile_server import OK, HostileServer

LOCAL = Endpoint("default", "unix:///nonexistent.sock")
IDLE = b'{"workers": [{"ready": false}, {"ready": false}]}'


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as made:
        yield made


def missing(
    server: HostileServer, folder: Path, *, health: str, check: str = "/health", **stack: Any
) -> str | None:
    """Return what is missing while a container with a health check runs."""
    files = make_files(app={"expose": ["80"]})
    deployment = make_deployment(files, stack={"health": check, **stack})
    made = ComposeStack(Docker(LOCAL), deployment, root=folder, folder=folder)
    port = Port(target=80, address="127.0.0.1", published=int(server.host.rpartition(":")[2]))
    made._monitor._containers = (
        running_container("app-1", health=health, ports=(port,), missing_command="curl"),
    )
    try:
        found = made.missing(1)
        fault = made.fault()
    finally:
        made.close()
    return f"fault: {fault}" if fault and not found else found


def test_a_container_that_is_not_healthy_is_not_ready(
    server: HostileServer, tmp_path: Path
) -> None:
    server.pages["/health"] = OK + b"\r\n" + IDLE

    assert missing(server, tmp_path, health="unhealthy") == "app-1 is unhealthy"


def test_counted_workers_replace_the_health_of_containers(
    server: HostileServer, tmp_path: Path
) -> None:
    server.pages["/health"] = OK + b"\r\n" + IDLE
    found = missing(server, tmp_path, health="unhealthy", count_workers=True)
    assert found is not None
    assert found.endswith("/health: 0 of 1 models ready")

    server.pages["/health"] = OK + b'\r\n{"workers": [{"ready": true}]}'
    found = missing(server, tmp_path, health="unhealthy", count_workers=True)
    # Only the engine is missing.
    assert found is not None
    assert "nonexistent.sock" in found


@pytest.mark.parametrize("check", ["tcp", "containers"])
def test_checks_without_a_response_do_not_replace_the_health_of_containers(
    server: HostileServer, tmp_path: Path, check: str
) -> None:
    found = missing(server, tmp_path, health="starting", check=check, count_workers=True)

    assert found == "app-1 is starting"
