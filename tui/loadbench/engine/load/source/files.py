"""The locustfiles of a profile, and the folder in which Locust runs."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loadbench.engine.load.source.folder import choose_folder
from loadbench.engine.load.source.modules import SourceProject
from loadbench.engine.profile.loading import check_files
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.sections.load import LoadSection
from loadbench.errors import ProfileError
from loadbench.paths import exists, is_dir, is_file
from loadbench.workspace import Workspace

MAX_FILES = 200
"""Maximum number of locustfiles."""

MAX_FOLDERS = 1000
"""Maximum number of folders below one that the profile names."""

_SKIPPED = ("__pycache__", "node_modules", "site-packages")


@dataclass(frozen=True, slots=True)
class Locustfiles:
    """The locustfiles of a run."""

    paths: tuple[Path, ...]
    """Absolute paths of the files, in the order in which Locust loads them."""
    folder: Path
    """Absolute path of the folder in which Locust runs."""
    reason: str = ""
    """Why Locust runs in that folder: `its module helpers is in it`. Empty if it is the folder that
    contains the first file or that `load.locustfile` names, or if the profile names it."""


def find_locustfiles(root: Path, load: LoadSection) -> Locustfiles:
    """Return the locustfiles of a profile, and the folder in which Locust runs.

    Nothing in the files is executed.

    Args:
        root: Folder of the workspace.
        load: The section `load` of the profile.

    Raises:
        ProfileError: A file or folder is missing, or is no locustfile. The message lists every
            problem with its key.
    """
    root = _absolute(root)
    problems, found = [], dict[Path, None]()
    for name in load.locustfile:
        try:
            found |= dict.fromkeys(_files(root, name))
        except ProfileError as error:
            problems.append(str(error))
    if len(found) > MAX_FILES:
        problems.append(
            f"load.locustfile: more than {MAX_FILES} Python files. Name the locustfiles instead"
        )
    folder = None if load.folder is None else _absolute(root / load.folder)
    if folder and not is_dir(folder):
        problems.append(
            f"load.folder: folder not found: {folder}. Its path is relative to the workspace"
        )
    if problems:
        raise ProfileError("; ".join(problems))
    paths = tuple(found)
    if folder:
        return Locustfiles(paths, folder)
    named = _absolute(root / load.locustfile[0])
    base = named if is_dir(named) else named.parent
    return Locustfiles(paths, *choose_folder(root, paths, base, SourceProject(load.environment)))


def check_all_files(workspace: Workspace, profile: Profile) -> None:
    """Check that the locustfiles, the images and the CA certificate of a profile exist.

    Raises:
        ProfileError: One of them is missing, or cannot be read. The message lists all of them.
    """
    problems = []
    for check in (
        lambda: find_locustfiles(workspace.root, profile.load),
        lambda: check_files(workspace, profile),
    ):
        try:
            check()
        except ProfileError as error:
            problems.append(str(error))
    if problems:
        raise ProfileError("; ".join(problems))


def _absolute(path: Path) -> Path:
    """Return an absolute path without `..`, but with its symbolic links."""
    return Path(os.path.abspath(path))  # noqa: PTH100  # `Path.resolve` follows symbolic links


def _files(root: Path, name: str) -> list[Path]:
    """Return the locustfiles that a path names."""
    path = _absolute(root / name)
    if is_dir(path):
        if found := list(_python_files(path)):
            return found
        raise ProfileError(f"load.locustfile: no Python files in the folder {path}")
    if not exists(path):
        raise ProfileError(
            f"load.locustfile: file not found: {path}. Paths are relative to the workspace"
        )
    if path.suffix != ".py":
        raise ProfileError(
            f"load.locustfile: expected a file that ends in .py, or a folder: {path}"
        )
    if not is_file(path):
        raise ProfileError(f"load.locustfile: not a regular file: {path}")
    return [path]


def _python_files(folder: Path) -> Iterator[Path]:
    """Yield the Python files below a folder that `locust -f FOLDER` loads, sorted.

    Files that start with `_` do not count there. Hidden files and folders, virtual environments and
    caches do not count here.
    """
    for count, (path, folders, files) in enumerate(os.walk(folder)):
        if count == MAX_FOLDERS:
            raise ProfileError(
                f"load.locustfile: more than {MAX_FOLDERS} folders below {folder}. Name the "
                "locustfiles instead"
            )
        folders[:] = sorted(one for one in folders if _is_searched(Path(path, one)))
        named = (one for one in sorted(files) if one.endswith(".py") and one[0] not in "_.")
        yield from (file for one in named if is_file(file := Path(path, one)))


def _is_searched(folder: Path) -> bool:
    is_skipped = folder.name.startswith(".") or folder.name in _SKIPPED
    return not is_skipped and not exists(folder / "pyvenv.cfg")
