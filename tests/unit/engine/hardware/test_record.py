"""The record of this machine's hardware."""

import json
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from loadbench.engine.hardware import record
from loadbench.engine.hardware.record import hardware


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A root without files, on a machine about which psutil and NVML know nothing."""

    def fail(**_: object) -> None:
        raise OSError

    for name in ("cpu_count", "cpu_freq", "virtual_memory"):
        monkeypatch.setattr(psutil, name, fail)
    monkeypatch.setattr(record, "read_gpus", lambda **_: [])
    return tmp_path / "root"


def test_only_values_that_are_always_known_remain_without_sources(
    empty: Path, tmp_path: Path
) -> None:
    found = hardware(tmp_path / "not" / "created", root=empty)
    assert set(found) == {"cpu", "cores", "system", "machine"}


def test_the_record_has_all_values(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpus = [{"name": "NVIDIA L4", "vram_bytes": 24 * 2**30, "driver": "550.54.15"}]
    disk = {"model": "WD Black", "kind": "nvme"}
    asked: list[Path] = []

    def find_disk(folder: Path, *, root: Path) -> dict[str, str]:
        asked.append(folder)
        return disk

    (empty / "proc").mkdir(parents=True)
    (empty / "proc/cpuinfo").write_text("model name: AMD EPYC\nphysical id: 0\ncpu cores: 2\n")
    monkeypatch.setattr(record, "read_gpus", lambda **_: gpus)
    monkeypatch.setattr(record, "find_disk", find_disk)
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 4 if logical else 2)
    monkeypatch.setattr(psutil, "cpu_freq", lambda: SimpleNamespace(current=2596.1, max=0.0))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=2**34))

    found = hardware(tmp_path / "not" / "created", root=empty)

    assert asked == [tmp_path]
    recorded = {name: found[name] for name in found if name not in ("system", "machine", "cores")}
    assert recorded == {
        "cpu": "AMD EPYC",
        "sockets": 1,
        "physical_cores": 2,
        "threads": 4,
        "max_frequency_mhz": 2596,
        "memory_bytes": 2**34,
        "disk": disk,
        "gpus": gpus,
    }
    assert json.loads(json.dumps(found)) == found


def test_a_failing_reading_does_not_affect_others(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError

    for name in ("cpu_model", "socket_count", "max_frequency_mhz", "find_disk"):
        monkeypatch.setattr(record, name, fail)
    assert set(hardware(tmp_path, root=empty)) == {"cores", "system", "machine"}
