"""Change values in the text of a profile file and keep all other characters."""

import re
from collections.abc import Mapping
from typing import Any

from loadbench.engine.profile.editing.document import (
    BREAK,
    YamlNode,
    YamlText,
    parse_yaml,
    plain_values,
)
from loadbench.engine.profile.editing.insertion import (
    DEFAULT_INDENT,
    filled_section,
    key_insertion,
    section_insertion,
)
from loadbench.engine.profile.editing.items import (
    Edit,
    collection_edits,
    list_changes,
    mapping_changes,
    removal_edits,
    scalar_edits,
)
from loadbench.engine.profile.editing.lookup import (
    Pair,
    colon_end,
    column_of,
    decoded,
    key_lines,
    pair_of,
    value_of,
)
from loadbench.engine.profile.editing.scalars import block_text, same, value_text
from loadbench.engine.profile.editing.verify import check_splice
from loadbench.engine.profile.model import known_keys
from loadbench.errors import ProfileError, SpliceError

_ADVICE = "Open the file in your editor to change it"
_MAX_BITS = 64
"""Maximum size of an integer, as when a profile is read."""
_MIN_ALIGNED = 2
"""Spaces before a comment from which it counts as aligned with others. One space stays one."""
_MAX_PADDING = 40
"""Maximum spaces before a comment, for example after a long value was replaced by a short one."""
_BLOCK_INDICATOR = re.compile("[|>][-+0-9]*")


def spliced(data: bytes, changes: Mapping[str, Any]) -> bytes:
    """Return a profile file with changed values. Nothing else in it changes.

    A new value takes over the style of the old one: its quotes, the notation of its list, and the
    column of the comment behind it. A missing key is added after the previous one in the order of
    `known_keys`, together with its section. The result is parsed and compared before it is
    returned.

    Args:
        data: The file.
        changes: New values by dotted key, such as `goals.p95_ms`: None, a boolean, number, text,
            list of those, a mapping of texts to texts, or a mapping of mappings to numbers.

    Raises:
        SpliceError: A value cannot be changed without affecting the rest of the file.
    """
    before = decoded(data)
    try:
        document = parse_yaml(before)
        old = plain_values(before)
    except ProfileError as error:
        raise SpliceError(f"the file cannot be changed: {error}. {_ADVICE}") from None
    # With a line break at the end, the last line is not a special case.
    missing_break = "" if BREAK.search(before[-1:]) else document.line_break(len(before))
    order = list(known_keys())
    text = before + missing_break
    for key in sorted(changes, key=lambda key: order.index(key) if key in order else 0):
        text = _changed(text, key, changes[key], old)
    if missing_break and (found := [*BREAK.finditer(text)]) and found[-1].end() == len(text):
        text = text[: found[-1].start()]
    check_splice(before, text, changes)
    return text.encode()


def _changed(text: str, key: str, value: Any, old: Mapping[str, Any]) -> str:
    """Return a text with one changed value."""
    if key not in known_keys():
        raise SpliceError(f"{key}: unknown key. {_ADVICE}")
    if not _is_writable(value):
        raise SpliceError(f"{key} cannot be changed: unsupported value. {_ADVICE}")
    is_present, old_value = value_of(old, key)
    if is_present and same(old_value, value):
        return text
    try:
        document = parse_yaml(text)
        return _applied(document, _edits(document, key, value, old_value))
    except ProfileError as error:
        first, _ = key_lines(text.encode()).get(key, (0, 0))
        location = f"line {first}: " if first else ""
        raise SpliceError(f"{location}{key} cannot be changed: {error}. {_ADVICE}") from None


def _is_writable(value: object) -> bool:
    """Return whether a value is neither too large nor nested."""
    match value:
        case int():
            return value.bit_length() <= _MAX_BITS
        case list():
            return all(not isinstance(item, list | dict) and _is_writable(item) for item in value)
        case dict():
            return all(
                isinstance(name, str) and not isinstance(item, list) and _is_writable(item)
                for name, item in value.items()
            )
        case _:
            return True


def _edits(document: YamlText, key: str, value: Any, old: Any) -> list[Edit]:
    """Return the edits that change or add a key."""
    root = document.root
    if root is None or root.kind != "mapping" or root.anchor:
        raise SpliceError("the file has an anchor around all keys")
    section, _, name = key.rpartition(".")
    pair = pair_of(root, section or name)
    if section and pair:
        return _edits_in_section(document, root, pair, name, value, old)
    if section:
        return section_insertion(document, root, section, name, value)
    if pair:
        return _value_edits(document, root, pair, value, old)
    return key_insertion(document, root, "", name, value_text(value, in_flow=bool(root.style)))


