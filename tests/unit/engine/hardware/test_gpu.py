"""Reading the GPUs of this machine, with a fake NVML."""

import sys
import time
from threading import Event

import pytest

from loadbench.engine.hardware.gpu import Gpus, find_gpus, read_gpus
from tests.support.fake_nvml import GIB, FakeNvml


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


def test_a_gpu_without_data_does_not_affect_others(nvml: FakeNvml) -> None:
    nvml.processes = {1: [(10, 7)]}
    assert Gpus(nvml).used_bytes() == {10: 7}


def test_each_gpu_is_recorded_with_name_vram_and_driver(nvml: FakeNvml) -> None:
    nvml.names = ["NVIDIA L4", b"Tesla\x1b[31m T4\n"]

    assert read_gpus() == [
        {"name": "NVIDIA L4", "vram_bytes": 8 * GIB, "driver": "550.54.15"},
        {"name": "Tesla [31m T4", "vram_bytes": 16 * GIB, "driver": "550.54.15"},
    ]
    assert nvml.users == 0


def test_unknown_values_of_a_gpu_are_omitted(nvml: FakeNvml) -> None:
    nvml.shared, nvml.names, nvml.version = True, ["NVIDIA Orin"], b"\xff"

    assert read_gpus() == [{"name": "NVIDIA Orin", "driver": "�"}, {"driver": "�"}]


def test_no_gpus_are_recorded_without_a_driver(nvml: FakeNvml) -> None:
    nvml.driver = False
    assert read_gpus() == []


def test_an_unexpected_error_of_the_bindings_is_no_error(
    nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nvml, "nvmlDeviceGetCount", lambda: None)
    assert read_gpus() == []


def test_a_driver_that_hangs_does_not_delay_the_run(
    nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = Event()
    monkeypatch.setattr(nvml, "nvmlInit", released.wait)
    began = time.monotonic()
    try:
        assert read_gpus(timeout_s=0.05) == []
        assert time.monotonic() - began < 1
    finally:
        released.set()
