"""Descriptions of container failures."""

from typing import Any

import pytest

from loadbench.engine.drivers.compose.faults import (
    MIN_LOOP_S,
    is_broken,
    may_be_exiting,
    measuring_fault,
    not_healthy,
    not_ready,
    startup_fault,
)
from loadbench.engine.drivers.docker.inspect import ContainerInfo
from tests.support.compose_projects import running_container

REQUIRED = ("model", "api")


def running(name: str = "model-1", **changes: Any) -> ContainerInfo:
    return running_container(name, **changes)


def exited(name: str = "model-1", code: int = 1, **changes: Any) -> ContainerInfo:
    return running(name, **{"state": "exited", "exit_code": code, "pid": 0, **changes})


@pytest.mark.parametrize(
    ("container", "broken"),
    [
        (running(), False),
        (running(health="starting"), False),
        (running(health="unhealthy"), True),
        (running(oom_killed=True), True),
        (running(state="paused"), True),
        (running(state="created"), True),
        (running(state="restarting"), True),
        (exited(), True),
        (exited(code=0), True),
        (running(restarts=1), True),
        (exited("api-1"), True),
        (exited("api-1", code=0), True),
        (exited("seed-1"), True),
        (exited("seed-1", code=0), False),
    ],
)
def test_broken_containers_are_recognised(container: ContainerInfo, broken: bool) -> None:
    assert is_broken(container, REQUIRED) is broken


@pytest.mark.parametrize(
    ("container", "message"),
    [
        (running(), None),
        (running(health="unhealthy"), None),
        (running(restarts=2, state="restarting", exit_code=1), None),
        (exited("seed-1", code=0), None),
        (exited("seed-1", code=2), "seed-1 did not become ready: it exited with code 2"),
        (exited("api-1", code=3), "api-1 did not become ready: it exited with code 3"),
        (exited(code=0), "model-1 did not become ready: it exited with code 0"),
        (
            running(restarts=3, state="restarting", exit_code=1),
            "model-1 is in a restart loop (restart count 3, last exit code 1)",
        ),
        (running(restarts=5), "model-1 is in a restart loop (restart count 5)"),
        (
            exited(code=137, oom_killed=True, memory_limit_bytes=64 * 2**20),
            (
                "model-1 did not become ready: it was killed by the kernel (exit code 137): "
                "out of memory (limit 64 MB); raise stack.memory_mb or lower batch_size"
            ),
        ),
    ],
)
def test_a_failure_during_startup_is_described(
    container: ContainerInfo, message: str | None
) -> None:
    fault = startup_fault([container], REQUIRED, {container.id: MIN_LOOP_S + 1})
    assert (str(fault) if fault else None) == message


def test_a_short_restart_loop_is_no_fault() -> None:
    waiting = running(restarts=7, state="restarting", exit_code=1)
    assert startup_fault([waiting], REQUIRED, {waiting.id: MIN_LOOP_S - 1}) is None
    assert startup_fault([waiting], REQUIRED, {}) is None


@pytest.mark.parametrize(
    ("now", "message"),
    [
        (running(), None),
        (running(health="unhealthy"), None),
        (exited(code=0), "model-1 exited with code 0"),
        (exited(code=137), "model-1 was killed (exit code 137)"),
        (
            exited(code=137, oom_killed=True),
            (
                "model-1 was killed by the kernel (exit code 137): "
                "out of memory (the machine has no memory left)"
            ),
        ),
        (running(state="paused"), "model-1 is paused"),
        (
            running(started_at="2026-11-26T15:00:00Z", restarts=1),
            "model-1 exited and was restarted (restart count 1)",
        ),
        (
            running(started_at="2026-11-26T15:00:00Z", restarts=2, oom_killed=True),
            (
                "model-1 exited and was restarted (restart count 2); the kernel killed it: "
                "out of memory (the machine has no memory left)"
            ),
        ),
        (
            running(oom_killed=True, memory_limit_bytes=64 * 2**20),
            (
                "the kernel killed a process in model-1: out of memory (limit 64 MB); "
                "raise stack.memory_mb or lower batch_size"
            ),
        ),
        (None, "model-1 was removed by another process"),
        (running(state="removing"), "model-1 was removed by another process"),
    ],
)
def test_a_failure_of_a_ready_service_is_described(
    now: ContainerInfo | None, message: str | None
) -> None:
    before = running()

    fault = measuring_fault([now] if now else [], {before.id: before}, REQUIRED)

    assert (str(fault) if fault else None) == message
    if fault:
        assert fault.container == "model-1"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (running(oom_killed=True), True),
        (exited(code=137, oom_killed=True), False),
        (running(), False),
        (running("cron-1", oom_killed=True), False),
    ],
)
def test_a_running_container_with_a_killed_process_may_be_exiting(
    now: ContainerInfo, expected: bool
) -> None:
    before = running()

    assert may_be_exiting([now], {before.id: before}) is expected
    assert not may_be_exiting([now], {before.id: running(oom_killed=True)})


def test_a_container_started_after_readiness_is_ignored() -> None:
    before = running()
    assert measuring_fault([before, exited("cron-1")], {before.id: before}, REQUIRED) is None


def test_an_optional_service_may_exit_only_with_code_0() -> None:
    job = running("seed-1")
    assert measuring_fault([exited("seed-1", code=0)], {job.id: job}, REQUIRED) is None
    fault = measuring_fault([exited("seed-1", code=2)], {job.id: job}, REQUIRED)
    assert str(fault) == "seed-1 exited with code 2"


def test_a_fault_has_the_exit_code_and_the_last_log_lines() -> None:
    fault = startup_fault([exited(code=3, last_output=("a", "b"))], REQUIRED, {})
    assert fault is not None
    assert (fault.container, fault.exit_code, fault.log_lines) == ("model-1", 3, ("a", "b"))


def test_containers_that_are_not_running_are_counted_or_named() -> None:
    two = [running("model-1"), running("model-2")]
    assert not_ready(two, scaled="model", models=2) is None
    assert not_ready(two, scaled="model", models=3) == "2 of 3 model containers running"
    assert not_ready(two, scaled="model", models=1) == "2 of 1 model containers running"
    waiting = [*two, running("api-1", state="created")]
    assert not_ready(waiting, scaled="model", models=2) == "api-1 is created"


def test_an_unhealthy_container_is_named_with_the_output_of_its_check() -> None:
    assert not_healthy([running(), running("api-1", health="healthy")]) is None
    assert not_healthy([running(health="starting")]) == "model-1 is starting"
    failing = running(health="unhealthy", last_output=("trying", "too cold"))
    assert not_healthy([failing]) == "model-1 is unhealthy (too cold)"


def test_a_health_check_whose_command_is_missing_fails_at_once() -> None:
    container = running(health="starting", missing_command="curl")

    fault = startup_fault([container], ["model"], {})

    assert fault is not None
    assert str(fault).startswith(
        "model-1 cannot become healthy: its health check runs curl, which its image does not have"
    )
    assert "stack.healthcheck: off" in str(fault)
