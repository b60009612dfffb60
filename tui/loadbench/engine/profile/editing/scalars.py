"""The YAML text of plain values, in the style of the value that they replace."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from loadbench.engine.profile.editing.document import YamlNode, plain_values
from loadbench.errors import ProfileError, SpliceError

_BOOLEANS = (("yes", "no"), ("on", "off"), ("true", "false"))
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_ESCAPED = re.compile(
    '["\\\\]|[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]'
)
"""Characters that need an escape in double quotes. NEL, LS, PS and BOM are printable for PyYAML."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def same(one: object, other: object) -> bool:
    """Return whether two plain values are equal, with the same types and the same order of keys."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(map(same, one.values(), other.values()))
    # NaN is not equal to itself.
    return one == other or repr(one) == repr(other)


def value_text(value: Any, old: YamlNode | None = None, *, in_flow: bool = False) -> str:
    """Return a value as YAML on one line. Collections are in flow notation.

    Args:
        value: None, a boolean, number, text, list or mapping of those.
        old: The value that it replaces, whose quotes and spelling it takes over.
        in_flow: Whether the text is inside `[]` or `{}`.

    Raises:
        SpliceError: YAML cannot represent the value.
    """
    match value:
        case list():
            return f"[{', '.join(value_text(item, in_flow=True) for item in value)}]"
        case Mapping():
            pairs = (
                f"{key_text(name, in_flow=True)}: {value_text(item, in_flow=True)}"
                for name, item in value.items()
            )
            return f"{{{', '.join(pairs)}}}"
        case None:
            return "null"
        case bool():
            return _boolean_text(value, old.text if old and not old.style else "")
        case int():
            return str(value)
        case float():
            return _float_text(value)
        case str():
            return _text(value, old.style if old else "", in_flow=in_flow)
        case _:
            raise SpliceError(f"values of type {type(value).__name__} are not supported")


def key_text(name: str, *, in_flow: bool = False) -> str:
    """Return the name of an entry as YAML.

    Raises:
        SpliceError: YAML cannot represent the name.
    """
    for candidate in _candidates(name, ""):
        text = f"{{{candidate}: x}}" if in_flow else f"{candidate}: x"
        if _parses_as(f"k: {text}" if in_flow else f"k:\n  {text}", {name: "x"}):
            return candidate
    raise SpliceError(f"YAML cannot represent the name {name!r}")


def block_text(value: str, indent: str, line_break: str) -> tuple[str, str] | None:
    """Return a text as a literal block scalar: its indicator, and its indented lines.

    Returns:
        None if the text is a single line, or needs escapes or an explicit indentation.
    """
    lines = value.removesuffix("\n").split("\n")
    indicator = "|" if value.endswith("\n") else "|-"
    body = line_break.join(f"{indent}{line}" if line else "" for line in lines)
    if len(lines) == 1 or not lines[-1] or not lines[0] or lines[0][0].isspace():
        return None
    return (indicator, body) if _parses_as(f"k: {indicator}\n{body}\n", value) else None


def _boolean_text(value: bool, old: str) -> str:
    names = next((pair for pair in _BOOLEANS if old.lower() in pair), _BOOLEANS[-1])
    name = names[not value]
    if old.isupper():
        return name.upper()
    return name.capitalize() if old.istitle() else name


def _float_text(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):  # NaN
        return {"inf": ".inf", "-inf": "-.inf"}.get(repr(value), ".nan")
    text = repr(value)
    # YAML 1.1 reads 1e-05 as text because it lacks a decimal point.
    return text if "." in text else text.replace("e", ".0e")


def _text(value: str, style: str, *, in_flow: bool) -> str:
    if _SURROGATE.search(value):
        raise SpliceError("UTF-8 cannot encode an unpaired surrogate in its new value")
    for candidate in _candidates(value, style):
        contexts = (f"k: [{candidate}]", f"k: {{a: {candidate}}}") if in_flow else (candidate,)
        wanted: tuple[object, ...] = ([value], {"a": value}) if in_flow else (value,)
        texts = contexts if in_flow else (f"k: {candidate}",)
        if all(map(_parses_as, texts, wanted)):
            return candidate
    raise SpliceError("YAML cannot represent its new value")


def _candidates(value: str, style: str) -> Iterator[str]:
    single = "'" + value.replace("'", "''") + "'"
    double = f'"{_ESCAPED.sub(_escape, value)}"'
    if style == "'":
        yield single
    if style == '"':
        yield double
    # A plain text that spans lines would be folded.
    if "\n" not in value:
        yield value
    yield double


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _ESCAPES:
        return _ESCAPES[character]
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _parses_as(text: str, value: object) -> bool:
    try:
        values = plain_values(f"{text}\n")
    except ProfileError:
        return False
    return list(values) == ["k"] and same(values["k"], value)
