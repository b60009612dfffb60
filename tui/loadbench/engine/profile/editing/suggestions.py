"""Suggested values of a key, from the files of the workspace."""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadbench.engine.bounds.files import read_file
from loadbench.engine.profile.editing.compose_text import ComposeText, ServiceText
from loadbench.errors import ProfileError
from loadbench.paths import is_dir
from loadbench.workspace import Workspace

MAX_SECONDS = 1.0
MAX_BYTES = 1_000_000
MAX_ENTRIES = 300
"""Maximum number of entries that are read of a folder, and of suggestions."""

MAX_FOLDERS = 200
MAX_DEPTH = 2
"""Number of folder levels below the workspace."""

_COMPOSE_NAME = re.compile(r"(docker-)?compose.*\.ya?ml")
_LOCUST = re.compile(rb"^[ \t]*(?:from|import)[ \t]+locust\b", re.MULTILINE)
_USER_CLASS = re.compile(r"^class[ \t]+(\w+)[ \t]*\([^)]*User\b", re.MULTILINE)
_TAGS = re.compile(r"^[ \t]*@(?:locust\.)?tag\(([^)]*)\)", re.MULTILINE)
_TAG = re.compile(r"\"([^\"\\]+)\"|'([^'\\]+)'")
_IMAGE_NAME = re.compile(r".+\.jp.*g")
"""The same files as in `locustfile.py` of the workspace."""

_HEALTH_PATHS = ("/health", "/healthz", "/ready")
_SKIPPED = ("node_modules", "site-packages", "__pycache__")


