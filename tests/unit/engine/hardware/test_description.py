"""Recorded hardware as text, also from old and malformed journals."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.hardware.description import (
    docker_host_text,
    gpu_texts,
    hardware_facts,
    hardware_line,
)

GIB = 2**30
L4 = {"name": "NVIDIA L4", "vram_bytes": 24 * GIB, "driver": "550.54.15"}
SERVER: dict[str, Any] = {
    "cpu": "Intel(R) Xeon(R) Gold 6430",
    "sockets": 2,
    "physical_cores": 64,
    "threads": 128,
    "cores": 128,
    "max_frequency_mhz": 3400,
    "memory_bytes": 256 * GIB,
    "disk": {"model": "Samsung SSD 980", "kind": "nvme"},
    "gpus": [L4, L4],
    "system": "Linux 6.8.0",
    "machine": "x86_64",
    "engine": {
        "docker": "27.3.1",
        "name": "gpu-host",
        "same_machine": False,
        "system": "Ubuntu 24.04 LTS",
        "architecture": "x86_64",
        "cores": 32,
        "memory_bytes": 128 * GIB,
    },
}
OLD: dict[str, Any] = {
    "cpu": "AMD EPYC",
    "cores": 2,
    "memory_bytes": 25276510208,
    "system": "Linux 6.18.44",
    "machine": "x86_64",
    "engine": {"docker": "20.10.24", "cores": 2, "system": "Debian GNU/Linux 12"},
}


def test_facts_of_a_server() -> None:
    assert hardware_facts(SERVER) == [
        ("CPU", "Intel(R) Xeon(R) Gold 6430"),
        ("Cores", "2 sockets × 32 cores, 128 threads"),
        ("Frequency", "3.4 GHz"),
        ("Memory", "256.0 GiB"),
        ("Disk", "Samsung SSD 980 (NVMe)"),
        ("GPU", "2 × NVIDIA L4, 24.0 GiB VRAM, driver 550.54.15"),
        ("System", "Linux 6.8.0"),
        (
            "Docker host",
            "another machine (gpu-host), Ubuntu 24.04 LTS, x86_64, 32 cores, 128.0 GiB memory",
        ),
    ]


def test_line_of_a_server() -> None:
    assert hardware_line(SERVER) == (
        "Intel(R) Xeon(R) Gold 6430, 2 sockets × 32 cores, 128 threads, 3.4 GHz, "
        "256.0 GiB memory, disk Samsung SSD 980 (NVMe)"
    )


def test_facts_of_an_old_journal() -> None:
    assert hardware_facts(OLD) == [
        ("CPU", "AMD EPYC"),
        ("Cores", "2 cores"),
        ("Memory", "23.5 GiB"),
        ("System", "Linux 6.18.44"),
        ("Docker host", "Debian GNU/Linux 12, 2 cores"),
    ]
    assert hardware_line(OLD) == "AMD EPYC, 2 cores, 23.5 GiB memory"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"sockets": 1, "physical_cores": 1, "threads": 1}, "1 socket × 1 core, 1 thread"),
        ({"sockets": 2, "physical_cores": 9, "threads": 9}, "2 sockets, 9 cores, 9 threads"),
        ({"physical_cores": 8, "threads": 16, "cores": 4}, "8 cores, 16 threads, 4 usable"),
        ({"physical_cores": 8, "cores": 8}, "8 cores"),
        ({"threads": 8, "cores": 2}, "8 threads, 2 usable"),
        ({"cores": 1}, "1 core"),
    ],
)
def test_cores(values: dict[str, int], text: str) -> None:
    assert dict(hardware_facts(values)) == {"Cores": text}


@pytest.mark.parametrize(
    ("disk", "text"),
    [
        ({"kind": "virtio"}, "virtio"),
        ({"model": "ST4000", "kind": "hdd"}, "ST4000 (HDD)"),
        ({"model": "ST4000", "kind": "hdd", "count": 2}, "2 × ST4000 (HDD)"),
        ({"model": "A + B", "count": 2}, "2 disks: A + B"),
        ({"count": 2}, None),
        ("sda", None),
    ],
)
def test_disks(disk: object, text: str | None) -> None:
    assert dict(hardware_facts({"disk": disk})).get("Disk") == text


def test_gpus_with_unknown_values_are_shown() -> None:
    t4 = {"name": "Tesla T4", "vram_bytes": None}
    assert gpu_texts([L4, t4, L4, {}, "x", None]) == [
        "2 × NVIDIA L4, 24.0 GiB VRAM, driver 550.54.15",
        "Tesla T4",
        "NVIDIA GPU",
    ]


@pytest.mark.parametrize(
    ("engine", "text"),
    [
        ({"same_machine": True, "cores": 4}, "same machine"),
        ({"same_machine": False}, "another machine"),
        ({"same_machine": None, "cores": 1}, "1 core"),
        ({"docker": "99"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_docker_host(engine: object, text: str | None) -> None:
    assert docker_host_text(engine) == text


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(SERVER, ANY)))
def test_values_of_any_type_are_shown_without_control_characters(
    hardware: dict[str, object],
) -> None:
    texts = [hardware_line(hardware), *(text for _, text in hardware_facts(hardware))]
    assert all(text.isprintable() for text in texts)


@given(
    *(
        st.fixed_dictionaries({}, optional=dict.fromkeys(keys, ANY))
        for keys in (SERVER["disk"], L4, SERVER["engine"])
    )
)
def test_inner_values_of_any_type_are_shown_without_control_characters(
    disk: object, gpu: object, engine: object
) -> None:
    facts = hardware_facts({"disk": disk, "gpus": [gpu], "engine": engine})
    assert all(text.isprintable() for _, text in facts)
