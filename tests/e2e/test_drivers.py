"""Every shipped profile with every driver: it can be run here, or the refusal says why not."""

import os
import shutil
from pathlib import Path

import pytest

from loadbench.engine.profile.driver_settings import AUTO, SETTINGS
from loadbench.engine.profile.loading import load_profile, saved_profiles
from loadbench.engine.requests.launch import RunPlan, RunRequest, preview
from loadbench.errors import ProfileError, RefusedError
from loadbench.workspace import Workspace
from tests.support.fake_docker import ON_GPU, PUBLISHED, answers, write_docker
from tests.support.harness import REPOSITORY

ON_CPU = ("batch_10", "demo", "with_cpu")
GPU = "with_gpu"
HOST = "host=http://127.0.0.1:9"

NO_HOST = r"stack\.driver: external requires `host`"
ONE_LABEL = r"models: expected one value: driver external does not scale the service"
NO_TOOLKIT = "device: gpu needs the NVIDIA Container Toolkit"
NO_CUDA = "device: gpu needs ONNX Runtime with CUDA"
NEITHER = rf"no driver can run this here\n  compose: {NO_TOOLKIT}.*\n  local: {NO_CUDA}"

RUNS = [
    *((name, "auto", (), "compose") for name in ON_CPU),
    *((name, "compose", (), "compose") for name in ON_CPU),
    *((name, "local", (), "local") for name in ON_CPU),
    *((name, "external", (HOST, "models=1"), "external") for name in (*ON_CPU, GPU)),
]
"""Profile, driver that is asked for, more overrides, driver that it gets."""

REFUSALS = [
    *((name, "external", (), NO_HOST) for name in (*ON_CPU, GPU)),
    *((name, "external", (HOST,), ONE_LABEL) for name in (*ON_CPU, GPU)),
    (GPU, "auto", (), NEITHER),
    (GPU, "compose", (), NO_TOOLKIT),
    (GPU, "local", (), NO_CUDA),
]
"""The same, with the reason instead of the driver."""


@pytest.fixture(autouse=True)
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a docker without NVIDIA's toolkit in the place of the one that may be here."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    write_docker(folder, answers(config=PUBLISHED))
    return folder


def ask(folder: Path, name: str, *overrides: str) -> RunPlan:
    """Preview a shipped profile."""
    workspace = Workspace(REPOSITORY, folder / "reports")
    file = workspace.profiles / f"{name}.yaml"
    profile = load_profile(file, overrides)
    return preview(RunRequest.to_run(workspace, file, profile, overrides))


@pytest.mark.parametrize(
    ("name", "driver", "more", "outcome", "refused"),
    [*((*row, False) for row in RUNS), *((*row, True) for row in REFUSALS)],
)
def test_every_shipped_profile_runs_with_every_driver_or_is_refused_with_its_reason(
    docker: Path,
    tmp_path: Path,
    name: str,
    driver: str,
    more: tuple[str, ...],
    outcome: str,
    refused: bool,
) -> None:
    overrides = (f"stack.driver={driver}", *more)
    if not refused:
        found = ask(tmp_path, name, *overrides).preflight
        assert found.driver == outcome
        assert (found.facts.project is not None) == (outcome == "compose")
        assert found.lock
        return
    if name == GPU:
        if any(Path("/dev").glob("nvidia[0-9]*")) or shutil.which("nvidia-ctk"):
            pytest.skip("this machine has a GPU, or what containers need for one")
        write_docker(docker, answers(config=ON_GPU))
    with pytest.raises((ProfileError, RefusedError), match=outcome):
        ask(tmp_path, name, *overrides)


def test_the_table_has_every_profile_and_every_driver() -> None:
    shipped = {file.stem for file in saved_profiles(REPOSITORY / "profiles")}
    drivers = {AUTO, *SETTINGS}
    assert {row[:2] for row in (*RUNS, *REFUSALS)} == {(p, d) for p in shipped for d in drivers}
