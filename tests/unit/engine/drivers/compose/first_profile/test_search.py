"""Compose files and locustfiles of a project are found within limits."""

from pathlib import Path

import pytest

from loadbench.engine.drivers.compose.first_profile import search
from loadbench.engine.drivers.compose.first_profile.search import ProjectFiles, walk

LOCUSTFILE = "from locust import HttpUser\n\nclass Visitor(HttpUser):\n    pass\n"


def write(folder: Path, name: str, text: str = "") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def found(project: ProjectFiles) -> tuple[list[str], list[str]]:
    """Return the names of the compose files and of the locustfiles, relative to the project."""
    return (
        [str(path.relative_to(project.folder)) for path in project.compose_files],
        [str(path.relative_to(project.folder)) for path in project.locustfiles],
    )


def test_files_near_the_folder_come_first(tmp_path: Path) -> None:
    for name in ("deploy/compose.yaml", "docker-compose.yml", "compose.dev.yaml"):
        write(tmp_path, name)
    for name in ("tests/locustfile.py", "locustfile.py", "load/users.py"):
        write(tmp_path, name, LOCUSTFILE)
    write(tmp_path, "app.py", "import locustless\n")

    assert found(ProjectFiles(tmp_path)) == (
        ["docker-compose.yml", "deploy/compose.yaml"],
        ["locustfile.py", "tests/locustfile.py", "load/users.py"],
    )


def test_other_names_count_if_there_is_no_usual_one(tmp_path: Path) -> None:
    write(tmp_path, "docker-compose.app.yml")
    write(tmp_path, "compose.override.yaml")
    write(tmp_path, "load/tasks.py", "import locust\n")
    write(tmp_path, "load/zz_users.py", LOCUSTFILE)

    assert found(ProjectFiles(tmp_path)) == (
        ["docker-compose.app.yml"],
        ["load/zz_users.py", "load/tasks.py"],
    )


def test_packages_and_hidden_folders_are_skipped(tmp_path: Path) -> None:
    for name in ("node_modules", ".git", "my_env", "reports"):
        write(tmp_path, f"{name}/compose.yaml")
        write(tmp_path, f"{name}/locustfile.py", LOCUSTFILE)
    write(tmp_path, "my_env/pyvenv.cfg")

    assert found(ProjectFiles(tmp_path, skipped=(tmp_path / "reports",))) == ([], [])


def test_the_bundled_locustfile_does_not_count(tmp_path: Path) -> None:
    write(tmp_path, "locustfile.py", LOCUSTFILE)
    assert found(ProjectFiles(tmp_path, ignored_locustfile=LOCUSTFILE)) == ([], [])


def test_the_search_ends_at_its_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        write(tmp_path, f"{number}/a.py")
        write(tmp_path, "/".join("deeper" for _ in range(number + 1)) + "/b.py")
    (tmp_path / "loop").symlink_to(tmp_path)

    assert len(list(walk(tmp_path, lambda _: True))) == 9 + search.MAX_DEPTH
    monkeypatch.setattr(search, "MAX_FILES", 3)
    assert len(list(walk(tmp_path, lambda _: True))) == 3
    monkeypatch.setattr(search, "MAX_FOLDERS", 2)
    assert [path.parent.name for path in walk(tmp_path, lambda _: True)] == ["0"]


def test_special_and_large_files_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "locustfile.py", LOCUSTFILE)
    monkeypatch.setattr(search, "MAX_BYTES", 10)
    assert ProjectFiles(tmp_path).locustfiles == ()
