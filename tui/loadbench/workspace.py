"""The workspace: profiles, stack, locustfile, images and reports."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loadbench import paths
from loadbench.errors import WorkspaceError

ENVIRONMENT_VARIABLE = "LOADBENCH_WORKSPACE"
CONTENTS = ("profiles", "stack", "images", "locustfile.py")

_PACKAGE = Path(__file__).resolve().parent
_NOT_COPIED = ("__pycache__", "*.pyc", ".trash")


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder with `profiles/` and `stack/`, and the folder for reports."""

    root: Path
    reports: Path
    bundled: bool = False
    """Whether this is the read-only copy that ships with the package."""

    @property
    def profiles(self) -> Path:
        """Folder of the saved profiles."""
        return self.root / "profiles"

    @property
    def stack(self) -> Path:
        """Folder of the service under test."""
        return self.root / "stack"

    @classmethod
    def find(
        cls,
        explicit: str | None = None,
        *,
        start: Path | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> "Workspace":
        """Return the workspace that the user selected, or the default workspace.

        Args:
            explicit: Folder given by the user, if any.
            start: Folder where the search starts. Default: the working directory.
            environ: Environment to read `LOADBENCH_WORKSPACE` from.

        Returns:
            The given folder; otherwise the nearest folder with `profiles/` and `stack/` among
            `start` and its parents; otherwise the bundled copy, with reports in `./reports`.

        Raises:
            WorkspaceError: The given folder is not a workspace.
            UsageError: The path is invalid, or the working folder has been deleted.
        """
        given = explicit or environ.get(ENVIRONMENT_VARIABLE)
        if given:
            # Unlike os.path.expanduser, Path.expanduser raises an error for unknown users.
            root = paths.resolved(os.path.expanduser(given))  # noqa: PTH111
            if not _is_workspace(root):
                raise WorkspaceError(
                    f"{root} is not a workspace: profiles/ or stack/ is missing. "
                    f"To create one, run `loadbench-tui init {given}`."
                )
            return cls(root=root, reports=root / "reports")
        here = paths.resolved(start or ".")
        for folder in (here, *here.parents):
            if _is_workspace(folder):
                return cls(root=folder, reports=folder / "reports")
        return cls(root=bundled_root(), reports=here / "reports", bundled=True)


def bundled_root() -> Path:
    """Return the folder of the bundled workspace, in the installed package or the checkout."""
    installed = _PACKAGE / "_workspace"
    return installed if installed.is_dir() else _PACKAGE.parents[1]


def create_workspace(target: Path, *, keep_existing: bool = False) -> list[str]:
    """Copy the bundled workspace into a folder.

    Args:
        target: Target folder, created if it does not exist. Other files in it remain unchanged, and
            empty folders count as missing.
        keep_existing: Whether to copy only what is missing.

    Returns:
        The names of the copied files and folders.

    Raises:
        WorkspaceError: Part of a workspace already exists there, or the folder is not writable.
        UsageError: The path is invalid, or the working folder has been deleted.
    """
    root = paths.resolved(target)
    existing = [name for name in CONTENTS if _has_content(target / name)]
    if existing and not keep_existing:
        raise WorkspaceError(
            f"{target} already contains {', '.join(existing)}; nothing was changed. "
            "Choose an empty folder, or move these files elsewhere."
        )
    source = bundled_root()
    if source in (root, *root.parents):
        raise WorkspaceError(
            f"{target} is inside the workspace to copy. Choose a folder outside it."
        )
    try:
        target.mkdir(parents=True, exist_ok=True)
        missing = [name for name in CONTENTS if name not in existing]
        for name in missing:
            if (source / name).is_dir():
                ignore = shutil.ignore_patterns(*_NOT_COPIED)
                shutil.copytree(source / name, target / name, ignore=ignore, dirs_exist_ok=True)
            else:
                shutil.copy2(source / name, target / name)
    except OSError as error:
        raise WorkspaceError(f"{error.filename or target}: {error.strerror or error}") from error
    return missing


def _has_content(path: Path) -> bool:
    """Return whether a file exists, or a folder that is not empty."""
    if not paths.is_dir(path):
        return paths.exists(path)
    try:
        return any(path.iterdir())
    except OSError:
        return True


def _is_workspace(folder: Path) -> bool:
    return paths.is_dir(folder / "profiles") and paths.is_dir(folder / "stack")
