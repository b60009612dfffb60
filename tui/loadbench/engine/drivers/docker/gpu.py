"""NVIDIA's management library: what the GPUs have, and which process of this machine uses how much.

None of it is there without an NVIDIA driver, and that is no error.
"""

import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from loadbench.engine.drivers.protocol import BYTES_PER_MB
from loadbench.engine.profile.model import Profile

_LOOK_EVERY_S = 1.0


class Gpus:
    """The GPUs of this machine.

    Args:
        library: NVML's own bindings, initialised.
    """

    def __init__(self, library: Any) -> None:
        self._library = library
        self.count = library.nvmlDeviceGetCount()
        self._handles = [library.nvmlDeviceGetHandleByIndex(it) for it in range(self.count)]

    @property
    def first_bytes(self) -> int | None:
        """The memory of the first GPU, which is the one that our workers compute on.

        None: it has none of its own, as where GPU and CPU share it.
        """
        try:
            return int(self._library.nvmlDeviceGetMemoryInfo(self._handles[0]).total)
        except self._library.NVMLError:
            return None

    def used_bytes(self) -> dict[int, int]:
        """Return the VRAM of every process that computes, by process id, over all GPUs.

        Processes that the driver does not tell of, as under WSL, are left out.
        """
        used: Counter[int] = Counter()
        for handle in self._handles:
            with suppress(self._library.NVMLError):
                for process in self._library.nvmlDeviceGetComputeRunningProcesses(handle):
                    if process.usedGpuMemory is not None:
                        used[process.pid] += process.usedGpuMemory
        return dict(used)


class VramMeter:
    """Tells how much video memory containers of this machine use, looking once a second.

    Args:
        gpus: The GPUs.
        proc: Where the kernel tells of processes.
    """

    def __init__(self, gpus: Gpus, *, proc: Path = Path("/proc")) -> None:
        self._gpus = gpus
        self._proc = proc
        self._looked_at = -_LOOK_EVERY_S
        self._found: dict[str, int] = {}

    def by_container(self, ids: Iterable[str]) -> dict[str, int]:
        """Return the bytes of those containers that use any, by their whole id."""
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_EVERY_S:
            self._looked_at = now
            self._found = used_by_container(self._gpus.used_bytes(), ids, proc=self._proc)
        return self._found


def find_gpus() -> Gpus | None:
    """Return the GPUs; None: there is no NVIDIA driver, or no GPU."""
    try:
        import pynvml

    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        gpus = Gpus(pynvml)
    except pynvml.NVMLError:
        return None
    return gpus if gpus.count else None


def vram_warning(profile: Profile) -> str | None:
    """Return a sentence when the models of a profile may want more VRAM than the GPU has."""
    limit = profile.stack.gpu_memory_mb
    gpus = find_gpus() if profile.device == "gpu" and limit else None
    has_bytes = gpus.first_bytes if gpus else None
    if has_bytes is None or limit is None:
        return None
    has_mb = has_bytes // BYTES_PER_MB
    if max(profile.models) * limit <= has_mb:
        return None
    return (
        f"{max(profile.models)} models × {limit} MB are more than the {has_mb} MB of the GPU: "
        "some may run out of VRAM"
    )


def used_by_container(
    used: dict[int, int], ids: Iterable[str], *, proc: Path = Path("/proc")
) -> dict[str, int]:
    """Return the VRAM that each container uses, in bytes.

    Args:
        used: By process id, as `Gpus.used_bytes` gives it.
        ids: Whole container ids.
        proc: Where the kernel tells of processes: a container's id is in the name of its
            processes' control group.
    """
    found: Counter[str] = Counter()
    for pid, bytes_used in used.items():
        try:
            group = (proc / str(pid) / "cgroup").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        for identity in ids:
            if identity in group:
                found[identity] += bytes_used
    return dict(found)
