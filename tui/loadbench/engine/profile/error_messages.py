"""Messages about invalid keys and values of a profile."""

import difflib

from pydantic_core import ErrorDetails

from loadbench.engine.bounds.texts import shortened
from loadbench.engine.profile.duration import format_duration
from loadbench.engine.profile.model import ALIASES, known_keys
from loadbench.engine.profile.values.secret_names import SecretNames
from loadbench.engine.profile.values.secrets import MAPPINGS, is_url
from loadbench.engine.profile.values.urls import mask_url

KeyPath = tuple[str | int, ...]
"""A key as names and indices: `("stack", "compose", 0)`."""

MAX_SHOWN_CHARACTERS = 80
_EXPECTED = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "NAME: VALUE pairs",
    "model_type": "a section with keys indented below it",
    "literal_error": "{expected}",
    "greater_than_equal": "a value ≥ {ge}",
    "greater_than": "a value > {gt}",
    "less_than_equal": "a value ≤ {le}",
}
"""Expected values by pydantic error type. Placeholders are fields of the error's context."""

_INVALID_NAME = "[key]"
"""Pydantic's last part of the location of an invalid name."""

_EXAMPLES = {"models": "1, 2", "users": "5, 10", "spawn_rates": "5, 10"}


def problem_of(detail: ErrorDetails, names: SecretNames | None = None) -> str:
    """Return a message with the expected and the actual value, but without secrets.

    Args:
        detail: The error.
        names: The names that are secret or not. None: the default ones.
    """
    value, context = detail.get("input"), detail.get("ctx", {})
    got = _shown_public(detail["loc"], value, names or SecretNames())
    if detail["type"] == "unknown_goal":
        return detail["msg"]
    if detail["type"] == "value_error":
        problem = str(context["error"])
        return f"{problem}, got {got}" if problem.startswith("expected ") else problem
    if expected := _EXPECTED.get(detail["type"]):
        limits = {name: _limit(limit, value) for name, limit in context.items()}
        return f"expected {expected.format(**limits)}, got {got}"
    return f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, got {got}"


def _shown_public(key: KeyPath, value: object, names: SecretNames) -> str:
    """Format a value for a message, without secrets, even if it has the wrong form."""
    if is_url(key):
        return shown(mask_url(value)) if isinstance(value, str) else _kind(value)
    if key[:2] not in MAPPINGS or value is None or isinstance(value, dict | bool | int | float):
        return shown(value)
    if key in MAPPINGS or names.is_secret(str(key[2])):
        return _kind(value)
    return shown(value)


def _kind(value: object) -> str:
    """Name the kind of a value that may contain secrets."""
    if value is None or isinstance(value, dict | bool | int | float):
        return shown(value)
    return "a list" if isinstance(value, list) else "a text"


def _limit(limit: object, value: object) -> object:
    """Return a limit in the notation of the value: as a duration or as a number."""
    if not isinstance(limit, int | float):
        return limit
    if isinstance(value, str) and value.strip().endswith(("h", "m", "s")):
        return format_duration(limit)
    return f"{limit:.10g}"


def example_of(key: KeyPath, location: str) -> str:
    """Return an example if the key takes a list of numbers, otherwise an empty text."""
    name = str(key[0]) if key else ""
    numbers = _EXAMPLES.get(ALIASES.get(name, name))
    if numbers is None:
        return ""
    if location.startswith("--set "):
        return f". Example: --set {name}={numbers.replace(' ', '')}"
    return f". Example: {name}: [{numbers}]"


def suggestion_for(name: str) -> str:
    """Return a suggestion for an unknown key, or an empty text if no key is similar."""
    keys = known_keys()
    if name in keys and "." in name:
        section, _, own = name.rpartition(".")
        return f"; write {own} below {section}"
    candidates = [*keys, *ALIASES, *sorted({key.split(".")[0] for key in keys})]
    closest = difflib.get_close_matches(name, candidates, n=1, cutoff=0.5)
    if not closest:
        by_last_part = {key.rpartition(".")[2]: key for key in keys}
        matches = difflib.get_close_matches(name.rpartition(".")[2], by_last_part, n=1)
        closest = [by_last_part[match] for match in matches]
    return f"; did you mean {closest[0]}?" if closest else ""


def shown(value: object) -> str:
    """Format a value for a message; long values are shortened."""
    if value is None:
        return "no value"
    if isinstance(value, dict):
        return "a section"
    return shortened(repr(value), MAX_SHOWN_CHARACTERS)


def keyed_problem(detail: ErrorDetails) -> str:
    """Return the key of an error in dotted notation, and the error."""
    return f"{dotted(key_of(detail))}: {problem_of(detail)}"


def key_of(detail: ErrorDetails) -> KeyPath:
    """Return the key of an error. Of an invalid name in a mapping, it is that of the mapping."""
    key = detail["loc"]
    return key[:-2] if key[-1:] == (_INVALID_NAME,) else key


def dotted(key: KeyPath) -> str:
    """Format a key in dotted notation: `stack.compose[0]`. Control characters are escaped."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text if text.isprintable() else ascii(text)
