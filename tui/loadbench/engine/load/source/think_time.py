"""The think time of users, from the text of their classes."""

import ast
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadbench.engine.load.source.classes import SourceClass
from loadbench.engine.load.source.findings import quoted
from loadbench.engine.load.source.modules import SourceProject
from loadbench.engine.load.source.parsing import SourceError, keyword_of, last_part, module_level

_MAX_DEPTH = 10
"""Maximum number of names from an expression to its value."""
_MAX_S = 1e6
_FUNCTIONS = {
    "between": ("min_wait", "max_wait"),
    "constant": ("wait_time",),
    "constant_pacing": ("wait_time",),
    "constant_throughput": ("task_runs_per_second",),
}
"""Functions of Locust that return a wait time, and the names of their arguments."""
_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
}

Definition = ast.expr | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
NameLookup = Callable[[str], Definition | None]
"""Returns what a name stands for, or None if that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkTime:
    """The pause of a user after a task, in seconds."""

    pause_s: float = 0.0
    """Mean pause."""
    min_cycle_s: float = 0.0
    """Minimum time from one task to the next."""
    unknown: str = ""
    """Why it is unknown. Empty if it is known."""


def think_time(lineage: Sequence[SourceClass], reader: "NameReader") -> ThinkTime | None:
    """Return the think time of a class.

    Args:
        lineage: The class and its bases, from `ClassReader.lineage`.
        reader: Finds constants.

    Returns:
        The think time, or None if no class sets it.
    """
    for one in lineage:
        found = [value for name, value in definitions(one.node) if name == "wait_time"]
        if len(found) > 1:
            return _unknown(one, "it is set more than once")
        if found and not (isinstance(found[0], ast.Constant) and found[0].value is None):
            return _think_time_of(found[0], one, reader.names_in(one))
    return None


def number_of(
    node: ast.AST | None, names: NameLookup, known: dict[str, float | None] | None = None
) -> float | None:
    """Return the value of an expression of literals and constants, or None if it is another one.

    Args:
        node: The expression.
        names: Finds constants.
        known: The values of the constants that it has used so far.
    """
    known = {} if known is None else known
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() | float() as value):
            return _finite(lambda: float(value))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            negated = number_of(operand, names, known)
            return None if negated is None else -negated
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            first, second = number_of(left, names, known), number_of(right, names, known)
            if first is None or second is None:
                return None
            return _finite(lambda: _OPERATORS[type(operator)](first, second))
        case ast.Name(id=name):
            if name not in known:
                known[name] = None  # unless it is defined by itself
                known[name] = number_of(names(name), names, known)
            return known[name]
        case _:
            return None


def definitions(node: ast.ClassDef | ast.Module) -> Iterator[tuple[str, Definition]]:
    """Yield the names that a class or a module sets, and their values."""
    for inner in module_level(node.body):
        match inner:
            case ast.Assign(targets=targets, value=value):
                yield from ((one.id, value) for one in targets if isinstance(one, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, inner
            case ast.ClassDef(name=name):
                yield name, inner


class NameReader:
    """Finds what names in files of a project stand for.

    Args:
        project: Parses the files.
    """

    def __init__(self, project: SourceProject) -> None:
        self._project = project
        self._files: dict[Path, dict[str, Definition]] = {}

    def names_in(self, *lineage: SourceClass) -> NameLookup:
        """Return the names of a class and its bases, of their file and of its imports."""
        own: dict[str, Definition] = {}
        for one in reversed(lineage):
            own |= dict(_set_once(one.node))
        file = lineage[0].file

        def find(name: str) -> Definition | None:
            return own[name] if name in own else self._in_file(name, file, 0)

        return find

    def _in_file(self, name: str, file: Path, depth: int) -> Definition | None:
        """Return what a name in a file stands for, also if it is imported from another file."""
        found = self._set_in(file)
        if name in found or depth == _MAX_DEPTH:
            return found.get(name)
        for one in self._project.imports(file):
            if name in one.names:
                # Only files beside the importing one, where constants usually are.
                for path in self._project.find(one, file, (file.parent,)).files:
                    if value := self._in_file(name, path, depth + 1):
                        return value
        return None

    def _set_in(self, file: Path) -> dict[str, Definition]:
        if file not in self._files:
            try:
                self._files[file] = dict(_set_once(self._project.tree(file)))
            except SourceError:
                self._files[file] = {}
        return self._files[file]


def _set_once(node: ast.ClassDef | ast.Module) -> Iterator[tuple[str, Definition]]:
    found: dict[str, list[Definition]] = {}
    for name, value in definitions(node):
        found.setdefault(name, []).append(value)
    yield from ((name, values[0]) for name, values in found.items() if len(values) == 1)


def _think_time_of(node: Definition, one: SourceClass, names: NameLookup) -> ThinkTime:
    for _ in range(_MAX_DEPTH):
        if not isinstance(node, ast.Name):
            break
        value = names(node.id)
        if value is None:
            return _unknown(one, f"the value of {quoted(node.id)} is not known")
        node = value
    match node:
        case ast.Call(func=func) if (name := last_part(func)) in _FUNCTIONS:
            if isinstance(func, ast.Name) and names(name) is not None:
                return _unknown(one, f"{name} is a function of the locustfile")
            return _of_call(name, node, one, names)
        case ast.Lambda(body=body):
            seconds = number_of(body, names)
        case ast.FunctionDef(body=[ast.Return(value=ast.expr() as value)]):
            seconds = number_of(value, names)
        case _:
            seconds = None
    if seconds is None:
        return _unknown(one, "it is computed")
    return ThinkTime(pause_s=max(0.0, seconds))


def _of_call(name: str, call: ast.Call, one: SourceClass, names: NameLookup) -> ThinkTime:
    """Return the think time that a function of Locust gives."""
    values = []
    for place, key in enumerate(_FUNCTIONS[name]):
        given = call.args[place] if len(call.args) > place else keyword_of(call, key)
        values.append(number_of(given, names))
    known = [value for value in values if value is not None and 0 <= value <= _MAX_S]
    if len(known) < len(values) or (name == "constant_throughput" and not known[0]):
        return _unknown(one, f"the arguments of {name} are no numbers")
    match name:
        case "between" | "constant":
            return ThinkTime(pause_s=sum(known) / len(known))
        case "constant_pacing":
            return ThinkTime(min_cycle_s=known[0])
        case _:
            return ThinkTime(min_cycle_s=1 / known[0])


def _unknown(one: SourceClass, reason: str) -> ThinkTime:
    return ThinkTime(unknown=f"the think time of {quoted(one.name)} is unknown: {reason}")


def _finite(compute: Callable[[], float]) -> float | None:
    try:
        value = compute()
    except (ArithmeticError, ValueError):
        return None
    return value if math.isfinite(value) else None
