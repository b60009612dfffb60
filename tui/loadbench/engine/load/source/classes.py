"""The classes of locustfiles: users, load shapes, and the tags of their tasks."""

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loadbench.engine.load.source.modules import SourceProject, search_path
from loadbench.engine.load.source.parsing import (
    SourceError,
    calls,
    constant_text,
    is_true,
    last_part,
    module_level,
)

OLD_CLASSES = ("HttpLocust", "Locust")
"""Base classes of users in Locust 0.x."""

_SHAPE = "LoadTestShape"
_KNOWN = frozenset(("locust", "gevent", *sys.stdlib_module_names))
"""Packages without user classes that are not abstract."""


@dataclass(frozen=True, slots=True)
class SourceClass:
    """A class of a Python file."""

    name: str
    file: Path
    line: int
    bases: tuple[str, ...]
    """The last parts of the names of its bases."""
    is_abstract: bool
    host: str | None
    """The host that it sets. Empty if it is no literal, None if it sets none."""
    host_line: int
    node: ast.ClassDef = field(compare=False, repr=False)


@dataclass(slots=True)
class Classes:
    """The classes that Locust finds in locustfiles."""

    users: list[SourceClass] = field(default_factory=list)
    """The user classes that are not abstract."""
    abstract: list[SourceClass] = field(default_factory=list)
    """The user classes that are abstract."""
    shapes: list[SourceClass] = field(default_factory=list)
    """The load shapes that are not abstract."""
    old: list[SourceClass] = field(default_factory=list)
    """Classes of Locust 0.x."""
    imported: set[str] = field(default_factory=set)
    """Names imported from packages that are not read."""
    renamed: set[str] = field(default_factory=set)
    """Other names of classes or values, under which Locust may know a user class."""
    is_open: bool = False
    """Whether all names of such a package are imported, so that there may be more classes."""
    is_dynamic: bool = False
    """Whether a file may make classes in other ways: with `type`, or from the tests of pytest."""

    @property
    def may_have_others(self) -> bool:
        """Whether Locust may find more classes than these."""
        return self.is_open or self.is_dynamic or bool(self.imported)


class ClassReader:
    """Reads the classes of locustfiles and of the modules that they import.

    Args:
        project: Parses the files.
        folder: Folder in which Locust runs.
    """

    def __init__(self, project: SourceProject, folder: Path) -> None:
        self._project, self._folder = project, folder
        self._classes: dict[Path, dict[str, SourceClass]] = {}
        self._kinds: dict[tuple[Path, str], str] = {}
        self._seen: dict[Path, dict[str, SourceClass]] = {}

    def read(self, locustfiles: Sequence[Path]) -> Classes:
        """Return the classes that Locust finds in locustfiles, which are valid Python."""
        found = Classes()
        for file in locustfiles:
            search = search_path(file, self._folder)
            tree = self._project.tree(file)
            found.is_dynamic |= _makes_classes(tree)
            found.renamed |= _renamed(tree).keys()
            for one in self._visible(file, search, found, 0).values():
                kind = self._kind(one, search)
                if kind == "user" and one not in (*found.users, *found.abstract):
                    (found.abstract if one.is_abstract else found.users).append(one)
                elif kind == "shape" and not one.is_abstract and one not in found.shapes:
                    found.shapes.append(one)
                elif kind == "old" and one not in found.old:
                    found.old.append(one)
        return found

    def host_of(self, one: SourceClass, locustfile: Path) -> SourceClass | None:
        """Return the class that sets the host of a user class: itself, or one of its bases."""
        search = search_path(locustfile, self._folder)
        for _ in range(_MAX_BASES):
            if one.host is not None:
                return one
            bases = (self._class(one.file, name, search) for name in one.bases)
            known = next((base for base in bases if base), None)
            if known is None:
                return None
            one = known
        return None

    def lineage(self, one: SourceClass, locustfile: Path) -> tuple[SourceClass, ...]:
        """Return a class and its bases in files of the project, in the order of their attributes.

        The order is that of Python, except for classes that several bases share.
        """
        search = search_path(locustfile, self._folder)
        found: dict[SourceClass, None] = {}
        waiting = [one]
        while waiting and len(found) < _MAX_BASES:
            each = waiting.pop(0)
            if each not in found:
                found[each] = None
                bases = (self._class(each.file, name, search) for name in each.bases)
                waiting = [*(base for base in bases if base), *waiting]
        return tuple(found)

    def find(self, name: str, file: Path, locustfile: Path) -> SourceClass | None:
        """Return a class with a name in a file, or in a file that it imports directly."""
        return self._class(file, name, search_path(locustfile, self._folder))

    def _visible(
        self, file: Path, search: Sequence[Path], found: Classes, depth: int
    ) -> dict[str, SourceClass]:
        """Return the classes that a file defines or imports, by name, and note what is unknown."""
        if file in self._seen:
            return self._seen[file]
        visible = self._seen[file] = dict(self._defined(file))
        for one in self._project.imports(file) if depth < _MAX_BASES else ():
            if not one.names or (one.package in _KNOWN and not one.level):
                continue
            files = self._project.find(one, file, search).files
            inner: dict[str, SourceClass] = {}
            for path in files:
                inner |= self._visible(path, search, found, depth + 1)
            is_all = "*" in one.names
            visible |= {name: each for name, each in inner.items() if is_all or name in one.names}
            found.is_open |= is_all and not files
            found.imported |= set(one.names) - inner.keys() - {"*"}
        found.is_open |= depth == _MAX_BASES
        return visible

    def _defined(self, file: Path) -> Mapping[str, SourceClass]:
        if file not in self._classes:
            try:
                tree = self._project.tree(file)
            except SourceError:
                self._classes[file] = {}
            else:
                self._classes[file] = {one.name: one for one in _classes_in(file, tree)}
        return self._classes[file]

    def _class(self, file: Path, name: str, search: Sequence[Path]) -> SourceClass | None:
        """Return a class with a name in a file, or in a file that it imports directly."""
        if one := self._defined(file).get(name):
            return one
        for imported in self._project.imports(file):
            for path in self._project.find(imported, file, search).files:
                if one := self._defined(path).get(name):
                    return one
        return None

    def _kind(self, one: SourceClass, search: Sequence[Path], depth: int = 0) -> str:
        """Return whether a class is a `user`, a `shape`, an `old` user or nothing of these."""
        key = (one.file, one.name)
        if key not in self._kinds:
            self._kinds[key] = ""  # also for a class that is its own base
            kinds = (self._kind_of_base(one, base, search, depth) for base in one.bases)
            self._kinds[key] = next(filter(None, kinds), "")
        return self._kinds[key]

    def _kind_of_base(self, one: SourceClass, base: str, search: Sequence[Path], depth: int) -> str:
        known = self._class(one.file, base, search)
        if known and known != one and depth < _MAX_BASES:
            return self._kind(known, search, depth + 1)
        if base in OLD_CLASSES:
            return "old"
        if base == _SHAPE:
            return "shape"
        return "user" if base.endswith("User") else ""


