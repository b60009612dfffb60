"""Copying an example into a workspace, besides what the command `new` tests."""

from pathlib import Path

import pytest

from loadbench.engine.profile.examples import create_example, example_names
from loadbench.errors import WorkspaceError
from loadbench.workspace import Workspace


def test_all_examples_are_listed() -> None:
    assert example_names() == ["chat"]


def test_an_example_whose_profile_cannot_be_saved_leaves_nothing(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, tmp_path / "reports")

    with pytest.raises(WorkspaceError, match="No such file or directory"):
        create_example(workspace, "chat", "mine")

    assert list(tmp_path.iterdir()) == []


def test_an_example_whose_locustfile_cannot_be_saved_leaves_nothing(tmp_path: Path) -> None:
    root = tmp_path / "file"
    root.touch()

    with pytest.raises(WorkspaceError, match="Not a directory"):
        create_example(Workspace(root, tmp_path / "reports"), "chat", "mine")
