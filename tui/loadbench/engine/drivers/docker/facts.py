"""Facts about a Docker engine and its machine, as recorded with a run."""

import platform
from collections.abc import Mapping
from itertools import islice
from typing import Any

from loadbench.engine.drivers.docker.client import Endpoint
from loadbench.engine.hardware.record import memory_bytes
from loadbench.engine.hardware.values import clean_text, positive_int

_MAX_RUNTIMES = 32


def engine_facts(info: Mapping[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    """Return the versions of an engine and the properties of its machine, None if unknown.

    The engine does not report the CPU model, disk and GPUs of its machine.

    Args:
        info: Output of `docker info`, with the version of Docker Compose as `ComposeVersion`.
        endpoint: Address of the engine.
    """
    runtimes = info.get("Runtimes")
    names = islice(runtimes, _MAX_RUNTIMES) if isinstance(runtimes, Mapping) else ()
    return {
        "docker": clean_text(info.get("ServerVersion")),
        "compose": clean_text(info.get("ComposeVersion")),
        "name": clean_text(info.get("Name")),
        "same_machine": is_same_machine(info, endpoint),
        "cores": positive_int(info.get("NCPU")),
        "memory_bytes": positive_int(info.get("MemTotal")),
        "system": clean_text(info.get("OperatingSystem")),
        "kernel": clean_text(info.get("KernelVersion")),
        "architecture": clean_text(info.get("Architecture")),
        "runtimes": sorted(filter(None, map(clean_text, names))),
    }


def is_same_machine(info: Mapping[str, Any], endpoint: Endpoint) -> bool | None:
    """Return whether an engine runs on this machine, outside any virtual machine.

    An engine with a local address may run elsewhere: Docker Desktop and Colima run it in a virtual
    machine, and an SSH tunnel leads to another machine. Then kernel, or host name and memory
    differ. From inside a container only the host name differs.

    Args:
        info: Output of `docker info`.
        endpoint: Address of the engine.

    Returns:
        None if unknown.
    """
    if endpoint.is_remote:
        return False
    kernel, name, memory = (
        clean_text(info.get("KernelVersion")),
        info.get("Name"),
        info.get("MemTotal"),
    )
    if kernel is None:
        return None
    has_same_identity = name == platform.node() or memory == memory_bytes()
    return kernel == platform.release() and has_same_identity
