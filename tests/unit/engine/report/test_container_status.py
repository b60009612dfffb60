"""The status of a container."""

from typing import Any

import pytest

from loadbench.engine.journal.events import Container
from loadbench.engine.report.container_status import (
    ContainerStatus,
    container_status,
    has_ended,
)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, ContainerStatus.RUNNING),
        ({"health": "healthy"}, ContainerStatus.HEALTHY),
        ({"health": "starting"}, ContainerStatus.STARTING),
        ({"health": "unhealthy"}, ContainerStatus.UNHEALTHY),
        ({"health": "unknown"}, ContainerStatus.RUNNING),
        ({"state": "restarting", "health": "starting"}, ContainerStatus.SUSPENDED),
        ({"state": "exited"}, ContainerStatus.EXITED),
        ({"state": "dead", "exit_code": 0}, ContainerStatus.EXITED),
        ({"state": "exited", "exit_code": -9}, ContainerStatus.KILLED),
        ({"state": "exited", "exit_code": 137, "oom_killed": True}, ContainerStatus.OUT_OF_MEMORY),
        ({"oom_killed": True}, ContainerStatus.RUNNING),
    ],
)
def test_the_status_follows_from_state_health_and_exit_code(
    fields: dict[str, Any], status: ContainerStatus
) -> None:
    one = Container(name="model-1", service="model", **{"state": "running", **fields})

    ended = {ContainerStatus.EXITED, ContainerStatus.KILLED, ContainerStatus.OUT_OF_MEMORY}
    assert container_status(one) is status
    assert has_ended(one) is (status in ended)
