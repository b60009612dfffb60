"""Every shipped profile with every driver: it is accepted, or refused with the expected reason."""

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
NO_TOOLKIT = "device: gpu requires the NVIDIA Container Toolkit"
NO_CUDA = "device: gpu requires ONNX Runtime with CUDA"
NO_DRIVER = "no driver can run this profile on this machine:"
NEITHER = rf"{NO_DRIVER}\n  compose: {NO_TOOLKIT}.*\n  local: {NO_CUDA}"

RUNS = [
    *((name, "auto", (), "compose") for name in ON_CPU),
    *((name, "compose", (), "compose") for name in ON_CPU),
    *((name, "local", (), "local") for name in ON_CPU),
    *((name, "external", (HOST, "models=1"), "external") for name in (*ON_CPU, GPU)),
]
"""Profile, requested driver, further overrides, selected driver."""

REFUSALS = [
    *((name, "external", (), NO_HOST) for name in (*ON_CPU, GPU)),
    *((name, "external", (HOST,), ONE_LABEL) for name in (*ON_CPU, GPU)),
    (GPU, "auto", (), NEITHER),
    (GPU, "compose", (), NO_TOOLKIT),
    (GPU, "local", (), NO_CUDA),
]
"""Profile, requested driver, further overrides, reason of the refusal."""


@pytest.fixture(autouse=True)
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace docker by a fake without the NVIDIA toolkit."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    write_docker(folder, answers(config=PUBLISHED))
    return folder


def preview_profile(folder: Path, name: str, *overrides: str) -> RunPlan:
    """Preview a shipped profile."""
    workspace = Workspace(REPOSITORY, folder / "reports")
    file = workspace.profiles / f"{name}.yaml"
    profile = load_profile(file, overrides)
    return preview(RunRequest.to_run(workspace, file, profile, overrides))


@pytest.mark.parametrize(
    ("name", "driver", "more", "expected", "is_refused"),
    [*((*row, False) for row in RUNS), *((*row, True) for row in REFUSALS)],
)
def test_every_shipped_profile_is_accepted_or_refused_by_every_driver(
    docker: Path,
    tmp_path: Path,
    name: str,
    driver: str,
    more: tuple[str, ...],
    expected: str,
    is_refused: bool,
) -> None:
    overrides = (f"stack.driver={driver}", *more)
    if not is_refused:
        found = preview_profile(tmp_path, name, *overrides).preflight
        assert found.driver == expected
        assert (found.facts.project is not None) == (expected == "compose")
        assert found.lock
        return
    if name == GPU:
        if any(Path("/dev").glob("nvidia[0-9]*")) or shutil.which("nvidia-ctk"):
            pytest.skip("this machine has a GPU or the NVIDIA toolkit")
        write_docker(docker, answers(config=ON_GPU))
    with pytest.raises((ProfileError, RefusedError), match=expected):
        preview_profile(tmp_path, name, *overrides)


def test_the_tables_cover_every_profile_and_every_driver() -> None:
    shipped = {file.stem for file in saved_profiles(REPOSITORY / "profiles")}
    drivers = {AUTO, *SETTINGS}
    assert {row[:2] for row in (*RUNS, *REFUSALS)} == {(p, d) for p in shipped for d in drivers}
