"""Parse Python files of users, within limits."""

import ast
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from loadbench.engine.bounds.files import read_file

MAX_BYTES = 1_000_000
"""Maximum size of a Python file."""


_MAX_DEPTH = 300
"""Maximum depth of a syntax tree, below the recursion limit of Python, which is 1000."""


class SourceError(Exception):
    """A Python file cannot be read or parsed.

    Args:
        problem: The problem.
        line: The line number. 0 if the problem is not in one line.
    """

    def __init__(self, problem: str, line: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


def parse_source(path: Path) -> ast.Module:
    """Parse a Python file. Nothing in it is executed.

    Raises:
        SourceError: The file cannot be read, is too large, or is not valid Python.
    """
    try:
        data = read_file(path, max_bytes=MAX_BYTES)
        with warnings.catch_warnings():
            # Such as those about escape sequences.
            warnings.simplefilter("ignore")
            tree = ast.parse(data, str(path))
        _check_depth(tree)
    except FileNotFoundError:
        raise SourceError("file not found") from None
    except OSError as error:
        raise SourceError(error.strerror or str(error)) from error
    except SyntaxError as error:
        raise SourceError(f"{error.msg}", error.lineno or 1) from error
    except (RecursionError, MemoryError):
        raise SourceError("nested too deeply") from None
    except ValueError as error:
        raise SourceError(str(error) or "not a Python file") from error
    return tree


def _check_depth(tree: ast.Module) -> None:
    """Check the depth of a tree, so that recursive functions can visit it."""
    level: list[ast.AST] = [tree]
    for _ in range(_MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise RecursionError


def dotted_text(node: ast.AST) -> str:
    """Return a name such as `self.client.get`, or an empty text for other expressions."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name) if start := dotted_text(value):
            return f"{start}.{name}"
        case _:
            return ""


def last_part(node: ast.AST) -> str:
    """Return `HttpUser` of `locust.HttpUser`, also if what is before the dot is no name."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return last_part(value)
        case _:
            return ""


def constant_text(node: ast.AST | None) -> str | None:
    """Return the text of a literal, or None if a node is no text."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case _:
            return None


def is_true(node: ast.AST | None) -> bool:
    """Return whether a node is the literal `True`."""
    match node:
        case ast.Constant(value=True):
            return True
        case _:
            return False


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield all calls in a tree."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def keyword_of(call: ast.Call, name: str) -> ast.expr | None:
    """Return the value of a keyword argument, or None if a call has no such argument."""
    return next((one.value for one in call.keywords if one.arg == name), None)


def module_level(nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Yield the statements that may be executed when a module is imported, with nested ones."""
    for node in nodes:
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from module_level(statements_in(node))


def statements_in(node: ast.AST) -> list[ast.AST]:
    """Return the statements directly inside of another one."""
    kinds = (ast.stmt, ast.ExceptHandler, ast.match_case)
    return [child for child in ast.iter_child_nodes(node) if isinstance(child, kinds)]
