"""VRAM use of local containers, and the warning about VRAM limits above the memory of the GPU."""

import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from loadbench.engine.drivers.protocol import BYTES_PER_MB
from loadbench.engine.hardware.gpu import Gpus, find_gpus
from loadbench.engine.profile.model import Profile

_POLL_INTERVAL_S = 1.0


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
