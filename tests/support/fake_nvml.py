"""Fake NVML bindings, so that tests require no GPU."""

from dataclasses import dataclass, field
from types import SimpleNamespace

GIB = 2**30


class FakeError(Exception):
    """Base class of the library's errors."""


@dataclass
class FakeNvml:
    """Fake NVML bindings with GPU sizes and processes."""

    sizes: list[int] = field(default_factory=lambda: [8 * GIB, 16 * GIB])
    processes: dict[int, list[tuple[int, int | None]]] = field(default_factory=dict)
    """(process id, bytes) by GPU."""
    driver: bool = True
    """Whether the NVIDIA driver is installed."""
    version: str | bytes = "550.54.15"
    names: list[str | bytes | None] = field(default_factory=list)
    """Names by GPU; None or missing raises an error."""
    users: int = 0
    """Number of initialisations that have not been released."""
    shared: bool = False
    NVMLError: type[Exception] = FakeError

    def nvmlInit(self) -> None:  # noqa: N802  # the library's names
        if not self.driver:
            raise FakeError
        self.users += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.users -= 1

    def nvmlSystemGetDriverVersion(self) -> str | bytes:  # noqa: N802
        return self.version

    def nvmlDeviceGetName(self, handle: int) -> str | bytes:  # noqa: N802
        name = self.names[handle] if handle < len(self.names) else None
        if name is None:
            raise FakeError
        return name

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.sizes)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:  # noqa: N802
        if self.shared:
            raise FakeError
        return SimpleNamespace(total=self.sizes[handle])

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[SimpleNamespace]:  # noqa: N802
        if handle not in self.processes:
            raise FakeError
        return [SimpleNamespace(pid=p, usedGpuMemory=used) for p, used in self.processes[handle]]