def _edits_in_section(
    document: YamlText, root: YamlNode, section: Pair, name: str, value: Any, old: Any
) -> list[Edit]:
    """Return the edits that change or add a key in a section of the file."""
    section_key, node = section
    if node.anchor or node.kind == "alias":
        raise SpliceError(f"its section {section_key.text} has an anchor or an alias")
    is_null = node.kind == "scalar" and not node.style and not node.is_marked
    if (is_null and node.text.lower() in ("", "~", "null")) or not (node.children or is_null):
        return filled_section(document, root, section, name, value)
    if node.kind != "mapping":
        raise SpliceError(f"its section {section_key.text} contains no `key: value` lines")
    if pair := pair_of(node, name):
        return _value_edits(document, node, pair, value, old)
    new_text = value_text(value, in_flow=bool(node.style))
    return key_insertion(document, node, section_key.text, name, new_text)


def _value_edits(
    document: YamlText, mapping: YamlNode, pair: Pair, value: Any, old: Any
) -> list[Edit]:
    """Return the edits that replace the value of a key in a mapping."""
    key, node = pair
    colon = colon_end(document, key)
    if node.is_marked:
        raise SpliceError("its value has an anchor, an alias or a tag")
    in_flow = bool(mapping.style)
    changes = None
    if node.kind == "list" and isinstance(value, list) and value and node.children:
        changes = list_changes(node, old, value)
    if node.kind == "mapping" and isinstance(value, Mapping) and value and node.children:
        changes = mapping_changes(document, node, old, value)
    if changes is not None:
        return collection_edits(document, node, changes)
    if node.children and not node.style:
        text = value_text(value, in_flow=in_flow)
        return [Edit(colon, colon, f" {text}"), *removal_edits(document, node)]
    if node.kind != "scalar":
        if document.has_comment(node.start, node.end):
            raise SpliceError("a comment is inside its list or mapping")
        return [Edit(node.start, node.end, value_text(value, node, in_flow=in_flow))]
    if node.style in ("|", ">"):
        return _block_scalar_edits(document, pair, value)
    if document.has_comment(colon, node.start):
        raise SpliceError("a comment is between its name and its value")
    return scalar_edits(node, value_text(value, node, in_flow=in_flow))


def _block_scalar_edits(document: YamlText, pair: Pair, value: Any) -> list[Edit]:
    """Replace a literal or folded text; one with several lines remains literal."""
    key, node = pair
    indicator = _BLOCK_INDICATOR.match(document.text, node.start)
    assert indicator is not None
    first_line = document.line_end(node.start)
    line_break = document.line_break(first_line)
    indent = " " * (column_of(document, key) + DEFAULT_INDENT)
    if body := re.compile(r"[ \t\r\n]*\n( +)").match(document.text, first_line):
        indent = body[1]
    block = block_text(value, indent, line_break) if isinstance(value, str) else None
    new_text, lines = block or (value_text(value), "")
    end = max(node.end, first_line)
    return [
        Edit(*indicator.span(), new_text),
        Edit(first_line, end, line_break + lines if lines else ""),
    ]


def _applied(document: YamlText, edits: list[Edit]) -> str:
    """Return a text with edits, and with the comments behind them in the same column."""
    text, position = "", 0
    padding = [
        edit
        for comment in document.comments
        if (edit := _padding(document, comment, edits)) is not None
    ]
    for edit in sorted([*edits, *padding], key=lambda edit: (edit.start, edit.end)):
        if edit.start < position:
            raise SpliceError("internal error: its edits overlap")
        text += document.text[position : edit.start] + edit.text
        position = edit.end
    return text + document.text[position:]


def _padding(document: YamlText, comment: tuple[int, int], edits: list[Edit]) -> Edit | None:
    """Return the edit that keeps the column of a comment behind edits, if there is room."""
    start = comment[0]
    line_start = document.line_start(start)
    before = document.text[line_start:start]
    spaces = len(before) - len(before.rstrip(" "))
    on_line = [edit for edit in edits if line_start <= edit.start and edit.end <= start - spaces]
    growth = sum(len(edit.text) - (edit.end - edit.start) for edit in on_line)
    if not on_line or not before.strip() or any(BREAK.search(edit.text) for edit in on_line):
        return None
    if spaces < _MIN_ALIGNED:
        return None
    width = min(_MAX_PADDING, max(_MIN_ALIGNED, spaces - growth))
    return Edit(start - spaces, start, " " * width) if width != spaces else None
