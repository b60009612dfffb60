"""The CPU, read from fake `/proc` and `/sys` trees."""

import platform
import subprocess
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from loadbench.engine.hardware.cpu import (
    cpu_model,
    max_frequency_mhz,
    physical_cores,
    socket_count,
    thread_count,
)

X86 = """\
processor\t: {0}
vendor_id\t: GenuineIntel
model\t\t: 143
model name\t: Intel(R) Xeon(R) Gold 6430
physical id\t: {1}

"""
ARM = """\
processor\t: {0}
BogoMIPS\t: 50.00
CPU implementer\t: 0x41
CPU part\t: {1}

"""


def write_cpuinfo(root: Path, text: str) -> Path:
    (root / "proc").mkdir()
    (root / "proc" / "cpuinfo").write_text(text)
    return root


def write_packages(root: Path, *packages: object) -> None:
    """Write the topology of a CPU for each number of a package."""
    for i, package in enumerate(packages):
        folder = root / "sys/devices/system/cpu" / f"cpu{i}" / "topology"
        folder.mkdir(parents=True)
        (folder / "physical_package_id").write_text(f"{package}\n")


@pytest.mark.parametrize(
    ("cpuinfo", "model"),
    [
        (X86.format(0, 0), "Intel(R) Xeon(R) Gold 6430"),
        (ARM.format(0, "0xd0c"), "Neoverse-N1"),
        (ARM.format(0, "0xd05") + ARM.format(1, "0xd0b"), "Cortex-A55 + Cortex-A76"),
        (
            ARM.format(0, "0xd08") + "Hardware\t: BCM2835\nModel\t\t: Raspberry Pi 4 Model B\n",
            "Raspberry Pi 4 Model B, Cortex-A72",
        ),
        (ARM.format(0, "0xfff") + "Hardware\t: BCM2711\n", "BCM2711"),
        (ARM.format(0, "0xfff"), "ARM implementer 0x41 part 0xfff"),
        ("CPU implementer : 0x61\n", "ARM implementer 0x61"),
        (
            "model name: ARMv7 Processor rev 3 (v7l)\n" + ARM.format(0, "0xfff"),
            "ARMv7 Processor rev 3 (v7l)",
        ),
        ("processor : 0\ncpu : POWER9, altivec supported\n", "POWER9, altivec supported"),
        ("processor : 0\nhart : 1\nuarch : sifive,u74-mc\n", "sifive,u74-mc"),
        ("model name : \nmodel name : AMD\x1b[2J EPYC\n", "AMD [2J EPYC"),
    ],
)
def test_the_model_is_found_on_every_architecture(tmp_path: Path, cpuinfo: str, model: str) -> None:
    assert cpu_model(write_cpuinfo(tmp_path, cpuinfo)) == model


@pytest.mark.parametrize("cpuinfo", ["", ":::\n\n:\n", "vendor_id: x\n", "model name\n"])
def test_the_architecture_replaces_an_unknown_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cpuinfo: str
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "s390x")
    assert cpu_model(write_cpuinfo(tmp_path, cpuinfo)) == "s390x"
    monkeypatch.setattr(platform, "machine", lambda: "")
    assert cpu_model(tmp_path / "missing") == "unknown"


def test_macos_reports_the_model_through_sysctl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    result = SimpleNamespace(stdout=b"Apple M3 Pro\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: result)
    assert cpu_model(tmp_path) == "Apple M3 Pro"

    for error in (FileNotFoundError(), subprocess.TimeoutExpired("sysctl", 2)):

        def fail(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(subprocess, "run", fail)
        assert cpu_model(tmp_path) == "arm"


def test_sockets_are_counted_by_package(tmp_path: Path) -> None:
    write_cpuinfo(tmp_path, X86.format(0, 0))
    write_packages(tmp_path, 0, 0, 1, 1)
    (tmp_path / "sys/devices/system/cpu/cpufreq").mkdir()
    (tmp_path / "sys/devices/system/cpu/cpu4").mkdir()  # offline
    assert socket_count(tmp_path) == 2


def test_sockets_are_read_from_cpuinfo_without_sysfs(tmp_path: Path) -> None:
    write_cpuinfo(tmp_path, "".join(X86.format(i, i % 2) for i in range(8)))
    assert socket_count(tmp_path) == 2


def test_unknown_sockets_are_omitted(tmp_path: Path) -> None:
    assert socket_count(tmp_path) is None
    write_packages(tmp_path, -1, -1)
    assert socket_count(tmp_path) is None


def test_malformed_packages_are_ignored(tmp_path: Path) -> None:
    write_packages(tmp_path, "", "x", 0)
    assert socket_count(tmp_path) == 1


def test_clusters_of_arm_cores_are_not_sockets(tmp_path: Path) -> None:
    write_cpuinfo(tmp_path, ARM.format(0, "0xd0c"))
    write_packages(tmp_path, 0, 1)
    assert socket_count(tmp_path) is None

    tables = tmp_path / "sys/firmware/acpi/tables"
    tables.mkdir(parents=True)
    (tables / "PPTT").touch()
    assert socket_count(tmp_path) == 2


def test_the_frequency_is_that_of_the_fastest_core(tmp_path: Path) -> None:
    for i, khz in enumerate(("1800000", "2400000", "x", "")):
        folder = tmp_path / f"sys/devices/system/cpu/cpufreq/policy{i}"
        folder.mkdir(parents=True)
        (folder / "cpuinfo_max_freq").write_text(khz)
    assert max_frequency_mhz(tmp_path) == 2400


@pytest.mark.parametrize(
    ("current", "maximum", "mhz"),
    [(2596.116, 0.0, 2596), (1200.0, 3504.0, 3504), (0.0, 0.0, None), (None, None, None)],
)
def test_the_current_frequency_replaces_an_unknown_maximum(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    current: float | None,
    maximum: float | None,
    mhz: int | None,
) -> None:
    frequency = SimpleNamespace(current=current, max=maximum)
    monkeypatch.setattr(psutil, "cpu_freq", lambda: frequency)
    assert max_frequency_mhz(tmp_path) == mhz


def test_values_that_psutil_lacks_are_omitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(psutil, "cpu_freq", lambda: None)
    assert max_frequency_mhz(tmp_path) is None
    monkeypatch.setattr(psutil, "cpu_freq", fail)
    monkeypatch.setattr(psutil, "cpu_count", fail)
    assert max_frequency_mhz(tmp_path) is None
    assert (physical_cores(), thread_count()) == (None, None)
    monkeypatch.setattr(psutil, "cpu_count", lambda **_: None)
    assert (physical_cores(), thread_count()) == (None, None)
