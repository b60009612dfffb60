"""VRAM use of containers, with a fake NVML."""

import sys
from pathlib import Path

import pytest

from loadbench.engine.drivers.docker.gpu import VramMeter, used_by_container, vram_warning
from loadbench.engine.hardware.gpu import Gpus, find_gpus
from tests.support.builders import make_profile
from tests.support.fake_nvml import FakeNvml


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    made = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", made)
    return made


def test_a_gpu_without_dedicated_memory_causes_no_warning(nvml: FakeNvml) -> None:
    nvml.shared = True
    gpus = find_gpus()
    assert gpus is not None
    assert gpus.first_bytes is None
    profile = make_profile(models=[9], device="gpu", stack={"gpu_memory_mb": 4096})
    assert vram_warning(profile) is None


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
