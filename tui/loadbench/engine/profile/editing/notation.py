"""How the value of a key is written in forms and on the command line."""

import json
import re
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from loadbench.engine.bounds.parsing import BadInputError
from loadbench.engine.profile.editing.keys import KeyKind, ProfileKey, profile_fields
from loadbench.engine.profile.editing.number_lists import RANGE_HINT, expand_numbers
from loadbench.engine.profile.editing.one_line_yaml import one_line_yaml
from loadbench.engine.profile.error_messages import dotted, key_of, problem_of, shown
from loadbench.engine.profile.sections.base import Section
from loadbench.engine.profile.source import parse_value as parse_yaml_value
from loadbench.engine.profile.source import yaml_problem

_NUMBER_LISTS = (KeyKind.INTEGERS, KeyKind.NUMBERS)
_MAX_EXACT_INTEGER = 2**53
_QUOTED = r'"(?:[^"\\]|\\.)*"|\'[^\']*\''
_TEXT = re.compile(rf"[\s,]*({_QUOTED}|[^\s,\"']+)(?=[\s,]|$)")
_VARIABLE = re.compile(rf"\s*({_QUOTED}|[^\s=\"']+)=({_QUOTED}|[^\s\"']*)(?=\s|$)")
_HINTS = {
    KeyKind.BOOLEAN: "true or false",
    KeyKind.DURATION: "90s, 7m or 1h20m",
    KeyKind.INTEGERS: f"1 2 4, {RANGE_HINT}",
    KeyKind.NUMBERS: f"0.5 2, {RANGE_HINT}",
    KeyKind.TEXTS: 'a.yaml "b c.yaml"',
    KeyKind.VARIABLES: 'A=1 B="x y"',
    KeyKind.GOALS: "{NAME: {p95: 400}}",
}


_HINTS_OF_KEYS = {
    "run_time": "90s, 7m, 1h20m or auto",
    "stack.health": "/health tcp",
    "stack.headers": "Host=api.example.com",
    "load.locustfile": 'locustfile.py "my users.py"',
    "load.main": "POST /predict",
    "load.measurements": '"first token" *token*',
    "load.options": "engine=vllm stream=true",
    "load.tags": "fast chat",
    "load.exclude_tags": "slow",
    "load.user_classes": "ChatUser",
    "load.keep_host": "AdminUser",
    "goals.requests": "{POST /predict: {p95: 400, failure_ratio: 0.01}}",
    "goals.measurements": "{first token: {p95: 400}}",
}


def notation_hint(key: ProfileKey) -> str:
    """Return examples of values for help texts; empty if the notation is obvious."""
    return _HINTS_OF_KEYS.get(key.name) or _HINTS.get(key.kind, "")


def parse_value(key: ProfileKey, text: str) -> Any:
    """Return the value that a text stands for, as plain data of a profile.

    Lists of numbers are written as `1 2 4`, `1, 2, 4`, `10..100 step 10` or `1..64 x2`; lists of
    texts as `a.yaml "b c.yaml"`; variables as `A=1 B="x y"`; goals by name as
    `{POST /predict: {p95: 400}}`. For optional keys, an empty text and `null` mean None.

    Args:
        key: The key.
        text: The text, as written by a user.

    Raises:
        ValueError: The value is invalid. The message is the same as for a value in a file.
    """
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"expected text that UTF-8 can encode, got {shown(text)}")
    if key.is_optional and text.strip() in ("", "null"):
        return None
    adapter = _adapter(key.name)
    try:
        value = adapter.validate_python(_unvalidated(key.kind, text))
    except ValidationError as error:
        detail = error.errors()[0]
        where = (
            f"{dotted(key_of(detail))}: " if key.kind is KeyKind.GOALS and key_of(detail) else ""
        )
        raise ValueError(where + problem_of(detail)) from None
    return _plain(adapter.dump_python(value, mode="json"))