_MAX_BASES = 20
"""Maximum number of classes or modules from a class to its first base."""


def tags_of(tree: ast.Module) -> tuple[set[str], bool]:
    """Return the tags in a file, and whether it has others, which are no literals."""
    tags, has_others = set[str](), False
    for call in calls(tree):
        if last_part(call.func) == "tag":
            texts = [constant_text(one) for one in call.args]
            tags |= {text for text in texts if text is not None}
            has_others |= None in texts
    return tags, has_others


def _makes_classes(tree: ast.Module) -> bool:
    names = (last_part(call.func) for call in calls(tree))
    has_tests = any(
        isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in tree.body
    )
    return has_tests or not {"type", "globals", "exec", "setattr"}.isdisjoint(names)


def _renamed(tree: ast.Module) -> dict[str, str]:
    """Return the original names of names that a file imports or assigns under another one."""
    names: dict[str, str] = {}
    for node in module_level(tree.body):
        match node:
            case ast.ImportFrom(names=imported):
                names |= {one.asname: one.name for one in imported if one.asname}
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=original)):
                names[name] = original
    return names


def _classes_in(file: Path, tree: ast.Module) -> Iterator[SourceClass]:
    renamed = _renamed(tree)
    for node in module_level(tree.body):
        if isinstance(node, ast.ClassDef):
            yield source_class(file, node, renamed)


def source_class(file: Path, node: ast.ClassDef, renamed: Mapping[str, str]) -> SourceClass:
    """Return a class of a file.

    Args:
        file: The file.
        node: Its definition.
        renamed: Original names of names that the file imports or assigns under another one.
    """
    values = dict(attributes(node))
    host = values.get("host")
    is_host_set = host is not None and not _is_none(host)
    return SourceClass(
        name=node.name,
        file=file,
        line=node.lineno,
        bases=tuple(renamed.get(name, name) for name in map(last_part, node.bases) if name),
        is_abstract=is_true(values.get("abstract")),
        host=(constant_text(host) or "") if is_host_set else None,
        host_line=host.lineno if host else 0,
        node=node,
    )


def attributes(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names and values that a class sets."""
    for inner in module_level(node.body):
        match inner:
            case ast.Assign(targets=targets, value=value):
                yield from ((one.id, value) for one in targets if isinstance(one, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
