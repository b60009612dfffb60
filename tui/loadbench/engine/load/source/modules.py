"""Find the modules of a project that its locustfiles import."""

import ast
import importlib.machinery
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadbench.engine.load.source.imports import Import, Need, imports_of, is_installed
from loadbench.engine.load.source.parsing import MAX_BYTES, SourceError, parse_source
from loadbench.paths import exists, is_dir, is_file

MAX_MODULES = 200
"""Maximum number of modules that are followed from the locustfiles."""

MAX_LOOKUPS = 100_000
"""Maximum number of imports that are looked up. Later ones count as found."""

MAX_TOTAL_BYTES = 4 * MAX_BYTES
"""Maximum total size of the modules that are followed."""

_SUFFIXES = tuple(importlib.machinery.all_suffixes())


@dataclass(frozen=True, slots=True)
class Found:
    """Where a module was found."""

    files: tuple[Path, ...] = ()
    """The Python files that an import of it executes."""
    is_complete: bool = True
    """Whether all parts of its name were found."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A file of a project that a locustfile imports, directly or not, or a locustfile."""

    locustfile: Path
    need: Need
    """How much the locustfile needs the file."""


class SourceProject:
    """The Python files of a project. Each is parsed once.

    Args:
        variables: The environment variables of Locust that the profile sets.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._folders = [one for one in variables.get("PYTHONPATH", "").split(os.pathsep) if one]
        self._trees: dict[Path, ast.Module | SourceError] = {}
        self._imports: dict[Path, tuple[Import, ...]] = {}
        self._installed: dict[str, bool] = {}
        self._lookups = 0
        self._found: dict[tuple[str, tuple[str, ...], Sequence[Path]], Found] = {}
        self._reached: dict[tuple[Sequence[Path], Path], dict[Path, Reached]] = {}

    def tree(self, path: Path) -> ast.Module:
        """Return the syntax tree of a file.

        Raises:
            SourceError: The file cannot be read or parsed.
        """
        if path not in self._trees:
            try:
                self._trees[path] = parse_source(path)
            except SourceError as error:
                self._trees[path] = error
        found = self._trees[path]
        if isinstance(found, SourceError):
            raise found
        return found

    def imports(self, path: Path) -> tuple[Import, ...]:
        """Return the imports of a file; none if it cannot be parsed."""
        if path not in self._imports:
            try:
                self._imports[path] = imports_of(self.tree(path))
            except SourceError:
                self._imports[path] = ()
        return self._imports[path]

    def is_installed(self, package: str) -> bool:
        """Return whether a package is in the standard library or in this environment."""
        if package not in self._installed:
            self._installed[package] = is_installed(package, self._folders)
        return self._installed[package]

    def reached(self, files: Sequence[Path], folder: Path) -> dict[Path, Reached]:
        """Return the locustfiles, and the files of the project that they import, within limits.

        Args:
            files: The locustfiles.
            folder: Folder in which Locust runs.
        """
        key = (tuple(files), folder)
        if key not in self._reached:
            self._reached[key] = self._reach(files, folder)
        return self._reached[key]

    def _reach(self, files: Sequence[Path], folder: Path) -> dict[Path, Reached]:
        found = {file: Reached(file, Need.ALWAYS) for file in files}
        total = 0
        for need in sorted(Need, reverse=True):
            waiting = list(found)
            while waiting:
                file = waiting.pop(0)
                search = search_path(found[file].locustfile, folder)
                imports = (one for one in self.imports(file) if one.need >= need)
                paths = (path for one in imports for path in self.find(one, file, search).files)
                for path in paths:
                    if path in found:
                        continue
                    total += _size(path)
                    if total > MAX_TOTAL_BYTES or len(found) == MAX_MODULES:
                        return found
                    found[path] = Reached(found[file].locustfile, need)
                    waiting.append(path)
        return found

    def find(self, one: Import, file: Path, search: Sequence[Path]) -> Found:
        """Find a module of the project.

        Args:
            one: The import.
            file: The file with the import.
            search: The folders in which Python looks for modules, in their order.

        Returns:
            What was found. A package of the environment counts as complete, but has no files.
        """
        self._lookups += 1
        if self._lookups > MAX_LOOKUPS:
            return Found()
        if one.level:
            return Found(tuple(_relative(one, file)))
        key = (one.name, one.names, tuple(search))
        if key not in self._found:
            self._found[key] = self._absolute(one, search)
        return self._found[key]

    def _absolute(self, one: Import, search: Sequence[Path]) -> Found:
        parts = one.name.split(".")
        if parts[0] in _LOADED or not _in_any(parts[0], search):
            return Found(is_complete=self.is_installed(parts[0]))
        found = _find(parts, one.names, search)
        if not found.is_complete and not found.files and self.is_installed(parts[0]):
            # A folder without Python files does not hide a package of the environment.
            return Found()
        return found


_LOADED = frozenset((*sys.builtin_module_names, "locust", "gevent"))
"""Packages that no file can replace, because they are loaded before the locustfile."""


def search_path(file: Path, folder: Path) -> tuple[Path, ...]:
    """Return the folders in which Locust looks for the modules of a locustfile."""
    return tuple(dict.fromkeys((file.parent, folder)))


def _in_any(name: str, folders: Sequence[Path]) -> bool:
    return any(is_dir(one / name) or _module_file(one, name) for one in folders)


def _find(parts: Sequence[str], names: Sequence[str], search: Sequence[Path]) -> Found:
    """Find a dotted name below folders, as the import system does."""
    files: list[Path] = []
    folders = list(search)
    for index, part in enumerate(parts):
        spaces = []
        for folder in folders:
            package = folder / part
            if is_file(package / "__init__.py"):
                files.append(package / "__init__.py")
                spaces = [package]
                break
            if module := _module_file(folder, part):
                if module.suffix == ".py":
                    files.append(module)
                return Found(tuple(files), index == len(parts) - 1)
            if is_dir(package):
                # A folder without __init__.py: it is used if there is nothing else.
                spaces.append(package)
        if not spaces:
            return Found(tuple(files), is_complete=False)
        folders = spaces
    has_code = bool(files) and files[-1].parent in folders
    inner = [_find([name], (), folders) for name in names if name != "*"]
    files += (file for one in inner for file in one.files)
    # In a folder without __init__.py, each name is a module.
    return Found(tuple(files), has_code or all(one.is_complete for one in inner))


def _module_file(folder: Path, name: str) -> Path | None:
    return next((p for s in _SUFFIXES if is_file(p := folder / f"{name}{s}")), None)


def _relative(one: Import, file: Path) -> Iterator[Path]:
    """Yield the files of a relative import inside a package."""
    package = file.parents[min(one.level, len(file.parents)) - 1]
    if not exists(package):
        return
    if one.name:
        yield from _find(one.name.split("."), one.names, [package]).files
    else:
        for name in one.names:
            yield from _find([name], (), [package]).files


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