@dataclass(frozen=True, slots=True)
class _Search:
    """A search in a workspace, with a limit of its time."""

    workspace: Workspace
    values: Mapping[str, Any]
    deadline_s: float
    """Value of `time.monotonic()` at which the search ends."""

    def compose_files(self) -> Iterator[str]:
        found = [path for path in self._files() if _COMPOSE_NAME.fullmatch(path.name)]
        # compose.yaml comes before compose.gpu.yaml, which overrides it.
        found.sort(key=lambda path: (len(path.parts), path.parent, path.name.count("."), path.name))
        return map(self._relative, found)

    def services(self) -> Iterator[str]:
        return (service.name for service in self._services())

    def hosts(self) -> Iterator[str]:
        return (url for service in self._services() for url in service.addresses())

    def health_checks(self) -> Iterator[str]:
        services = self._services()
        scaled = self.values.get("stack.service")
        services.sort(key=lambda service: service.name != scaled)
        yield from (path for service in services for path in service.health_paths())
        yield from _HEALTH_PATHS

    def locustfiles(self) -> Iterator[str]:
        for path in self._files():
            if path.suffix == ".py" and _LOCUST.search(_contents(path)):
                yield self._relative(path)

    def working_folders(self) -> Iterator[str]:
        for name in self._names("load.locustfile"):
            folders = Path(name).parents if name.endswith(".py") else [Path(name)]
            yield from (folder.as_posix() for folder in folders)

    def user_classes(self) -> Iterator[str]:
        for match in self._in_locustfiles(_USER_CLASS):
            yield match[1]

    def tags(self) -> Iterator[str]:
        for match in self._in_locustfiles(_TAGS):
            yield from (tag[1] or tag[2] for tag in _TAG.finditer(match[1]))

    def image_folders(self) -> Iterator[str]:
        folders = (path.parent for path in self._files() if _IMAGE_NAME.fullmatch(path.name))
        return (self._relative(folder) for folder in dict.fromkeys(folders))

    def _services(self) -> list[ServiceText]:
        """Return the services of the compose files that the values name, most relevant first."""
        merged = ComposeText()
        for name in self._names("stack.compose"):
            try:
                text = _contents(self.workspace.root / name).decode("utf-8")
                merged = merged.with_file(text, deadline_s=self.deadline_s)
            except (ProfileError, UnicodeDecodeError):
                continue
        return sorted(merged.services, key=lambda service: service.rank)

    def _names(self, key: str) -> list[str]:
        """Return the paths at a key, whose value may be invalid."""
        named = self.values.get(key)
        names = named if isinstance(named, list | tuple) else [named]
        return [name for name in names if isinstance(name, str)]

    def _in_locustfiles(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Yield the matches of a pattern in the locustfiles that the values name."""
        for name in self._names("load.locustfile"):
            path = self.workspace.root / name
            files = _entries(path)[1] if is_dir(path) else [path]
            for file in files:
                if file.suffix == ".py":
                    yield from pattern.finditer(_contents(file).decode("utf-8", "replace"))

    def _files(self) -> Iterator[Path]:
        """Yield the files of the workspace, those near its root first."""
        level = [self.workspace.root]
        visited = 0
        for depth in range(MAX_DEPTH + 1):
            below: list[Path] = []
            for folder in level:
                visited += 1
                if visited > MAX_FOLDERS or time.monotonic() > self.deadline_s:
                    return
                folders, files = _entries(folder)
                yield from files
                below += [path for path in folders if depth < MAX_DEPTH and self._is_searched(path)]
            level = below

    def _is_searched(self, folder: Path) -> bool:
        is_skipped = folder.name.startswith(".") or folder.name in _SKIPPED
        return not is_skipped and folder != self.workspace.reports

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.workspace.root).as_posix()


_SOURCES: dict[str, Callable[[_Search], Iterator[str]]] = {
    "stack.compose": _Search.compose_files,
    "stack.service": _Search.services,
    "stack.health": _Search.health_checks,
    "host": _Search.hosts,
    "load.locustfile": _Search.locustfiles,
    "load.folder": _Search.working_folders,
    "load.tags": _Search.tags,
    "load.exclude_tags": _Search.tags,
    "load.user_classes": _Search.user_classes,
    "load.keep_host": _Search.user_classes,
    "load.images": _Search.image_folders,
}


def suggestions(key: str, values: Mapping[str, Any], workspace: Workspace) -> tuple[str, ...]:
    """Return suggested values of a key, most relevant first.

    Takes about a second at most. Unreadable files are skipped.

    Args:
        key: Dotted name of the key. Keys with a fixed set of values have no suggestions here.
        values: Values by dotted key, valid or not. `stack.compose` names the compose files, and
            `load.locustfile` the locustfiles.
        workspace: Where relative paths start.
    """
    source = _SOURCES.get(key)
    if source is None:
        return ()
    search = _Search(workspace, values, time.monotonic() + MAX_SECONDS)
    found: dict[str, None] = {}
    for value in source(search):
        found[value] = None
        if len(found) == MAX_ENTRIES or time.monotonic() > search.deadline_s:
            break
    return tuple(found)


def compose_values(workspace: Workspace) -> dict[str, Any]:
    """Return values for a profile of a Compose project that was found in a workspace.

    Args:
        workspace: The workspace. The bundled service in it does not count.

    Returns:
        Compose file, service and health check by dotted key, as far as they were found.
    """
    files = suggestions("stack.compose", {}, workspace)
    own = [name for name in files if Path(name).parent.name != workspace.stack.name]
    if not own:
        return {}
    values: dict[str, Any] = {"stack.compose": own[:1]}
    for key in ("stack.service", "stack.health"):
        if found := suggestions(key, values, workspace):
            values[key] = found[0]
    return values


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the subfolders and the files of a folder, sorted; none of a virtual environment."""
    folders, files = [], []
    try:
        with os.scandir(folder) as entries:
            for entry, _ in zip(entries, range(MAX_ENTRIES), strict=False):
                if entry.name == "pyvenv.cfg":
                    return [], []
                if entry.is_dir(follow_symlinks=False):
                    folders.append(folder / entry.name)
                elif entry.is_file():
                    files.append(folder / entry.name)
    except OSError:
        return [], []
    return sorted(folders), sorted(files)


def _contents(path: Path) -> bytes:
    """Return a file's contents; nothing if it is too large, unreadable or not a file."""
    try:
        return read_file(path, max_bytes=MAX_BYTES)
    except (OSError, ValueError):
        return b""
