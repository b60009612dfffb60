"""Parsing the output of `docker inspect`."""

from typing import Any

import pytest

from loadbench.engine.drivers.docker.cgroups import Usage
from loadbench.engine.drivers.docker.inspect import (
    Port,
    parse_container,
    recorded_container,
    with_shared_networks,
)

PROJECT = "loadbench-12345678"


def inspected(**changes: Any) -> dict[str, Any]:
    """Output of `docker inspect`, limited to the fields that are read."""
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


def test_a_container_has_a_short_name() -> None:
    assert parse_container(inspected(), PROJECT).name == "model-2"
    assert parse_container(inspected(Name="/the-app"), PROJECT).name == "the-app"


def test_a_running_container_is_parsed() -> None:
    info = parse_container(inspected(), PROJECT)

    assert (info.is_running, info.has_exited, info.health, info.pid) == (True, False, None, 4711)
    assert (info.image, info.memory_limit_bytes, info.service) == ("sha256:abc", 1000, "model")


@pytest.mark.parametrize("status", ["exited", "dead", "restarting"])
def test_an_exited_container_is_not_running(status: str) -> None:
    info = parse_container(
        inspected(state={"Status": status, "ExitCode": 137, "OOMKilled": True}), PROJECT
    )

    assert (info.is_running, info.has_exited) == (False, True)
    assert (info.exit_code, info.oom_killed) == (137, True)


def test_an_oom_event_counts_like_the_oom_killed_flag() -> None:
    assert parse_container(inspected(), PROJECT, {"f" * 64}).oom_killed
    assert not parse_container(inspected(), PROJECT, {"e" * 64}).oom_killed


@pytest.mark.parametrize(
    ("health", "status", "output"),
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
def test_a_failing_health_check_has_its_output(
    health: dict[str, Any], status: str | None, output: tuple[str, ...]
) -> None:
    info = parse_container(inspected(state={"Health": health}), PROJECT)
    assert (info.health, info.last_output) == (status, output)


def test_only_tcp_ports_are_parsed() -> None:
    ports = {
        "80/tcp": [
            {"HostIp": "127.0.0.1", "HostPort": "32768"},
            {"HostIp": "::1", "HostPort": "32768"},
        ],
        "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "53"}],
        "9000/tcp": None,
    }
    info = parse_container(inspected(NetworkSettings={"Ports": ports}), PROJECT)
    assert info.ports == (
        Port(target=80, address="127.0.0.1", published=32768),
        Port(target=80, address="::1", published=32768),
    )


def test_a_number_that_a_journal_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="restarts"):
        parse_container(inspected(RestartCount=10**30), PROJECT)


RUNTIME = 'OCI runtime exec failed: exec failed: {}exec: "curl": executable file not found in $PATH'


@pytest.mark.parametrize(
    ("code", "output", "command"),
    [
        (-1, RUNTIME.format("unable to start container process: ") + ": unknown", "curl"),
        (
            126,
            RUNTIME.format("container_linux.go:380: starting container process caused: "),
            "curl",
        ),
        (-1, 'exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown', "/bin/sh"),
        (127, "/bin/sh: 1: curl: not found\n", "curl"),
        (1, "/bin/sh: 1: wget: not found\n", "wget"),
        (127, "/bin/bash: line 1: pg_isready: command not found\n", "pg_isready"),
        (127, "/bin/sh: curl: not found", "curl"),
        (127, "/usr/local/bin/check: line 3: redis-cli: command not found", "redis-cli"),
        (127, "timeout: failed to run command 'curl': No such file or directory", "curl"),
        (127, "env: ‘wget’: No such file or directory", "wget"),
        (1, "/bin/sh: 1: curl: not found\n/bin/sh: 1: wget: not found\n", "curl"),
        # The second command is there, but the service does not respond yet.
        (1, "/bin/sh: 1: curl: not found\nwget: can't connect to remote host\n", ""),
        (0, "/bin/sh: 1: curl: not found\n", ""),
        (1, "404 page: not found\n", ""),
        (1, "", ""),
        (22, "curl: (22) The requested URL returned error: 503", ""),
    ],
)
def test_a_command_that_the_image_of_a_health_check_lacks_is_found(
    code: int, output: str, command: str
) -> None:
    log = [{"ExitCode": 0, "Output": "old"}, *2 * [{"ExitCode": code, "Output": output}]]
    health = {"Status": "starting", "FailingStreak": 2, "Log": log}

    def missing(**changes: object) -> str:
        state = {"Health": {**health, **changes}}
        return parse_container(inspected(state=state), PROJECT).missing_command

    assert missing() == command
    # A container may install the command when it starts.
    assert missing(FailingStreak=1) == ""
    assert missing(Log=[{"ExitCode": 1, "Output": "connection refused"}, log[-1]]) == ""
    assert missing(Status="healthy") == ""


def with_network(identity: str, mode: str) -> dict[str, Any]:
    return inspected(Id=identity, HostConfig={"Memory": 0, "NetworkMode": mode})


@pytest.mark.parametrize(
    ("modes", "shared"),
    [
        (["project_default", "project_default"], [False, False]),
        (["host", "project_default"], [True, False]),
        (["project_default", "container:a"], [True, True]),
        (["container:other", "none"], [True, False]),
    ],
)
def test_containers_that_share_a_network_have_no_received_bytes(
    modes: list[str], shared: list[bool]
) -> None:
    parsed = [
        parse_container(with_network(identity, mode), PROJECT)
        for identity, mode in zip("ab", modes, strict=True)
    ]

    found = with_shared_networks(parsed)

    assert [info.shares_network for info in found] == shared
    usage = Usage(0.1, 1, received_bytes=4711)
    recorded = [recorded_container(info, usage, None).received_bytes for info in found]
    assert recorded == [None if one else 4711 for one in shared]
