"""Finds files of a project: compose files, locustfiles and source files, within limits."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from loadbench.engine.bounds.files import read_file
from loadbench.engine.bounds.parsing import BadInputError
from loadbench.engine.drivers.compose.project.files import COMPOSE_NAMES
from loadbench.paths import is_dir, is_file

MAX_BYTES = 1_000_000
"""Maximum size of a file that is read. Larger files are skipped."""

MAX_ENTRIES = 1_000
"""Maximum number of entries that are read of a folder."""

MAX_FOLDERS = 500
MAX_FILES = 2_000
MAX_DEPTH = 4
"""Number of folder levels below the project."""

MAX_COMPOSE_FILES = 50
MAX_LOCUSTFILES = 20

OVERRIDE_NAMES = (
    "compose.override.yaml",
    "compose.override.yml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
"""Names of files that Docker Compose adds by itself, unless it is given the names of files."""

LOCUSTFILE_NAME = "locustfile.py"

_COMPOSE_NAME = re.compile(r"(?:docker-)?compose[.\w-]*\.ya?ml")
_LOCUST_IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t]+locust\b", re.MULTILINE)
_USER_CLASS = re.compile(r"^class[ \t]+\w+\([^)]*(?:User|Locust)\b", re.MULTILINE)
_SKIPPED = ("node_modules", "site-packages", "__pycache__", "venv", "env", "vendor", "dist")


@dataclass(frozen=True)  # no slots: cached properties need a __dict__
class ProjectFiles:
    """The files of a project.

    Args:
        folder: The folder of the project.
        skipped: Folders that do not belong to it, such as that of the reports.
        ignored_locustfile: Contents of a locustfile that does not count: that of the bundled stack.
    """

    folder: Path
    skipped: tuple[Path, ...] = ()
    ignored_locustfile: str = ""

    @cached_property
    def compose_files(self) -> tuple[Path, ...]:
        """The compose files, the most likely one first.

        Those with a default name in the folder come first, then those in its direct subfolders,
        and then files with other names, such as `docker-compose.dev.yml`.
        """
        folders = [self.folder, *self._below(self.folder)]
        defaults = (folder / name for folder in folders for name in COMPOSE_NAMES)
        usual = [path for path in defaults if is_file(path)]
        others = [
            folder / entry
            for folder in folders
            for entry in names_in(folder)
            if _COMPOSE_NAME.fullmatch(entry)
            and entry not in (*COMPOSE_NAMES, *OVERRIDE_NAMES)
            and is_file(folder / entry)
        ]
        return tuple(usual or others)[:MAX_COMPOSE_FILES]

    @cached_property
    def locustfiles(self) -> tuple[Path, ...]:
        """The files that import Locust, the most likely locustfile first."""
        found = []
        for path in walk(self.folder, self._is_searched):
            if path.suffix != ".py" or not (text := text_of(path)):
                continue
            if _LOCUST_IMPORT.search(text) and text != self.ignored_locustfile:
                depth = len(path.relative_to(self.folder).parts)
                has_user = _USER_CLASS.search(text) is not None
                named = path.name == LOCUSTFILE_NAME
                rank = (not named, not has_user, "locust" not in path.name, depth, str(path))
                found.append((rank, path))
        return tuple(path for _, path in sorted(found)[:MAX_LOCUSTFILES])

    def _below(self, folder: Path) -> list[Path]:
        below = (folder / name for name in names_in(folder))
        return [path for path in below if is_dir(path) and self._is_searched(path)]

    def _is_searched(self, folder: Path) -> bool:
        return is_part(folder) and folder not in self.skipped


def walk(folder: Path, is_searched: Callable[[Path], bool]) -> Iterator[Path]:
    """Yield the files of a folder and its subfolders, those near it first, sorted by name.

    Symbolic links to folders are not followed.

    Args:
        folder: The folder.
        is_searched: Whether to search a subfolder.
    """
    level, visited, count = [folder], 0, 0
    for depth in range(MAX_DEPTH + 1):
        below: list[Path] = []
        for current in level:
            visited += 1
            if visited > MAX_FOLDERS:
                return
            for name in names_in(current):
                path = current / name
                if is_file(path):
                    count += 1
                    if count > MAX_FILES:
                        return
                    yield path
                elif depth < MAX_DEPTH and not path.is_symlink() and is_searched(path):
                    below.append(path)
        level = below


def is_part(folder: Path) -> bool:
    """Return whether a folder can contain files of a project, unlike those of its packages."""
    is_skipped = folder.name.startswith(".") or folder.name in _SKIPPED
    return not is_skipped and not is_file(folder / "pyvenv.cfg")


def text_of(path: Path) -> str:
    """Return the text of a file. Empty if it is too large, cannot be read or is not a file."""
    try:
        return read_file(path, max_bytes=MAX_BYTES).decode("utf-8", "replace")
    except (OSError, BadInputError):
        return ""


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder, sorted. Empty if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry, _ in zip(entries, range(MAX_ENTRIES), strict=False))
    except OSError:
        return []
