"""VRAM use, with a fake NVML, so that no GPU is required."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from loadbench.engine.drivers.docker.gpu import (
    Gpus,
    VramMeter,
    find_gpus,
    used_by_container,
    vram_warning,
)
from tests.support.builders import make_profile

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
    shared: bool = False
    NVMLError: type[Exception] = FakeError

    def nvmlInit(self) -> None:  # noqa: N802  # the library's names
        if not self.driver:
            raise FakeError

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


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    made = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", made)
    return made


def test_a_missing_driver_gpu_or_library_is_no_error(
    nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvml.driver = False
    assert find_gpus() is None
    nvml.driver, nvml.sizes = True, []
    assert find_gpus() is None
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert find_gpus() is None


def test_the_memory_of_a_process_is_summed_over_all_gpus(nvml: FakeNvml) -> None:
    nvml.processes = {0: [(10, 100), (11, 5)], 1: [(10, 1000), (12, None)]}
    assert Gpus(nvml).used_bytes() == {10: 1100, 11: 5}


def test_a_gpu_without_dedicated_memory_causes_no_warning(nvml: FakeNvml) -> None:
    nvml.shared = True
    gpus = find_gpus()
    assert gpus is not None
    assert gpus.first_bytes is None
    profile = make_profile(models=[9], device="gpu", stack={"gpu_memory_mb": 4096})
    assert vram_warning(profile) is None


def test_a_gpu_without_data_does_not_affect_others(nvml: FakeNvml) -> None:
    nvml.processes = {1: [(10, 7)]}
    assert Gpus(nvml).used_bytes() == {10: 7}


def test_a_process_belongs_to_the_container_of_its_control_group(
    nvml: FakeNvml, tmp_path: Path
) -> None:
    one, two = "a" * 64, "b" * 64
    for pid, group in {10: f"0::/docker/{one}", 11: f"0::/docker/{one}/x", 12: "0::/"}.items():
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cgroup").write_text(group)
    used = {10: 100, 11: 20, 12: 3, 13: 4}

    assert used_by_container(used, [one, two], proc=tmp_path) == {one: 120}

    nvml.processes = {0: list(used.items())}
    assert VramMeter(Gpus(nvml), proc=tmp_path).by_container([one]) == {one: 120}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"models": [1, 3], "device": "gpu", "stack": {"gpu_memory_mb": 3000}},
            (
                "3 models × 3000 MB exceed the GPU memory of 8192 MB: "
                "some models may run out of VRAM"
            ),
        ),
        ({"models": [2], "device": "gpu", "stack": {"gpu_memory_mb": 4096}}, None),
        ({"models": [9], "device": "gpu"}, None),
        ({"models": [9], "stack": {"gpu_memory_mb": 4096}}, None),
    ],
)
def test_vram_limits_above_the_gpu_memory_cause_a_warning(
    nvml: FakeNvml, keys: dict[str, object], message: str | None
) -> None:
    assert nvml.driver
    assert vram_warning(make_profile(**keys)) == message
