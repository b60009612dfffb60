"""The locustfiles of a profile, and the folder in which Locust runs."""

import os
from dataclasses import dataclass
from pathlib import Path

from loadbench.engine.profile.sections.load import LoadSection


@dataclass(frozen=True, slots=True)
class Locustfiles:
    """The locustfiles of a run."""

    paths: tuple[Path, ...]
    """Absolute paths of the files, in the order in which Locust loads them."""
    folder: Path
    """Absolute path of the folder in which Locust runs."""
    reason: str = ""
    """Why Locust runs in that folder. Empty if it is the folder of the first file, or if the
    profile names it."""


def find_locustfiles(root: Path, load: LoadSection) -> Locustfiles:
    """Return the locustfiles of a profile.

    Args:
        root: Folder of the workspace.
        load: The section `load` of the profile.
    """
    paths = tuple(Path(os.path.abspath(root / name)) for name in load.locustfile)  # noqa: PTH100
    return Locustfiles(paths, paths[0].parent if load.folder is None else root / load.folder)
