"""Examples that ship with the package: a locustfile and a profile for a kind of service."""

import shutil
from pathlib import Path

from loadbench.engine.profile.editing.file import check_new_file, create_profile_file
from loadbench.engine.profile.editing.splice import spliced
from loadbench.engine.profile.editing.templates import renamed_header
from loadbench.errors import ProfileError, UsageError, WorkspaceError
from loadbench.workspace import Workspace, bundled_root

EXAMPLES = Path("docs", "examples")
"""Folder of the examples in the bundled workspace."""
_PROFILE = "profile.yaml"


def example_names() -> list[str]:
    """Return the names of all examples."""
    return sorted(file.parent.name for file in (bundled_root() / EXAMPLES).glob(f"*/{_PROFILE}"))


def create_example(workspace: Workspace, example: str, name: str) -> tuple[Path, Path]:
    """Copy an example into a workspace. Existing files and folders are never changed.

    Args:
        workspace: The workspace.
        example: Name of the example.
        name: Name of the new profile, and of the folder of its locustfile.

    Returns:
        The new profile and the new folder.

    Raises:
        UsageError: There is no such example.
        ProfileError: The name is invalid or in use.
        WorkspaceError: The files cannot be written. Nothing was created.
    """
    if example not in (names := example_names()):
        raise UsageError(f"there is no example {example!r}. Examples: {', '.join(names)}")
    source = bundled_root() / EXAMPLES / example
    file, folder = workspace.profiles / f"{name}.yaml", workspace.root / name
    check_new_file(file)
    try:
        ignored = shutil.ignore_patterns(_PROFILE, "__pycache__")
        shutil.copytree(source, folder, ignore=ignored)
    except FileExistsError:
        raise ProfileError(f"{folder} already exists") from None
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise WorkspaceError(f"{folder}: {error.strerror or error}") from error
    try:
        create_profile_file(file, _profile(source / _PROFILE, example, name))
    except UsageError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return file, folder


def _profile(source: Path, example: str, name: str) -> bytes:
    """Return the profile of an example with the name and the folder of the copy."""
    text = renamed_header(source.read_text(encoding="utf-8"), example, name)
    return spliced(text.encode(), {"load.locustfile": f"{name}/locustfile.py"})
