"""The modules that a Python file imports, and how certain that is."""

import ast
import importlib.machinery
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from loadbench.engine.load.source.parsing import calls, dotted_text, statements_in

_IMPORT_ERRORS = ("ImportError", "ModuleNotFoundError", "Exception", "BaseException")
_PATH_CHANGES = ("sys.path.insert", "sys.path.append", "sys.path.extend", "site.addsitedir")


class Need(IntEnum):
    """How much a file needs a module that it imports."""

    OPTIONAL = 0
    """It catches the error, or only a type checker imports the module."""
    LATER = 1
    """A function or a condition may import it."""
    ALWAYS = 2
    """The import of the file fails without it."""


@dataclass(frozen=True, slots=True)
class Import:
    """A module that a file imports."""

    name: str
    """The dotted name. Empty for `from . import x`."""
    line: int
    need: Need
    level: int = 0
    """Number of leading dots."""
    names: tuple[str, ...] = ()
    """What it imports from the module: submodules, or names in it. `*` for all names."""

    @property
    def package(self) -> str:
        """The first part of the name."""
        return self.name.partition(".")[0]

    @property
    def statement(self) -> str:
        """The import as written, shortened."""
        if not self.level and not self.names:
            return f"import {self.name}"
        return f"from {'.' * self.level}{self.name} import {', '.join(self.names[:3])}"


def imports_of(tree: ast.Module) -> tuple[Import, ...]:
    """Return the imports of a file in the order of their lines."""
    return tuple(_imports(tree.body, Need.ALWAYS))


def _imports(nodes: Sequence[ast.AST], need: Need) -> Iterator[Import]:
    for node in nodes:
        match node:
            case ast.Import(names=names):
                yield from (Import(one.name, node.lineno, need) for one in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                imported = tuple(one.name for one in names)
                yield Import(module or "", node.lineno, need, level, imported)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.For() | ast.While() | ast.Match():
                yield from _imports(statements_in(node), min(need, Need.LATER))
            case ast.If(test=test, body=body, orelse=orelse):
                is_skipped = _is_false_in_locust(test)
                yield from _imports(body, Need.OPTIONAL if is_skipped else min(need, Need.LATER))
                yield from _imports(orelse, need if is_skipped else min(need, Need.LATER))
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                inner = Need.OPTIONAL if any(map(_catches_missing, handlers)) else need
                yield from _imports([*body, *orelse], inner)
                yield from _imports(handlers, min(inner, Need.LATER))
                yield from _imports(final, need)
            case ast.With(items=items, body=body):
                is_caught = any(_suppresses(item.context_expr) for item in items)
                yield from _imports(body, Need.OPTIONAL if is_caught else need)
            case ast.stmt() | ast.ExceptHandler() | ast.match_case():
                yield from _imports(statements_in(node), need)


def _is_false_in_locust(test: ast.AST) -> bool:
    """Return whether a condition is true only for type checkers or in a script."""
    match test:
        case ast.Compare(left=ast.Name(id="__name__")):
            return True
        case _:
            return dotted_text(test).rpartition(".")[2] == "TYPE_CHECKING"


def _catches_missing(handler: ast.ExceptHandler) -> bool:
    """Return whether an `except` catches the error about a missing module."""
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(dotted_text(kind) in _IMPORT_ERRORS for kind in kinds)


def _suppresses(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=func, args=args) if dotted_text(func).endswith("suppress"):
            return any(dotted_text(kind) in _IMPORT_ERRORS for kind in args)
        case _:
            return False


def changes_search_path(tree: ast.Module) -> bool:
    """Return whether a file adds folders to `sys.path`, so that its imports are not predictable."""
    if any(dotted_text(call.func) in _PATH_CHANGES for call in calls(tree)):
        return True
    targets = (
        target
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AugAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    )
    return any(
        dotted_text(one.value if isinstance(one, ast.Subscript) else one) == "sys.path"
        for one in targets
    )


def knows_its_path(tree: ast.Module) -> bool:
    """Return whether a file uses its own path."""
    return any(isinstance(node, ast.Name) and node.id == "__file__" for node in ast.walk(tree))


def is_installed(package: str, folders: Sequence[str] = ()) -> bool:
    """Return whether a package is in the standard library or in this environment.

    Packages in the working folder of this process do not count.

    Args:
        package: Its name.
        folders: Further folders on the search path.
    """
    if package in sys.stdlib_module_names or package in sys.builtin_module_names:
        return True
    path = [*folders, *_search_path()]
    for finder in sys.meta_path:
        is_by_path = finder is importlib.machinery.PathFinder
        try:
            if finder.find_spec(package, path if is_by_path else None) is not None:
                return True
        except (ImportError, ValueError, AttributeError, OSError):
            continue
    return False


def _search_path() -> list[str]:
    """Return `sys.path` without the working folder, which `python -m` adds as the first entry."""
    try:
        here = str(Path.cwd())
    except OSError:  # it has been deleted
        here = ""
    return sys.path[1:] if sys.path[:1] in ([""], [here]) else sys.path
