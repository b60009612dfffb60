"""The NVIDIA GPUs of this machine, read through NVML.

Without an NVIDIA driver, no values are available; this is not an error.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any

from loadbench.engine.hardware.readings import optional
from loadbench.engine.hardware.values import clean_text, positive_int

NVML_TIMEOUT_S = 2.0
"""Maximum time to wait for NVML, so that a driver that is slow or hangs does not delay a run."""


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
        return self._total_bytes(self._handles[0])

    def described(self) -> list[dict[str, Any]]:
        """Return `name`, `vram_bytes` and `driver` (its version) of each GPU, omitting unknowns."""
        driver = self._value(self._library.nvmlSystemGetDriverVersion)
        gpus = []
        for handle in self._handles:
            values = {
                "name": clean_text(self._value(self._library.nvmlDeviceGetName, handle)),
                "vram_bytes": positive_int(self._total_bytes(handle)),
                "driver": clean_text(driver),
            }
            gpus.append({name: value for name, value in values.items() if value is not None})
        return gpus

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

    def close(self) -> None:
        """Release NVML. NVML counts its users, so other instances remain usable."""
        with suppress(self._library.NVMLError):
            self._library.nvmlShutdown()

    def _total_bytes(self, handle: Any) -> int | None:
        memory = self._value(self._library.nvmlDeviceGetMemoryInfo, handle)
        return None if memory is None else int(memory.total)

    def _value(self, read: Callable[..., Any], *arguments: Any) -> Any:
        """Return a value of NVML as text or object, or None if the driver does not have it."""
        try:
            value = read(*arguments)
        except (self._library.NVMLError, UnicodeDecodeError):
            return None
        # Older bindings return bytes.
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


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


def read_gpus(*, timeout_s: float = NVML_TIMEOUT_S) -> list[dict[str, Any]]:
    """Return name, VRAM and driver of each GPU, as recorded with a run.

    Args:
        timeout_s: Time limit in seconds.

    Returns:
        The GPUs as in `Gpus.described`. Empty without GPUs, or if NVML does not respond in time.
    """
    found: list[dict[str, Any]] = []
    thread = Thread(
        target=lambda: found.extend(optional(_described) or ()), name="nvml", daemon=True
    )
    thread.start()
    thread.join(timeout_s)
    return [] if thread.is_alive() else found


def _described() -> list[dict[str, Any]]:
    gpus = find_gpus()
    if gpus is None:
        return []
    try:
        return gpus.described()
    finally:
        # An open handle would keep the GPU of a laptop powered during a run that does not use it.
        gpus.close()
