"""Model, sockets, cores and frequency of the CPU."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import psutil

from loadbench.engine.hardware.readings import MAX_ENTRIES, optional, read_file, read_int
from loadbench.engine.hardware.values import clean_text, positive_int

_ARM_FIELD = "cpu implementer"
"""Field of `/proc/cpuinfo` that only ARM has."""

_MODEL_FIELDS = ("model name", "cpu model", "cpu", "uarch")
"""Fields of `/proc/cpuinfo` with the CPU model: x86, MIPS, POWER, RISC-V."""

_ARM_CORES = {
    ("0x41", "0xd03"): "Cortex-A53",
    ("0x41", "0xd05"): "Cortex-A55",
    ("0x41", "0xd07"): "Cortex-A57",
    ("0x41", "0xd08"): "Cortex-A72",
    ("0x41", "0xd0b"): "Cortex-A76",
    ("0x41", "0xd0c"): "Neoverse-N1",
    ("0x41", "0xd40"): "Neoverse-V1",
    ("0x41", "0xd41"): "Cortex-A78",
    ("0x41", "0xd42"): "Cortex-A78AE",
    ("0x41", "0xd49"): "Neoverse-N2",
    ("0x41", "0xd4f"): "Neoverse-V2",
    ("0x46", "0x001"): "A64FX",
    ("0x48", "0xd01"): "Kunpeng-920",
    ("0xc0", "0xac3"): "Ampere-1",
    ("0xc0", "0xac4"): "Ampere-1a",
}
"""Common 64-bit ARM cores by implementer and part. Source: the tables of util-linux's `lscpu`."""

_SYSCTL_TIMEOUT_S = 2.0


def usable_cores() -> int:
    """Return the number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_model(root: Path = Path("/")) -> str:
    """Return the model of the CPU, or the architecture if the system does not report a model.

    Args:
        root: Folder with `proc`.
    """
    fields = _cpuinfo(root)
    named = (clean_text(value) for name in _MODEL_FIELDS for value in fields.get(name, ()))
    return _arm_model(fields) or next(filter(None, named), None) or _platform_model()


def socket_count(root: Path = Path("/")) -> int | None:
    """Return the number of CPU sockets. None if unknown.

    Args:
        root: Folder with `proc` and `sys`.
    """
    fields = _cpuinfo(root)
    folders = (root / "sys/devices/system/cpu").glob("cpu[0-9]*")
    numbers = [
        read_int(folder / "topology/physical_package_id") for folder in islice(folders, MAX_ENTRIES)
    ]
    ids = {str(number) for number in numbers if number is not None}
    ids = ids or set(fields.get("physical id", ()))
    if "-1" in ids:
        return None
    is_arm = _ARM_FIELD in fields
    if is_arm and len(ids) > 1 and not (root / "sys/firmware/acpi/tables/PPTT").exists():
        # Without this table, Linux before 6.0 reports clusters of cores as packages.
        return None
    return len(ids) or None


def physical_cores() -> int | None:
    """Return the number of physical cores of the machine. None if unknown."""
    return positive_int(optional(lambda: psutil.cpu_count(logical=False)))


def thread_count() -> int | None:
    """Return the number of logical CPUs of the machine. None if unknown."""
    return positive_int(optional(psutil.cpu_count))


def max_frequency_mhz(root: Path = Path("/")) -> int | None:
    """Return the maximum frequency of the fastest core, or the current one if that is unknown.

    Args:
        root: Folder with `sys`.
    """
    # Not through psutil, which also reads the current frequency of each core. Before Linux 5.18,
    # that takes 10 ms for each core.
    policies = (root / "sys/devices/system/cpu/cpufreq").glob("policy[0-9]*")
    limits = [
        read_int(policy / "cpuinfo_max_freq") or 0 for policy in islice(policies, MAX_ENTRIES)
    ]
    if maximum := positive_int(max(limits, default=0) / 1000):
        return maximum
    current = optional(psutil.cpu_freq)
    return positive_int(current.max) or positive_int(current.current) if current else None


def _cpuinfo(root: Path) -> dict[str, list[str]]:
    """Return the distinct values of each field of `/proc/cpuinfo`, by name in lower case."""
    fields: dict[str, dict[str, None]] = {}
    for line in read_file(root / "proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if value.strip():
            fields.setdefault(name.strip().lower(), {})[value.strip()] = None
    return {name: list(values) for name, values in fields.items()}


def _arm_model(fields: Mapping[str, Sequence[str]]) -> str | None:
    """Return board and cores of an ARM machine, such as `Raspberry Pi 4 Model B, Cortex-A72`.

    Returns None on other machines.
    """
    if _ARM_FIELD not in fields:
        return None
    implementer, parts = fields[_ARM_FIELD][0], fields.get("cpu part", ())
    names = [_ARM_CORES.get((implementer.lower(), part.lower())) for part in parts]
    board = [*fields.get("model", ()), *fields.get("hardware", ())][:1]
    cores = " + ".join(filter(None, names))
    if not cores and not board and "model name" not in fields:
        cores = " part ".join([f"ARM implementer {implementer}", *parts[:1]])
    return clean_text(", ".join(filter(None, (*board, cores))))


def _platform_model() -> str:
    if platform.system() == "Darwin":
        found = optional(_sysctl_model)
        if found:
            return found
    return clean_text(platform.processor()) or clean_text(platform.machine()) or "unknown"


def _sysctl_model() -> str | None:
    """Return the CPU model on macOS, for which neither psutil nor `platform` has it."""
    try:
        result = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_SYSCTL_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return None
    return clean_text(result.stdout.decode("utf-8", "replace"))
