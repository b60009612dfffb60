"""Requests of locustfiles with absolute URLs, which do not go to `host`."""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from loadbench.engine.bounds.loopback import origin_of
from loadbench.engine.load.source.parsing import (
    calls,
    constant_text,
    dotted_text,
    keyword_of,
    last_part,
    module_level,
)

_METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
_REST = ("rest", "rest_")
"""Methods of a user, whose first argument is the HTTP method."""

_SCHEMES = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class AbsoluteUrl:
    """An absolute URL of a request."""

    start: str
    """The URL, or its start if the rest is computed."""
    origin: str
    """Scheme, host and port, such as `http://shop:8080`. Empty if they are computed in part."""
    line: int


def absolute_urls(tree: ast.Module) -> Iterator[AbsoluteUrl]:
    """Yield the absolute URLs that a file passes to the client of a user."""
    constants = dict(_constants(tree))
    for call in sorted(calls(tree), key=lambda call: call.lineno):
        start, is_complete = _start_of(_url_of(call), constants)
        if start.lower().startswith(_SCHEMES):
            yield AbsoluteUrl(start, _origin(start, is_complete=is_complete), call.lineno)


def request_of(call: ast.Call, constants: Mapping[str, str]) -> tuple[str, str] | None:
    """Return method and name of the request that a call sends, or None if it sends none.

    Args:
        call: The call.
        constants: Texts by the names to which they are assigned, from `text_constants`.

    Returns:
        The method and the name, such as `POST` and `/predict`. Both are empty if they are computed.
    """
    url = _url_of(call)
    if url is None:
        return None
    method = last_part(call.func)
    if method == "request" or method in _REST:
        method, _ = _start_of(call.args[0] if call.args else keyword_of(call, "method"), constants)
    name, is_complete = _start_of(keyword_of(call, "name") or url, constants)
    return (method.upper(), name) if method and is_complete else ("", "")


def text_constants(tree: ast.Module) -> dict[str, str]:
    """Return the names that a module or its classes set once, to a text."""
    return dict(_constants(tree))


def _origin(start: str, *, is_complete: bool) -> str:
    rest = start.partition("://")[2]
    is_known = is_complete or any(mark in rest for mark in "/?#")
    return origin_of(start) if is_known else ""


def _url_of(call: ast.Call) -> ast.expr | None:
    """Return the URL that a call passes to a client, or None if it calls none."""
    match call.func:
        case ast.Attribute(attr=name, value=ast.Attribute(attr="client")):
            if name not in (*_METHODS, "request"):
                return None
            place = 1 if name == "request" else 0
        case ast.Attribute(attr=name) if name in _REST:
            place = 1
        case _:
            return None
    given = call.args[place] if len(call.args) > place else None
    return given or keyword_of(call, "url") or keyword_of(call, "path")


def _start_of(node: ast.expr | None, constants: Mapping[str, str]) -> tuple[str, bool]:
    """Return the text with which an expression starts, and whether it is the whole text."""
    match node:
        case ast.Constant(value=str(text)):
            return text, True
        case ast.Name() | ast.Attribute():
            text = constants.get(dotted_text(node).removeprefix("self."), "")
            return text, bool(text)
        case ast.JoinedStr(values=values):
            text = ""
            for value in values:
                more, is_complete = _start_of(value, constants)
                text += more
                if not is_complete:
                    return text, False
            return text, True
        case ast.FormattedValue(value=value):
            return _start_of(value, constants)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            text, is_complete = _start_of(left, constants)
            if is_complete:
                more, is_complete = _start_of(right, constants)
                text += more
            return text, is_complete
        case ast.BinOp(left=left, op=ast.Mod()):
            return _start_of(left, constants)[0].partition("%")[0], False
        case ast.Call(func=ast.Attribute(value=value, attr="format")):
            return _start_of(value, constants)[0].partition("{")[0], False
        case _:
            return "", False


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the names that a module or its classes set once, to a text."""
    assigned = Counter[str]()
    texts: dict[str, str] = {}
    scopes = [("", tree.body)]
    scopes += [
        (f"{node.name}.", node.body)
        for node in module_level(tree.body)
        if isinstance(node, ast.ClassDef)
    ]
    for prefix, body in scopes:
        for node in module_level(body):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    pass
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    pass
                case _:
                    continue
            # Inside of a class, `self.NAME` and `Class.NAME` refer to the same text.
            for known in {name, f"{prefix}{name}"}:
                assigned[known] += 1
                if (text := constant_text(value)) is not None:
                    texts[known] = text
    yield from ((name, text) for name, text in texts.items() if assigned[name] == 1)
