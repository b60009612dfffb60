"""What is wrong with containers, in words."""

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

NEEDED = ("model", "api")


def seen(name: str = "model-1", **changes: Any) -> ContainerInfo:
    fields: dict[str, Any] = {
        "id": name * 8,
        "name": name,
        "service": name.rpartition("-")[0],
        "state": "running",
        "health": None,
        "exit_code": 0,
        "oom_killed": False,
        "restarts": 0,
        "started_at": "2026-11-26T14:00:00Z",
        "pid": 7,
        "image": "sha256:0",
        "memory_limit_bytes": 0,
        "ports": (),
        "run": "/run",
        "last_output": (),
    }
    return ContainerInfo(**{**fields, **changes})


def ended(name: str = "model-1", code: int = 1, **changes: Any) -> ContainerInfo:
    return seen(name, **{"state": "exited", "exit_code": code, "pid": 0, **changes})


@pytest.mark.parametrize(
    ("container", "broken"),
    [
        (seen(), False),
        (seen(health="starting"), False),
        (seen(health="unhealthy"), True),
        (seen(oom_killed=True), True),
        (seen(state="paused"), True),
        (seen(state="created"), True),
        (seen(state="restarting"), True),
        (ended(), True),
        (ended(code=0), True),
        (seen(restarts=1), True),
        (ended("api-1"), True),
        (ended("api-1", code=0), True),
        (ended("seed-1"), True),
        (ended("seed-1", code=0), False),
    ],
)
def test_what_is_broken_is_replaced_before_a_cell(container: ContainerInfo, broken: bool) -> None:
    assert is_broken(container, NEEDED) is broken


@pytest.mark.parametrize(
    ("container", "message"),
    [
        (seen(), None),
        (seen(health="unhealthy"), None),
        (seen(restarts=2, state="restarting", exit_code=1), None),
        (ended("seed-1", code=0), None),
        (ended("seed-1", code=2), "seed-1 never was ready: it ended with exit code 2"),
        (ended("api-1", code=3), "api-1 never was ready: it ended with exit code 3"),
        (ended(code=0), "model-1 never was ready: it ended with exit code 0"),
        (
            seen(restarts=3, state="restarting", exit_code=1),
            "model-1 is restarting in a loop (3 times, the last time with exit code 1)",
        ),
        (seen(restarts=5), "model-1 is restarting in a loop (5 times)"),
        (
            ended(code=137, oom_killed=True, memory_limit_bytes=64 * 2**20),
            (
                "model-1 never was ready: it was killed by the kernel (exit code 137), "
                "out of memory: its limit is 64 MB; raise it (stack.memory_mb), or lower batch_size"
            ),
        ),
    ],
)
def test_what_keeps_a_service_from_being_ready(container: ContainerInfo, message: str | None) -> None:
    fault = startup_fault([container], NEEDED, {container.id: MIN_LOOP_S + 1})
    assert (str(fault) if fault else None) == message


def test_what_waits_for_another_by_ending_is_given_its_time() -> None:
    waiting = seen(restarts=7, state="restarting", exit_code=1)
    assert startup_fault([waiting], NEEDED, {waiting.id: MIN_LOOP_S - 1}) is None
    assert startup_fault([waiting], NEEDED, {}) is None


@pytest.mark.parametrize(
    ("now", "message"),
    [
        (seen(), None),
        (seen(health="unhealthy"), None),
        (ended(code=0), "model-1 ended with exit code 0"),
        (ended(code=137), "model-1 was killed (exit code 137)"),
        (
            ended(code=137, oom_killed=True),
            (
                "model-1 was killed by the kernel (exit code 137), "
                "out of memory: this machine has no more"
            ),
        ),
        (seen(state="paused"), "model-1 is paused"),
        (
            seen(started_at="2026-11-26T15:00:00Z", restarts=1),
            "model-1 ended and was started again (1 time)",
        ),
        (
            seen(started_at="2026-11-26T15:00:00Z", restarts=2, oom_killed=True),
            (
                "model-1 ended and was started again (2 times), killed by the kernel, "
                "out of memory: this machine has no more"
            ),
        ),
        (
            seen(oom_killed=True, memory_limit_bytes=64 * 2**20),
            (
                "a process of model-1 was killed by the kernel, out of memory: its limit is 64 MB; "
                "raise it (stack.memory_mb), or lower batch_size"
            ),
        ),
        (None, "model-1 was removed by somebody else"),
        (seen(state="removing"), "model-1 was removed by somebody else"),
    ],
)
def test_what_happens_to_a_service_that_was_ready(
    now: ContainerInfo | None, message: str | None
) -> None:
    before = seen()

    fault = measuring_fault([now] if now else [], {before.id: before}, NEEDED)

    assert (str(fault) if fault else None) == message
    if fault:
        assert fault.container == "model-1"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (seen(oom_killed=True), True),
        (ended(code=137, oom_killed=True), False),
        (seen(), False),
        (seen("cron-1", oom_killed=True), False),
    ],
)
def test_a_running_container_with_a_killed_process_may_be_exiting(
    now: ContainerInfo, expected: bool
) -> None:
    before = seen()

    assert may_be_exiting([now], {before.id: before}) is expected
    assert not may_be_exiting([now], {before.id: seen(oom_killed=True)})


def test_what_came_later_and_ended_is_nothing_that_was_measured() -> None:
    before = seen()
    assert measuring_fault([before, ended("cron-1")], {before.id: before}, NEEDED) is None


def test_what_nobody_needs_may_have_done_its_work_and_may_not_fail() -> None:
    job = seen("seed-1")
    assert measuring_fault([ended("seed-1", code=0)], {job.id: job}, NEEDED) is None
    fault = measuring_fault([ended("seed-1", code=2)], {job.id: job}, NEEDED)
    assert str(fault) == "seed-1 ended with exit code 2"


def test_a_fault_carries_exit_code_and_last_words() -> None:
    fault = startup_fault([ended(code=3, last_output=("a", "b"))], NEEDED, {})
    assert fault is not None
    assert (fault.container, fault.exit_code, fault.log_lines) == ("model-1", 3, ("a", "b"))


def test_what_is_not_ready_is_counted_and_named() -> None:
    two = [seen("model-1"), seen("model-2")]
    assert not_ready(two, scaled="model", models=2) is None
    assert not_ready(two, scaled="model", models=3) == "2 of 3 model containers run"
    assert not_ready(two, scaled="model", models=1) == "2 of 1 model containers run"
    waiting = [*two, seen("api-1", state="created")]
    assert not_ready(waiting, scaled="model", models=2) == "api-1 is created"


def test_what_is_not_healthy_is_named_with_what_its_check_says() -> None:
    assert not_healthy([seen(), seen("api-1", health="healthy")]) is None
    assert not_healthy([seen(health="starting")]) == "model-1 is starting"
    failing = seen(health="unhealthy", last_output=("trying", "too cold"))
    assert not_healthy([failing]) == "model-1 is unhealthy (too cold)"