def format_value(key: ProfileKey, value: Any) -> str:
    """Format a value such that `parse_value` converts it back."""
    match value:
        case None:
            return ""
        case bool() | int() | float():
            return _number_text(value)
        case list() if key.kind in _NUMBER_LISTS:
            return " ".join(map(_number_text, value))
        case list():
            return " ".join(_quoted(str(item), ",") for item in value)
        case dict() if key.kind is KeyKind.GOALS:
            return one_line_yaml(_plain(value)) if value else ""
        case dict():
            pairs = ((str(name), str(text)) for name, text in value.items())
            return " ".join(f"{_quoted(name, '=')}={_quoted(text)}" for name, text in pairs)
        case _:
            return str(value)


def override_text(key: ProfileKey, value: Any) -> str:
    """Return the override `KEY=VALUE` that sets a key to a value, in the notation of `--set`."""
    if key.kind in _NUMBER_LISTS and isinstance(value, list):
        return f"{key.name}={','.join(map(_number_text, value))}"
    return f"{key.name}={one_line_yaml(value)}"


def _unvalidated(kind: KeyKind, text: str) -> object:
    match kind:
        case KeyKind.INTEGERS | KeyKind.NUMBERS:
            return expand_numbers(text)
        case KeyKind.TEXTS:
            return [_unquoted(match[1]) for match in _matches(_TEXT, text, KeyKind.TEXTS)]
        case KeyKind.VARIABLES:
            matches = _matches(_VARIABLE, text, KeyKind.VARIABLES)
            return _variables((_unquoted(match[1]), _unquoted(match[2])) for match in matches)
        case KeyKind.GOALS:
            return _goals(text)
        case KeyKind.TEXT:
            return text
        case _:
            return text.strip()


def _matches(pattern: re.Pattern[str], text: str, kind: KeyKind) -> list[re.Match[str]]:
    """Split a text into the matches of a pattern.

    Raises:
        ValueError: Part of the text does not match.
    """
    matches, position = [], 0
    rest = re.sub(r"[\s,]+$" if kind is KeyKind.TEXTS else r"\s+$", "", text)
    while position < len(rest):
        match = pattern.match(rest, position)
        if match is None:
            raise ValueError(f"expected values such as {_HINTS[kind]}, got {shown(text)}")
        matches.append(match)
        position = match.end()
    return matches


def _goals(text: str) -> Any:
    if not text.strip():
        return {}
    try:
        return parse_yaml_value(text)
    except BadInputError as error:
        _, problem = yaml_problem(error)
        raise ValueError(f"expected goals such as {_HINTS[KeyKind.GOALS]} ({problem})") from None


def _variables(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    variables: dict[str, str] = {}
    for name, value in pairs:
        if name in variables:
            raise ValueError(f"{shown(name)}: duplicate variable")
        variables[name] = value
    return variables


def _quoted(text: str, separators: str = "") -> str:
    """Quote a text if it is empty, or contains quotes, white space or separators."""
    if text and text.isprintable() and not set(text) & {" ", '"', "'", *separators}:
        return text
    return json.dumps(text, ensure_ascii=False)


def _unquoted(text: str) -> str:
    """Return a text without its quotes.

    Raises:
        ValueError: An escape sequence between double quotes is invalid.
    """
    if text.startswith("'"):
        return text[1:-1]
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text, strict=False))
    except ValueError:
        raise ValueError(rf"expected \" or \\ after a backslash in quotes, got {text}") from None


def _number_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(_plain(value))


def _plain(value: Any) -> Any:
    """Return whole numbers as integers, as users write them in files, also inside collections."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, float) and value.is_integer() and abs(value) < _MAX_EXACT_INTEGER:
        return int(value)
    return value


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    field = profile_fields()[name]
    annotated: Any = Annotated
    kind: Any = field.annotation
    if field.metadata:
        kind = annotated[(kind, *field.metadata)]
    return TypeAdapter(kind, config=Section.model_config)
