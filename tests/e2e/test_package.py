"""The contents of the wheel."""

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.support.harness import REPOSITORY


def test_wheel_contains_one_package_and_the_bundled_workspace(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--disable-pip-version-check", "-w", str(tmp_path), "."]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, timeout=120)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "site")

    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"loadbench"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    result = subprocess.run(
        [sys.executable, "-P", "-m", "loadbench", "init", "mine"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "site"), "HOME": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert "profiles, stack, images, locustfile.py" in result.stdout
    for part in (
        "profiles/demo.yaml",
        "profiles/profile.schema.json",
        "stack/.dockerignore",
        "stack/api/Dockerfile",
        "stack/api/app.py",
        "stack/compose.gpu.yaml",
        "stack/compose.yaml",
        "stack/model/efficientnet-lite0.onnx",
    ):
        assert (tmp_path / "mine" / part).is_file()
    assert len(list((tmp_path / "mine" / "images").glob("*.jpg"))) == 5
    result = subprocess.run(
        [sys.executable, "-P", "-m", "loadbench", "new", "--example", "chat"],
        cwd=tmp_path / "mine",
        env={"PYTHONPATH": str(tmp_path / "site"), "HOME": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert "chat: valid" in result.stdout
    assert (tmp_path / "mine" / "chat" / "locustfile.py").is_file()
