"""Checks of paths that users typed."""

from pathlib import Path

import pytest

from loadbench import paths
from loadbench.errors import UsageError

ODD = ["a" * 5000, "a\0b", "", "\udcff", "/" + "a/" * 3000]


@pytest.mark.parametrize("path", ODD, ids=["long", "null", "empty", "surrogate", "deep"])
def test_checks_of_odd_paths_are_false(path: str) -> None:
    assert not paths.is_file(path)
    assert not paths.is_dir(Path(path) / "x")
    assert not paths.exists(Path(path) / "x")


def test_checks_of_a_circle_of_links_are_false(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)

    assert not paths.exists(loop)
    assert not paths.is_file(loop / "x")
    assert paths.resolved(loop).name == "loop"


def test_existing_paths_are_found(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    assert paths.is_file(file)
    assert paths.is_dir(tmp_path)
    assert paths.exists(file)
    assert paths.resolved(tmp_path / "x" / ".." / "file") == file.resolve()


def test_a_null_character_is_reported() -> None:
    with pytest.raises(UsageError, match="null character"):
        paths.resolved("a\0b")


def test_a_deleted_working_folder_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()

    with pytest.raises(UsageError, match="the working folder cannot be used: No such file"):
        paths.resolved("x")
    assert paths.resolved(tmp_path) == tmp_path.resolve()
