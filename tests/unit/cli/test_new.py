"""`new` writes a profile, checks it and shows the next commands."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from loadbench.cli.main import main
from loadbench.engine.drivers import registry
from loadbench.engine.drivers.compose.first_profile import proposal
from loadbench.engine.drivers.compose.project.files import ComposeFiles
from tests.support.harness import REPOSITORY, Bench

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
    for name in ("a/b", "../b", ""):
        assert new(bench, str(project), "--name", name).exit_code == 2


def test_the_bundled_workspace_is_read_only(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOADBENCH_WORKSPACE", raising=False)

    result = CliRunner().invoke(main, ("new", str(project)))

    assert result.exit_code == 2
    assert "loadbench-tui init DIR" in result.stderr


def test_an_example_is_copied_and_checked(tmp_path: Path) -> None:
    bench = Bench.make(tmp_path, PROFILE, "mine")

    result = new(bench, "--example", "chat", "--name", "my llm")

    assert result.exit_code == 0, result.output
    file = bench.root / "profiles" / "my llm.yaml"
    assert f"Created {file}\nCreated {bench.root / 'my llm' / 'README.md'}" in result.stdout
    assert "my llm: valid, 3 cells" in result.stdout
    assert "loadbench-tui run 'my llm'" in result.stderr
    text = file.read_text()
    assert "#   loadbench-tui run 'my llm'\n" in text
    assert yaml.safe_load(text)["load"]["locustfile"] == "my llm/locustfile.py"
    example = REPOSITORY / "docs" / "examples" / "chat" / "locustfile.py"
    assert (bench.root / "my llm" / "locustfile.py").read_bytes() == example.read_bytes()


def test_the_example_has_its_own_name_by_default(tmp_path: Path) -> None:
    bench = Bench.make(tmp_path, PROFILE, "mine")

    assert new(bench, "--example", "chat").exit_code == 0

    example = REPOSITORY / "docs" / "examples" / "chat" / "profile.yaml"
    assert (bench.root / "profiles" / "chat.yaml").read_bytes() == example.read_bytes()


def test_an_example_overwrites_nothing(tmp_path: Path) -> None:
    bench = Bench.make(tmp_path, PROFILE, "mine")
    (bench.root / "chat").mkdir()

    by_folder = new(bench, "--example", "chat")
    by_profile = new(bench, "--example", "chat", "--name", "mine")

    assert (by_folder.exit_code, by_profile.exit_code) == (2, 2)
    assert f"{bench.root / 'chat'} already exists. To choose a name, use" in by_folder.stderr
    assert "the name 'mine' is in use" in by_profile.stderr
    assert list((bench.root / "chat").iterdir()) == []
    assert not (bench.root / "mine").exists()
    assert [file.name for file in (bench.root / "profiles").iterdir()] == ["mine.yaml"]


def test_unknown_examples_and_missing_arguments_are_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench.make(tmp_path, PROFILE, "mine")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOADBENCH_WORKSPACE", raising=False)

    unknown = new(bench, "--example", "chatt")
    both = new(bench, "shop", "--example", "chat")
    bundled = CliRunner().invoke(main, ("new", "--example", "chat"))

    assert {unknown.exit_code, new(bench).exit_code, both.exit_code, bundled.exit_code} == {2}
    assert "there is no example 'chatt'. Examples: chat" in unknown.stderr
    assert "either FOLDER or --example NAME" in both.stderr
    assert "loadbench-tui --workspace DIR new --example chat" in bundled.stderr
