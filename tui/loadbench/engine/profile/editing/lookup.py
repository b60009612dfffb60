"""Where the keys of a profile file are."""

import re
from collections.abc import Mapping
from typing import Any

from loadbench.engine.profile.editing.document import YamlNode, YamlText, parse_yaml
from loadbench.engine.profile.model import ALIASES
from loadbench.errors import ProfileError, SpliceError

_COLON = re.compile(r"[ \t]*:")

Lines = tuple[int, int]
"""First and last line of a key, from 1."""

Pair = tuple[YamlNode, YamlNode]
"""Key and value."""


def key_lines(data: bytes) -> dict[str, Lines]:
    """Return the first and the last line of each key and section in a profile file.

    Keys have their dotted names; aliases count as the keys that they stand for. Lines start at 1.
    The result is empty if the file is not readable YAML.
    """
    try:
        return lines_of_keys(parse_yaml(decoded(data)))
    except ProfileError:
        return {}


def lines_of_keys(document: YamlText) -> dict[str, Lines]:
    """Return the first and the last line of each key and section; see `key_lines`."""
    root = document.root
    if root is None or root.kind != "mapping":
        return {}
    found: dict[str, Lines] = {}
    for key, value in root.pairs:
        name = ALIASES.get(key.text, key.text)
        found[name] = _span(document, key, value)
        if value.kind == "mapping":
            for inner_key, inner in value.pairs:
                found[f"{name}.{inner_key.text}"] = _span(document, inner_key, inner)
    return found


def decoded(data: bytes) -> str:
    """Return the text of a profile file.

    Raises:
        SpliceError: The file is not UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SpliceError(
            f"the file is not UTF-8: invalid byte at offset {error.start}. "
            "Save it as UTF-8 in your editor"
        ) from None


def value_of(values: Mapping[str, Any], key: str) -> tuple[bool, Any]:
    """Return whether the values of a file contain a dotted key or its alias, and its value."""
    section, _, name = key.rpartition(".")
    inner = values.get(section) if section else values
    if not isinstance(inner, Mapping):
        return False, None
    names = [name, *(old for old, new in ALIASES.items() if new == name and not section)]
    found = [inner[candidate] for candidate in names if candidate in inner]
    return bool(found), found[0] if found else None


def pair_of(mapping: YamlNode, name: str) -> Pair | None:
    """Return the key and value of a name or of its alias. None if the mapping has neither."""
    found = [pair for pair in mapping.pairs if ALIASES.get(pair[0].text, pair[0].text) == name]
    if len(found) > 1:
        raise SpliceError(f"the file sets {name} twice")
    return found[0] if found else None


def column_of(document: YamlText, key: YamlNode) -> int:
    """Return the column of a key in block notation, which is the first text on its line."""
    start = document.line_start(key.start)
    if key.is_marked or document.text[start : key.start].strip(" "):
        raise SpliceError("a key next to it does not start its line")
    return key.start - start


def colon_end(document: YamlText, key: YamlNode) -> int:
    """Return the offset after the colon of a key."""
    colon = _COLON.match(document.text, key.end)
    before = document.text[document.line_start(key.start) : key.start].rstrip()
    if key.is_marked or before.endswith("?") or not colon:
        raise SpliceError("its key is marked with `?`, an anchor, an alias or a tag")
    return colon.end()


def _span(document: YamlText, key: YamlNode, value: YamlNode) -> Lines:
    return document.line_number(key.start), document.line_number(max(key.end, value.end))
