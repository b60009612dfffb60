"""The checks of `doctor` about hardware."""

from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.drivers.docker.client import Endpoint
from loadbench.engine.run import doctor
from loadbench.engine.run.doctor import Check, run_checks
from loadbench.errors import EngineError
from loadbench.workspace import Workspace

HARDWARE = {"cpu": "AMD EPYC", "physical_cores": 2, "threads": 4, "cores": 4}
L4 = {"name": "NVIDIA L4", "vram_bytes": 24 * 2**30, "driver": "550.54.15"}
T4 = {"name": "Tesla T4", "driver": "550.54.15"}


def checks(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    hardware: dict[str, Any],
    info: dict[str, Any] | None = None,
) -> dict[str, list[Check]]:
    """Return the checks by subject, with this hardware and this output of `docker info`."""

    def engine_info(_docker: object) -> dict[str, Any]:
        if info is None:
            raise EngineError("no Docker")
        return info

    endpoint = Endpoint("default", "ssh://gpu-host")
    monkeypatch.setattr(doctor, "hardware", lambda *_, **__: hardware)
    monkeypatch.setattr(doctor, "current_endpoint", lambda: endpoint)
    monkeypatch.setattr(doctor, "engine_info", engine_info)
    monkeypatch.setattr(doctor, "compose_version", lambda _docker: "2.40")
    monkeypatch.setattr(doctor, "state_folder", lambda: folder)
    found: dict[str, list[Check]] = {}
    for check in run_checks(Workspace(folder, folder / "reports")):
        found.setdefault(check.subject, []).append(check)
    return found


def test_machine_and_each_kind_of_gpu_have_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = checks(monkeypatch, tmp_path, {**HARDWARE, "gpus": [L4, T4, L4]})

    assert found["machine"] == [Check("ok", "machine", "AMD EPYC, 2 cores, 4 threads")]
    assert [check.text for check in found["GPU"]] == [
        "2 × NVIDIA L4, 24.0 GiB VRAM, driver 550.54.15",
        "Tesla T4, driver 550.54.15",
    ]


def test_one_usable_core_is_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = checks(monkeypatch, tmp_path, {**HARDWARE, "cores": 1})

    text = "AMD EPYC, 2 cores, 4 threads, 1 usable: Locust and the service share one core"
    assert found["machine"] == [Check("warning", "machine", text)]
    assert [check.text for check in found["GPU"]] == [
        "no NVIDIA GPU: profiles with device: gpu cannot run"
    ]


def test_missing_charts_are_a_warning_with_the_command_that_adds_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    version = metadata.version("vl-convert-python")
    found = checks(monkeypatch, tmp_path, HARDWARE)
    assert found["charts"] == [Check("ok", "charts", f"vl-convert-python {version}")]

    def not_found(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", not_found)
    text = (
        "vl-convert-python is not installed, so summary.html has no charts. To install: pip "
        "install vl-convert-python"
    )
    assert doctor._charts() == Check("warning", "charts", text)


def test_a_docker_host_that_is_another_machine_is_described(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    info = {"ServerVersion": "27.3.1", "Name": "gpu-host", "NCPU": 32, "MemTotal": 2**37}
    found = checks(monkeypatch, tmp_path, HARDWARE, info)

    (check,) = found["containers"]
    assert check.text == (
        "Docker engine 27.3.1 at ssh://gpu-host, Compose 2.40; "
        "Docker host: another machine (gpu-host), 32 cores, 128.0 GiB memory"
    )
