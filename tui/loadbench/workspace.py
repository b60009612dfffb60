"""The workspace: profiles, stack, locustfile, images and reports."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
        """
        given = explicit or environ.get(ENVIRONMENT_VARIABLE)
        if given:
            # Unlike os.path.expanduser, Path.expanduser raises an error for unknown users.
            root = Path(os.path.expanduser(given)).resolve()  # noqa: PTH111
            if not _is_workspace(root):
                raise WorkspaceError(
                    f"{root} is not a workspace: profiles/ or stack/ is missing. "
                    f"To create one, run `loadbench-tui init {given}`."
                )
            return cls(root=root, reports=root / "reports")
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if _is_workspace(folder):
                return cls(root=folder, reports=folder / "reports")
        return cls(root=bundled_root(), reports=here / "reports", bundled=True)


def bundled_root() -> Path:
    """Return the folder of the bundled workspace, in the installed package or the checkout."""
    installed = _PACKAGE / "_workspace"
    return installed if installed.is_dir() else _PACKAGE.parents[1]


def create_workspace(target: Path) -> list[str]:
    """Copy the bundled workspace into a folder.

    Args:
        target: Target folder, created if it does not exist. Other files in it remain unchanged.

    Returns:
        The names of the copied files and folders.

    Raises:
        WorkspaceError: Part of a workspace already exists there, or the folder is not writable.
    """
    existing = [name for name in CONTENTS if (target / name).exists()]
    if existing:
        raise WorkspaceError(
            f"{target} already contains {', '.join(existing)}; nothing was changed. "
            "Choose an empty folder, or move these files elsewhere."
        )
    source = bundled_root()
    if source in (target.resolve(), *target.resolve().parents):
        raise WorkspaceError(
            f"{target} is inside the workspace to copy. Choose a folder outside it."
        )
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in CONTENTS:
            if (source / name).is_dir():
                ignore = shutil.ignore_patterns(*_NOT_COPIED)
                shutil.copytree(source / name, target / name, ignore=ignore)
            else:
                shutil.copy2(source / name, target / name)
    except OSError as error:
        raise WorkspaceError(f"{error.filename or target}: {error.strerror or error}") from error
    return list(CONTENTS)


def _is_workspace(folder: Path) -> bool:
    return (folder / "profiles").is_dir() and (folder / "stack").is_dir()
