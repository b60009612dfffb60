"""Finding and creating workspaces."""

from pathlib import Path

import pytest

from loadbench.errors import WorkspaceError
from loadbench.workspace import CONTENTS, Workspace, bundled_root, create_workspace


def make(folder: Path) -> Path:
    """Make an empty workspace."""
    (folder / "profiles").mkdir(parents=True)
    (folder / "stack").mkdir()
    return folder


def test_given_folder_comes_first(tmp_path: Path) -> None:
    given, enclosing = make(tmp_path / "given"), make(tmp_path / "enclosing")
    environ = {"LOADBENCH_WORKSPACE": str(enclosing)}
    workspace = Workspace.find(str(given), start=enclosing, environ=environ)
    assert (workspace.root, workspace.reports, workspace.bundled) == (
        given,
        given / "reports",
        False,
    )
    assert (workspace.profiles, workspace.stack) == (given / "profiles", given / "stack")


def test_environment_variable_comes_before_the_working_directory(tmp_path: Path) -> None:
    given, enclosing = make(tmp_path / "given"), make(tmp_path / "enclosing")
    workspace = Workspace.find(start=enclosing, environ={"LOADBENCH_WORKSPACE": str(given)})
    assert workspace.root == given


def test_nearest_parent_workspace_is_found(tmp_path: Path) -> None:
    outer = make(tmp_path / "outer")
    inner = make(outer / "inner")
    (inner / "a" / "b").mkdir(parents=True)
    (inner / "a" / "stack").mkdir()
    assert Workspace.find(start=inner / "a" / "b", environ={}).root == inner
    assert Workspace.find(start=outer, environ={}).root == outer


def test_bundled_workspace_is_the_fallback_with_local_reports(tmp_path: Path) -> None:
    workspace = Workspace.find(start=tmp_path, environ={"LOADBENCH_WORKSPACE": ""})
    assert workspace == Workspace(bundled_root(), tmp_path / "reports", bundled=True)


def test_search_starts_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("LOADBENCH_WORKSPACE", raising=False)
    assert Workspace.find().root == tmp_path / "here"


def test_folder_that_is_not_a_workspace_is_reported_with_the_init_command(tmp_path: Path) -> None:
    for arguments in ({"explicit": str(tmp_path)}, {"environ": {"LOADBENCH_WORKSPACE": "/gone"}}):
        with pytest.raises(WorkspaceError, match=r"not a workspace.*`loadbench-tui init "):
            Workspace.find(**arguments)


def test_bundled_workspace_is_complete() -> None:
    assert [name for name in CONTENTS if not (bundled_root() / name).exists()] == []


def test_new_workspace_is_a_copy_of_the_bundled_one(tmp_path: Path) -> None:
    target = tmp_path / "new" / "one"
    assert create_workspace(target) == list(CONTENTS)
    assert Workspace.find(start=target, environ={}).root == target
    for name in ("profiles/demo.yaml", "profiles/profile.schema.json", "locustfile.py"):
        assert (target / name).read_bytes() == (bundled_root() / name).read_bytes()
    assert list(target.rglob("__pycache__")) == []


def test_workspace_can_be_created_beside_other_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    create_workspace(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "profiles" / "demo.yaml").is_file()


def test_existing_files_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "demo.yaml").write_text("mine")
    with pytest.raises(WorkspaceError, match="already contains profiles; nothing was changed"):
        create_workspace(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["profiles"]
    assert (tmp_path / "profiles" / "demo.yaml").read_text() == "mine"


def test_file_at_the_target_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    for target in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(WorkspaceError, match="taken"):
            create_workspace(target)


def test_workspace_is_not_copied_into_itself() -> None:
    inside = bundled_root() / "profiles" / "mine"

    with pytest.raises(WorkspaceError, match="inside the workspace"):
        create_workspace(inside)

    assert not inside.exists()


def test_home_of_an_unknown_user_is_not_a_workspace() -> None:
    with pytest.raises(WorkspaceError, match="not a workspace"):
        Workspace.find("~no-such-user/x")
