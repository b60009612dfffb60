"""Resource use of containers on this machine, read from the kernel, mostly from control groups.

This puts no load on the engine and has no delay. `docker stats` makes the engine read the same
files for every container every second, and reports the values seconds later:
https://github.com/moby/moby/issues/39664 and https://github.com/moby/moby/issues/40437. Remove this
module when the CPU cost of `docker stats` no longer affects measurements.
"""

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loadbench.engine.drivers.docker.network import received_bytes

_UNITS = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "TiB": 1024**4}
_MIN_INTERVAL_S = 0.5
"""Shortest averaging interval of CPU use. Shorter ones are too noisy."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Current resource use of a container."""

    cpu_cores: float | None
    """None until there is a second reading."""
    memory_bytes: int
    """Memory without reclaimable page cache, as in `docker stats`."""
    throttled: float | None = None
    """Share of scheduling periods throttled by the CPU limit, 0 to 1. None if there is no limit."""
    received_bytes: int | None = None
    """Bytes received since its network namespace was created. None if unknown."""
    received_error_bytes: int = 0
    """Maximum rounding error of `received_bytes`. 0 if exact."""


class ControlGroup:
    """The control group of one container, version 1 or 2.

    Args:
        identity: Full container id.
        pid: Process id of its main process.
        root: Parent folder of `proc` and `sys`.

    Raises:
        OSError: The container is on another machine or has exited.
    """

    def __init__(self, identity: str, pid: int, *, root: Path = Path("/")) -> None:
        self.pid = pid
        self._root = root
        lines = (root / "proc" / str(pid) / "cgroup").read_text(encoding="utf-8").splitlines()
        rows = [line.split(":", 2) for line in lines]
        paths = {name: path for _, names, path in rows for name in names.split(",")}
        mounts = root / "sys" / "fs" / "cgroup"
        self._v2 = "memory" not in paths
        cpu, memory, limit = ("", "", "") if self._v2 else ("cpuacct", "memory", "cpu")
        if identity not in paths.get(cpu, ""):
            raise ProcessLookupError(f"local process {pid} does not belong to {identity}")
        self._cpu = mounts / cpu / paths[cpu].lstrip("/")
        self._memory = mounts / memory / paths[memory].lstrip("/")
        self._limit = mounts / limit / paths.get(limit, "").lstrip("/") / "cpu.stat"
        self._cpu_s = self._read_cpu_s()
        self._periods = self._read_periods()
        self._read_at = time.monotonic()
        self._usage = self._read(None, None)

    def usage(self) -> Usage:
        """Return the current resource use, which is read at most every half second.

        Raises:
            OSError: The container has exited.
        """
        elapsed = time.monotonic() - self._read_at
        if elapsed >= _MIN_INTERVAL_S:
            cpu_s = self._read_cpu_s()
            cores = round(max(0.0, cpu_s - self._cpu_s) / elapsed, 4)
            self._cpu_s, self._read_at = cpu_s, self._read_at + elapsed
            self._usage = self._read(cores, self._throttled())
        return self._usage

    def _read(self, cores: float | None, throttled: float | None) -> Usage:
        received = received_bytes(self.pid, root=self._root)
        return Usage(cores, self._read_memory(), throttled, received)

    def _throttled(self) -> float | None:
        (periods, throttled), before = self._read_periods(), self._periods
        self._periods = (periods, throttled)
        # The kernel counts no periods for containers that have no limit or are idle.
        return (throttled - before[1]) / (periods - before[0]) if periods > before[0] else None

    def _read_periods(self) -> tuple[int, int]:
        """Return the number of scheduling periods with a limit and the number of throttled ones."""
        try:
            text = self._limit.read_text()
        except OSError:
            return 0, 0
        fields = dict(line.split() for line in text.splitlines())
        return int(fields.get("nr_periods", 0)), int(fields.get("nr_throttled", 0))

    def _read_cpu_s(self) -> float:
        if self._v2:
            return _field(self._cpu / "cpu.stat", "usage_usec") / 1e6
        return int((self._cpu / "cpuacct.usage").read_text()) / 1e9

    def _read_memory(self) -> int:
        name, cached = (
            ("memory.current", "inactive_file")
            if self._v2
            else ("memory.usage_in_bytes", "total_inactive_file")
        )
        total = int((self._memory / name).read_text())
        return max(0, total - _field(self._memory / "memory.stat", cached))


class ControlGroups:
    """The control groups of all containers of a project."""

    def __init__(self) -> None:
        self._groups: dict[str, ControlGroup] = {}

    def follow(self, pids: Mapping[str, int]) -> frozenset[str]:
        """Set the containers to read. Return the ids of those that cannot be read on this machine.

        Args:
            pids: Process id of each main process, by full container id.
        """
        groups = {}
        for identity, pid in pids.items():
            known = self._groups.get(identity)
            if known and known.pid == pid:
                groups[identity] = known
                continue
            with suppress(OSError, ValueError, LookupError):
                groups[identity] = ControlGroup(identity, pid)
        self._groups = groups
        return frozenset(pids) - groups.keys()

    def usage(self) -> dict[str, Usage]:
        """Return the resource use by container id, omitting containers that have just exited."""
        found = {}
        for identity, group in self._groups.items():
            with suppress(OSError, ValueError, LookupError):
                found[identity] = group.usage()
        return found


def parse_size(text: str) -> int:
    """Parse a size such as `12.5MiB` into bytes.

    Raises:
        ValueError: The text is not a size.
    """
    match = re.fullmatch(r"\s*([0-9.]+)\s*([KMGT]iB|B)\s*", text)
    if not match:
        raise ValueError(text)
    return round(float(match[1]) * _UNITS[match[2]])


def _field(file: Path, name: str) -> int:
    for line in file.read_text().splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    raise LookupError(f"{file} has no {name}")
