"""The command-line options that locustfiles add to Locust."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loadbench.engine.load.source.parsing import (
    calls,
    constant_text,
    dotted_text,
    is_true,
    keyword_of,
)
from loadbench.engine.profile.sections.locust_options import plain_option

_EVENT = "init_command_line_parser"


@dataclass(frozen=True, slots=True)
class DeclaredOption:
    """An option that a file adds to a parser."""

    names: tuple[str, ...]
    """Its names without dashes, the longest first. Empty if they are no literals."""
    written: str
    """Its longest name with dashes."""
    file: Path
    line: int
    is_required: bool
    """Whether Locust refuses to start without it, or without its variable."""
    variable: str
    """The environment variable that sets it, too. Empty if there is none."""
    choices: tuple[str, ...]
    """The allowed values. Empty if they are not restricted, or not literal, or if the option has
    several values or another type."""


def declared_options(file: Path, tree: ast.Module) -> Iterator[DeclaredOption]:
    """Yield the options that a file adds to a parser of command lines, in the order of lines."""
    listeners = set(_listeners(tree))
    of_locust = {id(call) for node in listeners for call in calls(node)}
    found = (call for call in calls(tree) if _is_addition(call))
    for call in sorted(found, key=lambda call: call.lineno):
        texts = [constant_text(one) for one in call.args]
        if texts and all(text is not None and not text.startswith("-") for text in texts):
            continue  # an argument without dashes is no option
        written = sorted((text for text in texts if text), key=len, reverse=True)
        yield DeclaredOption(
            names=tuple(map(plain_option, written)) if None not in texts else (),
            written=written[0] if written else "",
            file=file,
            line=call.lineno,
            is_required=is_true(keyword_of(call, "required")) and id(call) in of_locust,
            variable=constant_text(keyword_of(call, "env_var")) or "",
            choices=() if _is_converted(call) else tuple(_literals(keyword_of(call, "choices"))),
        )


def _is_addition(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"


def _listeners(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the functions that Locust calls with its parser."""
    named = {
        dotted_text(argument)
        for call in calls(tree)
        if _EVENT in dotted_text(call.func)
        for argument in call.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            decorators = (
                one.func if isinstance(one, ast.Call) else one for one in node.decorator_list
            )
            if node.name in named or any(_EVENT in dotted_text(one) for one in decorators):
                yield node


def _is_converted(call: ast.Call) -> bool:
    """Return whether an option has several values, or converts its value to other text."""
    has_other = any(keyword_of(call, name) is not None for name in ("nargs", "action"))
    kind = keyword_of(call, "type")
    return has_other or (kind is not None and dotted_text(kind) not in ("int", "str"))


def _literals(node: ast.expr | None) -> Iterator[str]:
    """Yield the items of a literal list as texts; none if it is no list of literals."""
    if not isinstance(node, ast.List | ast.Tuple | ast.Set):
        return
    if all(isinstance(one, ast.Constant) for one in node.elts):
        yield from (str(one.value) for one in node.elts if isinstance(one, ast.Constant))
