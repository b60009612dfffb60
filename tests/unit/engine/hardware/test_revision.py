"""The Git revisions of what a run measures."""

import os
import shutil
from pathlib import Path

import pytest

from loadbench.engine.hardware.revision import Revision, find_revisions, revision_text
from tests.support.git_repositories import commit_all, git

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use neither the user's configuration of Git nor a repository around the folder."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Create a repository with one commit."""
    return make_repository(tmp_path / "project")


def make_repository(folder: Path) -> Path:
    folder.mkdir()
    (folder / "compose.yaml").write_text("services: {}\n")
    commit_all(folder)
    return folder


def write_git(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace `git` by a shell script."""
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_paths_in_one_repository_have_one_revision(repository: Path) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    found = find_revisions([repository, repository / "compose.yaml"])
    assert found == (Revision(folder=str(repository), commit=commit, has_changes=False),)


def test_each_repository_has_its_revision(repository: Path, tmp_path: Path) -> None:
    other = make_repository(tmp_path / "other")
    link = tmp_path / "linked.yaml"
    link.symlink_to(other / "compose.yaml")
    found = find_revisions([repository, link, tmp_path])
    assert [one.folder for one in found] == [str(repository), str(other)]


@pytest.mark.parametrize("is_staged", [False, True])
def test_changes_of_tracked_files_count(repository: Path, is_staged: bool) -> None:
    (repository / "compose.yaml").write_text("services: {app: {}}\n")
    if is_staged:
        git(repository, "add", ".")
    assert find_revisions([repository])[0].has_changes is True


def test_neither_untracked_nor_touched_files_are_changes(repository: Path) -> None:
    (repository / "reports").mkdir()
    (repository / "reports" / "summary.csv").touch()
    os.utime(repository / "compose.yaml", (0, 0))
    assert find_revisions([repository])[0].has_changes is False


def test_a_path_that_the_repository_does_not_track_has_no_revision(repository: Path) -> None:
    installed = repository / ".venv" / "[workspace]*"
    installed.mkdir(parents=True)
    (installed / "locustfile.py").touch()
    assert find_revisions([installed, installed / "locustfile.py"]) == ()


def test_a_repository_without_a_commit_has_no_revision(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "compose.yaml").touch()
    git(tmp_path, "add", ".")
    assert find_revisions([tmp_path]) == ()


def test_a_repository_that_a_variable_selects_is_not_read(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert [one.folder for one in find_revisions([repository])] == [str(repository)]


def test_programs_in_the_configuration_are_not_executed(repository: Path, tmp_path: Path) -> None:
    trace = tmp_path / "executed"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {trace}\n")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "diff.external", "core.sshCommand"):
        git(repository, "config", key, str(script))
    hook = repository / ".git" / "hooks" / "post-index-change"
    hook.parent.mkdir(exist_ok=True)
    shutil.copy(script, hook)
    (repository / "compose.yaml").write_text("services: {app: {}}\n")
    assert find_revisions([repository])[0].has_changes is True
    assert not trace.exists()


def test_nothing_is_recorded_without_git(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_revisions([repository]) == ()


def test_a_slow_repository_does_not_delay_the_run(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_git(tmp_path / "bin", "exec sleep 60", monkeypatch)
    assert find_revisions([repository, tmp_path], timeout_s=0.05) == ()


def test_a_slow_comparison_leaves_the_commit(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = shutil.which("git")
    script = f'case "$*" in *diff*) exit 128;; esac\nexec {program} "$@"'
    write_git(tmp_path / "bin", script, monkeypatch)
    [found] = find_revisions([repository])
    assert found.has_changes is None
    assert found.commit


@pytest.mark.parametrize("output", ["", "HEAD", f"{COMMIT}x", r"\033[31m"])
def test_output_that_is_no_commit_is_not_recorded(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    write_git(tmp_path / "bin", f"printf '{output}'", monkeypatch)
    assert find_revisions([repository]) == ()


def test_paths_that_do_not_exist_have_no_revision(tmp_path: Path) -> None:
    assert find_revisions([tmp_path / "missing" / "compose.yaml"]) == ()


@pytest.mark.parametrize(
    ("has_changes", "text"),
    [
        (False, "0123456789"),
        (True, "0123456789 (with uncommitted changes)"),
        (None, "0123456789 (changes unknown)"),
    ],
)
def test_a_revision_is_shown_with_its_changes(has_changes: bool | None, text: str) -> None:
    revision = Revision(folder="/project", commit=COMMIT, has_changes=has_changes)
    assert revision_text(revision) == text
