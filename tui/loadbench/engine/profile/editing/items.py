"""Edits of the items of lists and of the entries of mappings."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from loadbench.engine.profile.editing.document import BREAK, YamlNode, YamlText
from loadbench.engine.profile.editing.scalars import key_text, value_text
from loadbench.errors import SpliceError

_COMMA = re.compile(r"[ \t]*,")
_LAYOUT = "its list or mapping has an unusual layout"


@dataclass(frozen=True, slots=True)
class Edit:
    """Replacement of the characters from `start` to `end`."""

    start: int
    end: int
    text: str


@dataclass(slots=True)
class ItemChanges:
    """Changes of the items of a collection, by index."""

    edits: list[Edit] = field(default_factory=list)
    """Replacements inside of items that stay."""
    removed: list[int] = field(default_factory=list)
    added: dict[int, list[str]] = field(default_factory=dict)
    """Texts of new items by the index of the item before them; -1 for the first."""


@dataclass(frozen=True, slots=True)
class _Item:
    start: int
    end: int


def item_operations(
    old: Sequence[object], new: Sequence[object]
) -> Sequence[tuple[str, int, int, int, int]]:
    """Return how a list turns into another one; see `difflib.SequenceMatcher.get_opcodes`."""
    before, after = (
        [f"{type(value).__name__} {value!r}" for value in values] for values in (old, new)
    )
    return SequenceMatcher(None, before, after, autojunk=False).get_opcodes()


def list_changes(node: YamlNode, old: Sequence[Any], new: Sequence[Any]) -> ItemChanges:
    """Return the changes that turn a list into another one.

    Args:
        node: The list in the file.
        old: Its values.
        new: The intended values.

    Raises:
        SpliceError: A new value cannot be written.
    """
    changes = ItemChanges()
    in_flow = bool(node.style)
    for kind, old_start, old_end, new_start, new_end in item_operations(old, new):
        if kind == "equal":
            continue
        replaced = min(old_end - old_start, new_end - new_start)
        for index in range(replaced):
            item = node.children[old_start + index]
            text = value_text(new[new_start + index], item, in_flow=in_flow)
            changes.edits += scalar_edits(item, text)
        changes.removed += range(old_start + replaced, old_end)
        after = old_start + replaced - 1
        like = _quoted(node.children[max(after, 0)] if node.children else None)
        texts = [
            value_text(item, like, in_flow=in_flow) for item in new[new_start + replaced : new_end]
        ]
        if texts:
            changes.added[after] = texts
    return changes


def mapping_changes(
    document: YamlText, node: YamlNode, old: Mapping[str, Any], new: Mapping[str, Any]
) -> ItemChanges:
    """Return the changes that turn a mapping into another one; see `list_changes`.

    Its values are texts, numbers, or mappings of those.

    Raises:
        SpliceError: A new value cannot be written, or the mapping contains a name twice.
    """
    changes = ItemChanges()
    in_flow = bool(node.style)
    names = [name.text for name, _ in node.pairs]
    if len(set(names)) < len(names):
        raise SpliceError("its mapping contains a name twice")
    for index, (name, value) in enumerate(node.pairs):
        if name.text not in new:
            changes.removed.append(index)
        elif repr(old[name.text]) != repr(new[name.text]):
            changes.edits += _entry_edits(document, value, old[name.text], new[name.text], in_flow)
    like = _quoted(node.pairs[-1][1] if node.pairs else None)
    added = [
        f"{key_text(name, in_flow=in_flow)}: {value_text(value, like, in_flow=in_flow)}"
        for name, value in new.items()
        if name not in old
    ]
    if added:
        kept = [index for index in range(len(names)) if index not in changes.removed]
        changes.added[kept[-1] if kept else -1] = added
    return changes


def _entry_edits(
    document: YamlText, node: YamlNode, old: Any, new: Any, in_flow: bool
) -> list[Edit]:
    """Return the edits that replace the value of an entry."""
    if node.children and isinstance(old, Mapping) and isinstance(new, Mapping) and new:
        return collection_edits(document, node, mapping_changes(document, node, old, new))
    return scalar_edits(node, value_text(new, node, in_flow=in_flow))


def scalar_edits(node: YamlNode, text: str) -> list[Edit]:
    """Return the edits that replace a scalar by a text on one line.

    Raises:
        SpliceError: The node is a collection.
    """
    if node.kind != "scalar":
        raise SpliceError("its list or mapping contains lists or mappings")
    if node.start == node.end:
        return [Edit(node.start, node.end, f" {text}")]
    if node.style not in ("|", ">"):
        return [Edit(node.start, node.end, text)]
    raise SpliceError("an item of its list or mapping has several lines")


def collection_edits(document: YamlText, node: YamlNode, changes: ItemChanges) -> list[Edit]:
    """Return the edits that carry out changes of items. At least one item must remain.

    Args:
        document: The file. Its last line ends with a line break.
        node: A collection of the file.
        changes: Changes of its items.

    Raises:
        SpliceError: The layout of the collection is unusual.
    """
    if node.style and not BREAK.search(document.text, node.start, node.end):
        return [_edit_on_one_line(document.text, node, changes)]
    items = _items(node)
    edits = list(changes.edits)
    if all(_is_alone(document, node, item) for item in items):
        edits += [_line_removal(document, node, items[index]) for index in changes.removed]
        edits += _comma_edits(document, node, items, changes)
        for index, texts in changes.added.items():
            edits += _added_lines(document, node, items, index, texts, changes.edits)
        return edits
    if not node.style:
        raise SpliceError(_LAYOUT)
    edits += _removals_in_lines(document, items, changes.removed)
    for index, texts in changes.added.items():
        joined = ", ".join(texts)
        start, end = items[max(index, 0)].start, items[max(index, 0)].end
        edits.append(
            Edit(start, start, f"{joined}, ") if index < 0 else Edit(end, end, f", {joined}")
        )
    return edits


def removal_edits(document: YamlText, node: YamlNode) -> list[Edit]:
    """Return the edits that remove all items of a block collection, but no comments between them.

    Raises:
        SpliceError: The layout of the collection is unusual.
    """
    items = _items(node)
    if not all(_is_alone(document, node, item) for item in items):
        raise SpliceError(_LAYOUT)
    return [_line_removal(document, node, item) for item in items]


def _quoted(node: YamlNode | None) -> YamlNode | None:
    """Return a node as an example for the quotes of a new one. New numbers are not quoted."""
    return node if node and node.style in ("'", '"') else None


def _items(node: YamlNode) -> list[_Item]:
    if node.kind == "list":
        return [_Item(item.start, item.end) for item in node.children]
    return [_Item(name.start, value.end) for name, value in node.pairs]


def _edit_on_one_line(text: str, node: YamlNode, changes: ItemChanges) -> Edit:
    """Write a flow collection again, with its own spaces, separator and unchanged items."""
    items = _items(node)
    first, last = (items[0].start, items[-1].end) if items else (node.start + 1, node.end - 1)
    separator = text[items[0].end : items[1].start] if len(items) > 1 else ", "
    texts = list(changes.added.get(-1, ()))
    for index, item in enumerate(items):
        if index not in changes.removed:
            texts.append(_edited(text, item, changes.edits))
        texts += changes.added.get(index, ())
    return Edit(first, last, separator.join(texts))


def _edited(text: str, item: _Item, edits: Sequence[Edit]) -> str:
    for edit in edits:
        if item.start <= edit.start <= edit.end <= item.end:
            return text[item.start : edit.start] + edit.text + text[edit.end : item.end]
    return text[item.start : item.end]


def _dash(document: YamlText, node: YamlNode, item: _Item) -> int:
    """Return where an item starts, including the dash of a block list."""
    if node.style or node.kind == "mapping":
        return item.start
    return document.text.rfind("-", document.line_start(item.start), item.start + 1)


def _is_alone(document: YamlText, node: YamlNode, item: _Item) -> bool:
    """Return whether an item has its lines for itself, except for a comma and a comment."""
    text, start = document.text, _dash(document, node, item)
    if start < 0 or text[document.line_start(start) : start].strip(" \t"):
        return False
    comma = _COMMA.match(text, item.end) if node.style else None
    rest = text[comma.end() if comma else item.end : document.line_end(item.end)].lstrip(" \t")
    return not rest or rest.startswith("#")


def _line_removal(document: YamlText, node: YamlNode, item: _Item) -> Edit:
    start = document.line_start(_dash(document, node, item))
    end = document.line_end(item.end)
    return Edit(start, end + len(document.line_break(end)), "")


def _comma_edits(
    document: YamlText, node: YamlNode, items: Sequence[_Item], changes: ItemChanges
) -> list[Edit]:
    """Remove the comma after the new last item of a flow collection if there was none before."""
    last = len(items) - 1
    kept = [index for index in range(len(items)) if index not in changes.removed]
    if not node.style or not kept or last in kept or kept[-1] in changes.added:
        return []
    if _COMMA.match(document.text, items[last].end):
        return []
    comma = _COMMA.match(document.text, items[kept[-1]].end)
    return [Edit(comma.start(), comma.end(), "")] if comma else []


def _removals_in_lines(
    document: YamlText, items: Sequence[_Item], removed: Sequence[int]
) -> list[Edit]:
    """Remove items of a flow collection that share lines with others."""
    kept = [index for index in range(len(items)) if index not in removed]
    if not kept:
        raise SpliceError(_LAYOUT)
    edits = [
        Edit(items[index].start, items[index + 1].start, "")
        for index in removed
        if index < kept[-1]
    ]
    if kept[-1] < len(items) - 1:
        edits.append(Edit(items[kept[-1]].end, items[-1].end, ""))
    if any(document.has_comment(edit.start, edit.end) for edit in edits):
        raise SpliceError("a comment is between the items to remove")
    return edits


def _added_lines(
    document: YamlText,
    node: YamlNode,
    items: Sequence[_Item],
    index: int,
    texts: Sequence[str],
    edits: Sequence[Edit],
) -> list[Edit]:
    """Add items, each on its own line, after an item or before the first one.

    Args:
        document: The file.
        node: The collection.
        items: Its items.
        index: Index of the item before the new ones; -1 for the first.
        texts: The new items.
        edits: The edits inside of the items.
    """
    text, item = document.text, items[max(index, 0)]
    start, end = _dash(document, node, item), document.line_end(item.end)
    line_start, line_break = document.line_start(start), document.line_break(end)
    lead = text[line_start : item.start] if start < item.start < item.end else ""
    lead = lead or text[line_start:start] + ("- " if node.kind == "list" and not node.style else "")
    comma = "," if node.style else ""
    if index < 0:
        lines = "".join(f"{lead}{new}{comma}{line_break}" for new in texts)
        return [Edit(line_start, line_start, lines)]
    if any(edit.start <= end < edit.end for edit in edits):
        # The last line of the item is removed, with its line break.
        lines = "".join(f"{lead}{new}{comma}{line_break}" for new in texts)
        return [Edit(end + len(line_break), end + len(line_break), lines)]
    lines = "".join(f"{line_break}{lead}{new}{comma}" for new in texts)
    if not node.style or _COMMA.match(text, item.end):
        return [Edit(end, end, lines)]
    return [Edit(item.end, item.end, ","), Edit(end, end, lines.removesuffix(","))]
