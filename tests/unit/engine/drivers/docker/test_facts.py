"""Facts about a Docker engine and its machine."""

import platform
from typing import Any

import pytest

from loadbench.engine.drivers.docker import facts
from loadbench.engine.drivers.docker.client import Endpoint
from loadbench.engine.drivers.docker.facts import engine_facts, is_same_machine

LOCAL = Endpoint("default", "unix:///var/run/docker.sock")
REMOTE = Endpoint("default", "ssh://user@gpu-host")
INFO: dict[str, Any] = {
    "ServerVersion": "27.3.1",
    "ComposeVersion": "2.40",
    "Name": "here",
    "NCPU": 8,
    "MemTotal": 2**34,
    "OperatingSystem": "Ubuntu 24.04 LTS",
    "KernelVersion": "6.8.0",
    "Architecture": "x86_64",
    "Runtimes": {"runc": {}, "nvidia": {}},
}


@pytest.fixture(autouse=True)
def this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "node", lambda: "here")
    monkeypatch.setattr(platform, "release", lambda: "6.8.0")
    monkeypatch.setattr(facts, "memory_bytes", lambda: 2**34)


def test_facts_describe_the_engine_and_its_machine() -> None:
    assert engine_facts(INFO, LOCAL) == {
        "docker": "27.3.1",
        "compose": "2.40",
        "name": "here",
        "same_machine": True,
        "cores": 8,
        "memory_bytes": 2**34,
        "system": "Ubuntu 24.04 LTS",
        "kernel": "6.8.0",
        "architecture": "x86_64",
        "runtimes": ["nvidia", "runc"],
    }


@pytest.mark.parametrize(
    ("endpoint", "changes", "is_same"),
    [
        (LOCAL, {}, True),
        (REMOTE, {}, False),
        # Docker Desktop
        (LOCAL, {"KernelVersion": "6.10.14-linuxkit", "Name": "docker-desktop"}, False),
        # an SSH tunnel to a machine with the same kernel
        (LOCAL, {"Name": "there", "MemTotal": 2**35}, False),
        # loadbench in a container
        (LOCAL, {"Name": "there"}, True),
        (LOCAL, {"MemTotal": 2**33}, True),
        (LOCAL, {"KernelVersion": ""}, None),
        (LOCAL, {"KernelVersion": None}, None),
    ],
)
def test_an_engine_on_another_machine_is_recognised(
    endpoint: Endpoint, changes: dict[str, Any], is_same: bool | None
) -> None:
    assert is_same_machine({**INFO, **changes}, endpoint) is is_same


def test_malformed_values_are_omitted() -> None:
    found = engine_facts(
        {
            "ServerVersion": "27\x1b[2J",
            "Name": ["x"],
            "NCPU": "8",
            "MemTotal": -1,
            "OperatingSystem": "y" * 10_000,
            "KernelVersion": {},
            "Runtimes": "runc",
        },
        LOCAL,
    )

    assert (found["docker"], found["name"]) == ("27 [2J", None)
    assert (found["cores"], found["memory_bytes"], found["same_machine"]) == (None, None, None)
    assert len(found["system"]) < 200
    assert found["runtimes"] == []
    assert engine_facts({}, LOCAL) == {**dict.fromkeys(found), "runtimes": []}
