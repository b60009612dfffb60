"""Choose the folder in which Locust runs.

Plain Locust, started as `locust -f load/chat/locustfile.py`, looks for modules in the folder of the
file and in the current folder, and opens relative paths in the current folder.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from loadbench.engine.load.source.imports import (
    Import,
    Need,
    changes_search_path,
    knows_its_path,
)
from loadbench.engine.load.source.modules import SourceProject, search_path
from loadbench.engine.load.source.parsing import (
    SourceError,
    calls,
    constant_text,
    keyword_of,
    last_part,
)
from loadbench.paths import exists

MAX_LEVELS = 6
"""Maximum number of folders above a locustfile outside of the workspace."""

MAX_PATHS = 100
"""Maximum number of literal paths in a file that are looked for."""

_MUST = Need.ALWAYS

_OPENING = ("open", "Path", "read_csv", "read_json", "read_parquet", "read_table")
"""Functions whose first argument is the path of a file to read."""


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A relative path in a file."""

    path: str
    line: int


def choose_folder(
    root: Path, files: Sequence[Path], base: Path, project: SourceProject
) -> tuple[Path, str]:
    """Return the folder in which Locust runs, and why unless it is the first candidate.

    It is the nearest folder in which all imports that the files need are found. Of several such
    folders, it is one in which most of the other imports are found, then the only one that contains
    files that the locustfiles open.

    Args:
        root: Folder of the workspace.
        files: The locustfiles.
        base: The first candidate; the others are above it.
        project: Parses the files.
    """
    candidates = _candidates(root, base)
    demands = [_Demands(file, project, candidates) for file in files]
    fitting = [one for one in candidates if all(demand.are_met(one) for demand in demands)]
    if not fitting:
        return base, ""
    counts = [sum(demand.met_later(one) for demand in demands) for one in fitting]
    best = [one for one, count in zip(fitting, counts, strict=True) if count == max(counts)]
    chosen = best[0]
    if chosen != base:
        names = [name for demand in demands for name in demand.lacking(base, chosen)]
        return chosen, f"its module {names[0]} is in it" if names else "its imports are found in it"
    for path in dict.fromkeys(one.path for demand in demands for one in demand.opened):
        containing = [one for one in best if exists(one / path)]
        if len(containing) == 1:
            reason = f"its file {path} is in it" if containing[0] != base else ""
            return containing[0], reason
    return base, ""


def opened_files(tree: ast.Module, functions: Sequence[str] = _OPENING) -> Iterator[OpenedFile]:
    """Yield the literal relative paths that a file opens for reading, in the order of lines.

    Args:
        tree: The file.
        functions: Names of the functions that open a file, whose first argument is its path.
    """
    found = (call for call in calls(tree) if last_part(call.func) in functions and call.args)
    for call in sorted(found, key=lambda call: call.lineno):
        path = constant_text(call.args[0])
        mode = constant_text(call.args[1] if len(call.args) > 1 else keyword_of(call, "mode"))
        is_read = mode is None or not set(mode) & set("wax")
        if path and is_read and "\0" not in path and not PurePath(path).is_absolute():
            yield OpenedFile(path, call.lineno)


class _Demands:
    """What a locustfile, with the modules that it imports, needs of the folder."""

    def __init__(self, file: Path, project: SourceProject, candidates: Sequence[Path]) -> None:
        self._file, self._project, self._candidates = file, project, candidates
        self.opened: list[OpenedFile] = []
        self._is_independent = False
        try:
            tree = project.tree(file)
        except SourceError:
            return
        self.opened = list(opened_files(tree))[:MAX_PATHS]
        # It probably finds its modules itself, wherever it runs.
        self._is_independent = changes_search_path(tree) and knows_its_path(tree)

    def are_met(self, folder: Path) -> bool:
        """Return whether all modules are found without which the import fails.

        Those that no candidate has do not count: they are probably packages to install.
        """
        missing = (
            one
            for one, need in self._imports(folder)
            if need is _MUST and not self._is_found(one, folder)
        )
        return self._is_independent or not any(
            self._is_found(one, other) for one in missing for other in self._candidates
        )

    def met_later(self, folder: Path) -> int:
        """Return the number of other modules that are found."""
        if self._is_independent:
            return 0
        others = (one for one, need in self._imports(folder) if need is not _MUST)
        return sum(self._is_found(one, folder) for one in others)

    def lacking(self, folder: Path, other: Path) -> Iterator[str]:
        """Yield the names of the modules that are found in another folder only."""
        for one, _ in self._imports(other) if not self._is_independent else ():
            if not self._is_found(one, folder) and self._is_found(one, other):
                yield one.name

    def _is_found(self, one: Import, folder: Path) -> bool:
        return self._project.find(one, self._file, search_path(self._file, folder)).is_complete

    def _imports(self, folder: Path) -> Iterator[tuple[Import, Need]]:
        """Yield the imports that can depend on the folder, and how much they are needed."""
        for file, reached in self._project.reached([self._file], folder).items():
            for one in self._project.imports(file):
                if not one.level and not self._project.is_installed(one.package):
                    yield one, min(one.need, reached.need)


def _candidates(root: Path, base: Path) -> list[Path]:
    """Return the folders from the base up to the workspace."""
    if base.is_relative_to(root):
        return [base, *(one for one in base.parents if one.is_relative_to(root))]
    return list(dict.fromkeys((base, *list(base.parents)[:MAX_LEVELS], root)))
