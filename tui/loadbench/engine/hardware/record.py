"""The hardware of this machine, as recorded with a run."""

import platform
from pathlib import Path
from typing import Any

import psutil

from loadbench.engine.disk import nearest_existing
from loadbench.engine.hardware.cpu import (
    cpu_model,
    max_frequency_mhz,
    physical_cores,
    socket_count,
    thread_count,
    usable_cores,
)
from loadbench.engine.hardware.disk import find_disk
from loadbench.engine.hardware.gpu import NVML_TIMEOUT_S, read_gpus
from loadbench.engine.hardware.readings import optional
from loadbench.engine.hardware.values import clean_text, positive_int


def hardware(
    folder: Path, *, root: Path = Path("/"), gpu_timeout_s: float = NVML_TIMEOUT_S
) -> dict[str, Any]:
    """Return the hardware of this machine.

    Args:
        folder: The folder of the reports, or one inside it. It may not exist yet.
        root: Folder with `proc`, `sys`, `dev` and `run`.
        gpu_timeout_s: Time limit in seconds for reading the GPUs.

    Returns:
        The fields of `hardware` in docs/journal.md, except `engine`. Unknown values are omitted.
    """
    values = {
        "cpu": optional(lambda: cpu_model(root)),
        "sockets": optional(lambda: socket_count(root)),
        "physical_cores": physical_cores(),
        "threads": thread_count(),
        "cores": usable_cores(),
        "max_frequency_mhz": optional(lambda: max_frequency_mhz(root)),
        "memory_bytes": memory_bytes(),
        "disk": optional(lambda: find_disk(nearest_existing(folder), root=root)),
        "gpus": read_gpus(timeout_s=gpu_timeout_s) or None,
        "system": clean_text(f"{platform.system()} {platform.release()}"),
        "machine": clean_text(platform.machine()),
    }
    return {name: value for name, value in values.items() if value is not None}


def memory_bytes() -> int | None:
    """Return the memory of this machine in bytes. None if unknown."""
    return positive_int(optional(lambda: psutil.virtual_memory().total))
