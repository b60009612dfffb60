"""`new` writes a profile, checks it and shows the next commands."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from loadbench.cli.main import main
from loadbench.engine.drivers import registry
from loadbench.engine.drivers.compose.first_profile import proposal
from loadbench.engine.drivers.compose.project.files import ComposeFiles
from tests.support.harness import Bench

LOCUSTFILE = "from locust import HttpUser\nclass Visitor(HttpUser):\n    pass\n"
PROFILE = "models: [1]\nusers: [1]\nspawn_rates: [1]\nrun_time: 1s\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def read(_docker: object, _workspace: object, profile: Any) -> ComposeFiles:
        return ComposeFiles(
            paths=tuple(map(Path, profile.stack.compose)),
            is_bundled=False,
            scaled="model",
            config={"services": {"api": {"image": "x", "expose": ["8000"]}}},
            enabled=frozenset({"api"}),
        )

    monkeypatch.setattr(proposal, "docker_for", lambda *_: None)
    monkeypatch.setattr(proposal, "read_compose_files", read)
    monkeypatch.setattr(registry, "validate", lambda *_: ["mind the gap"])
    folder = tmp_path / "my shop"
    folder.mkdir()
    (folder / "compose.yaml").write_text("")
    (folder / "locustfile.py").write_text(LOCUSTFILE)
    return folder


def new(bench: Bench, *arguments: str) -> Result:
    return CliRunner().invoke(main, ("--workspace", str(bench.root), "new", *arguments))


def test_the_profile_is_written_and_checked(tmp_path: Path, project: Path) -> None:
    bench = Bench.make(tmp_path / "bench", PROFILE, "mine")

    result = new(bench, str(project))

    assert result.exit_code == 0, result.output
    file = bench.root / "profiles" / "my-shop.yaml"
    assert file.is_file()
    assert f"Created {file}" in result.stdout
    assert "stack.port       api:8000" in result.stdout
    assert "my-shop: valid, 6 cells" in result.stdout
    assert "my-shop: warning: mind the gap" in result.stderr
    assert "loadbench-tui doctor my-shop\n  loadbench-tui plan my-shop" in result.stderr


def test_existing_profiles_are_never_overwritten(tmp_path: Path, project: Path) -> None:
    bench = Bench.make(tmp_path / "bench", PROFILE, "mine")

    result = new(bench, str(project), "--name", "mine")

    assert result.exit_code == 2
    assert "the name 'mine' is in use" in result.stderr
    assert "--name NAME" in result.stderr
    assert (bench.root / "profiles" / "mine.yaml").read_text() == PROFILE
    assert new(bench, str(project), "--name", "a/b").exit_code == 2


def test_the_bundled_workspace_is_read_only(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOADBENCH_WORKSPACE", raising=False)

    result = CliRunner().invoke(main, ("new", str(project)))

    assert result.exit_code == 2
    assert "loadbench-tui init DIR" in result.stderr
