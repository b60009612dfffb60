"""A container as `docker inspect` describes it."""

from typing import Any

import pytest

from loadbench.engine.drivers.docker.inspect import Port, describe

PROJECT = "loadbench-12345678"


def told(**changes: Any) -> dict[str, Any]:
    """What an engine tells, shortened to what is read of it."""
    labels = {
        "com.docker.compose.project": PROJECT,
        "com.docker.compose.service": "model",
        "com.docker.compose.container-number": "2",
    }
    state = {
        "Status": "running",
        "OOMKilled": False,
        "Pid": 4711,
        "ExitCode": 0,
        "StartedAt": "2026-11-26T14:15:57.5Z",
    }
    container = {
        "Id": "f" * 64,
        "Name": f"/{PROJECT}-model-2",
        "Image": "sha256:abc",
        "RestartCount": 0,
        "Config": {"Labels": labels},
        "HostConfig": {"Memory": 1000},
        "NetworkSettings": {"Ports": {}},
        "State": {**state, **changes.pop("state", {})},
    }
    return {**container, **changes}


def test_a_container_has_the_name_that_people_use() -> None:
    assert describe(told(), PROJECT).name == "model-2"
    assert describe(told(Name="/the-app"), PROJECT).name == "the-app"


def test_a_running_container_is_described() -> None:
    seen = describe(told(), PROJECT)

    assert (seen.running, seen.ended, seen.health, seen.pid) == (True, False, None, 4711)
    assert (seen.image, seen.memory_limit_bytes, seen.service) == ("sha256:abc", 1000, "model")


@pytest.mark.parametrize("status", ["exited", "dead", "restarting"])
def test_a_container_that_has_ended_does_not_run(status: str) -> None:
    seen = describe(told(state={"Status": status, "ExitCode": 137, "OOMKilled": True}), PROJECT)

    assert (seen.running, seen.ended, seen.exit_code, seen.oom_killed) == (False, True, 137, True)


def test_an_event_of_the_kernel_s_killing_counts_as_much_as_the_flag() -> None:
    assert describe(told(), PROJECT, {"f" * 64}).oom_killed
    assert not describe(told(), PROJECT, {"e" * 64}).oom_killed


@pytest.mark.parametrize(
    ("health", "status", "words"),
    [
        ({"Status": "none"}, None, ()),
        ({"Status": "starting", "Log": [{"Output": "x"}]}, "starting", ()),
        ({"Status": "healthy", "Log": [{"Output": "fine"}]}, "healthy", ()),
        (
            {"Status": "unhealthy", "Log": [{"Output": "old"}, {"Output": "too\ncold\n"}]},
            "unhealthy",
            ("too", "cold"),
        ),
        ({"Status": "unhealthy", "Log": None}, "unhealthy", ()),
    ],
)
def test_health_comes_with_what_a_failing_check_says(
    health: dict[str, Any], status: str | None, words: tuple[str, ...]
) -> None:
    seen = describe(told(state={"Health": health}), PROJECT)
    assert (seen.health, seen.last_output) == (status, words)


def test_published_ports_are_those_over_tcp() -> None:
    ports = {
        "80/tcp": [
            {"HostIp": "127.0.0.1", "HostPort": "32768"},
            {"HostIp": "::1", "HostPort": "32768"},
        ],
        "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "53"}],
        "9000/tcp": None,
    }
    seen = describe(told(NetworkSettings={"Ports": ports}), PROJECT)
    assert seen.ports == (
        Port(target=80, address="127.0.0.1", published=32768),
        Port(target=80, address="::1", published=32768),
    )
