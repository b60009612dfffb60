"""GPU memory and its use by local processes and containers, read through NVML.

Without an NVIDIA driver, no values are available; this is not an error.
"""

import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from loadbench.engine.drivers.protocol import BYTES_PER_MB
from loadbench.engine.profile.model import Profile

_POLL_INTERVAL_S = 1.0


class Gpus:
    """The GPUs of this machine.

    Args:
        library: The initialised NVML bindings.
    """

    def __init__(self, library: Any) -> None:
        self._library = library
        self.count = library.nvmlDeviceGetCount()
        self._handles = [library.nvmlDeviceGetHandleByIndex(index) for index in range(self.count)]

    @property
    def first_bytes(self) -> int | None:
        """Memory of the first GPU, which is the one that the bundled workers use.

        None if it has no dedicated memory but shares memory with the CPU.
        """
        try:
            return int(self._library.nvmlDeviceGetMemoryInfo(self._handles[0]).total)
        except self._library.NVMLError:
            return None

    def used_bytes(self) -> dict[int, int]:
        """Return the VRAM use of compute processes, by process id, summed over all GPUs.

        Processes that the NVIDIA driver does not report, for example under WSL, are omitted.
        """
        used: Counter[int] = Counter()
        for handle in self._handles:
            with suppress(self._library.NVMLError):
                for process in self._library.nvmlDeviceGetComputeRunningProcesses(handle):
                    if process.usedGpuMemory is not None:
                        used[process.pid] += process.usedGpuMemory
        return dict(used)


class VramMeter:
    """Reads the VRAM use of containers on this machine, at most once a second.

    Args:
        gpus: The GPUs.
        proc: Mount point of the proc file system.
    """

    def __init__(self, gpus: Gpus, *, proc: Path = Path("/proc")) -> None:
        self._gpus = gpus
        self._proc = proc
        self._read_at = -_POLL_INTERVAL_S
        self._used: dict[str, int] = {}

    def by_container(self, ids: Iterable[str]) -> dict[str, int]:
        """Return the VRAM use in bytes by full container id. Omit containers that use none."""
        now = time.monotonic()
        if now - self._read_at >= _POLL_INTERVAL_S:
            self._read_at = now
            self._used = used_by_container(self._gpus.used_bytes(), ids, proc=self._proc)
        return self._used


def find_gpus() -> Gpus | None:
    """Return the GPUs of this machine, or None if there is no GPU or no NVIDIA driver."""
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
    """Return a warning if the VRAM limits of all models exceed the memory of the GPU."""
    limit = profile.stack.gpu_memory_mb
    gpus = find_gpus() if profile.device == "gpu" and limit else None
    total_bytes = gpus.first_bytes if gpus else None
    if total_bytes is None or limit is None:
        return None
    total_mb = total_bytes // BYTES_PER_MB
    if max(profile.models) * limit <= total_mb:
        return None
    return (
        f"{max(profile.models)} models × {limit} MB exceed the GPU memory of {total_mb} MB: "
        "some models may run out of VRAM"
    )


def used_by_container(
    used: dict[int, int], ids: Iterable[str], *, proc: Path = Path("/proc")
) -> dict[str, int]:
    """Return the VRAM use of each container, in bytes.

    A process belongs to the container whose id is in the name of its control group.

    Args:
        used: Bytes by process id, from `Gpus.used_bytes`.
        ids: Full container ids.
        proc: Mount point of the proc file system.
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
