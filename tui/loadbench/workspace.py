"""Where profiles, the stack, the locustfile, the images and the reports are."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loadbench.errors import WorkspaceError

ENVIRONMENT_VARIABLE = "LOADBENCH_WORKSPACE"
CONTENTS = ("profiles", "stack", "images", "locustfile.py")

_PACKAGE = Path(__file__).resolve().parent
_NOT_COPIED = ("__pycache__", "*.pyc")


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder with `profiles/` and `stack/`, and the folder that reports go to."""

    root: Path
    reports: Path
    bundled: bool = False
    """True for the copy that came with the package, which is never written to."""

    @property
    def profiles(self) -> Path:
        """The folder of the saved profiles."""
        return self.root / "profiles"

    @property
    def stack(self) -> Path:
        """The folder of the service under test."""
        return self.root / "stack"

    @classmethod
    def find(
        cls,
        explicit: str | None = None,
        *,
        start: Path | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> "Workspace":
        """Find the workspace.

        Args:
            explicit: The folder that the user named, if any.
            start: Where the search begins; None: the working directory.
            environ: Where `LOADBENCH_WORKSPACE` is looked up.

        Returns:
            The named folder, else the nearest parent of `start` that holds `profiles/` and
            `stack/`, else the bundled copy with its reports in `./reports`.

        Raises:
            WorkspaceError: The named folder is not a workspace.
        """
        named = explicit or environ.get(ENVIRONMENT_VARIABLE)
        if named:
            root = Path(os.path.expanduser(named)).resolve()  # noqa: PTH111  # it raises nothing
            if not _is_workspace(root):
                raise WorkspaceError(
                    f"{root}: not a workspace, it has no profiles/ and stack/. "
                    f"`loadbench-tui init {named}` makes one."
                )
            return cls(root=root, reports=root / "reports")
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if _is_workspace(folder):
                return cls(root=folder, reports=folder / "reports")
        return cls(root=bundled_root(), reports=here / "reports", bundled=True)


def bundled_root() -> Path:
    """Return the folder of the bundled workspace: in the wheel, or the checkout it is run from."""
    installed = _PACKAGE / "_workspace"
    return installed if installed.is_dir() else _PACKAGE.parents[1]


def create_workspace(target: Path) -> list[str]:
    """Copy the bundled workspace into a folder that does not hold one yet.

    Args:
        target: The folder; it is made if it is missing, and may hold other things.

    Returns:
        The names of what was copied.

    Raises:
        WorkspaceError: Something of the workspace is there already, or the folder is not writable.
    """
    taken = [name for name in CONTENTS if (target / name).exists()]
    if taken:
        raise WorkspaceError(
            f"{target}: {', '.join(taken)} already there; nothing was changed. "
            "Name an empty folder, or move these away."
        )
    source = bundled_root()
    if source in (target.resolve(), *target.resolve().parents):
        raise WorkspaceError(f"{target}: inside the workspace that is copied; name another folder")
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
