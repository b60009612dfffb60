"""Edits that add keys and sections to a profile file."""

from typing import Any

from loadbench.engine.profile.editing.document import BREAK, YamlNode, YamlText
from loadbench.engine.profile.editing.items import Edit, ItemChanges, collection_edits
from loadbench.engine.profile.editing.lookup import Pair, colon_end, column_of
from loadbench.engine.profile.editing.scalars import value_text
from loadbench.engine.profile.model import ALIASES, known_keys
from loadbench.errors import SpliceError

DEFAULT_INDENT = 2


def filled_section(
    document: YamlText, root: YamlNode, section: Pair, name: str, value: Any
) -> list[Edit]:
    """Add the first key of an empty section."""
    key, node = section
    colon = colon_end(document, key)
    if document.has_comment(node.start, node.end) or node.is_marked:
        raise SpliceError(f"its section {key.text} has a comment, an anchor or a tag inside")
    if root.style:
        text = f" {{{name}: {value_text(value, in_flow=True)}}}"
        return [Edit(colon, node.end, text)]
    if BREAK.search(document.text, colon, node.end):
        raise SpliceError(f"the value of its section {key.text} is on a line of its own")
    end = document.line_end(node.end)
    indent = " " * (column_of(document, key) + _indent(document, root))
    line = f"{document.line_break(end)}{indent}{name}: {value_text(value)}"
    return [Edit(colon, max(colon, node.end), ""), Edit(end, end, line)]


def section_insertion(
    document: YamlText, root: YamlNode, section: str, name: str, value: Any
) -> list[Edit]:
    """Add a section with one key."""
    if root.style:
        text = f"{{{name}: {value_text(value, in_flow=True)}}}"
        return key_insertion(document, root, "", section, text)
    indent = " " * (column_of(document, root.children[0]) + _indent(document, root))
    text = f"\n{indent}{name}: {value_text(value)}"
    return key_insertion(document, root, "", section, text)


def key_insertion(
    document: YamlText, mapping: YamlNode, section: str, name: str, text: str
) -> list[Edit]:
    """Add a key to a mapping, after the previous key in the order of `known_keys`.

    Args:
        document: The file.
        mapping: The mapping, the root or a section.
        section: Name of the section; empty for the root.
        name: The key.
        text: Its value. If it starts with a line break, the key is a section.
    """
    after = _predecessor(mapping, section, name)
    if mapping.style:
        if not mapping.children:
            if document.has_comment(mapping.start, mapping.end):
                raise SpliceError("a comment is inside the braces around it")
            return [Edit(mapping.start, mapping.end, f"{{{name}: {text}}}")]
        return collection_edits(document, mapping, ItemChanges(added={after: [f"{name}: {text}"]}))
    key = mapping.pairs[max(after, 0)][0]
    column = column_of(document, key)
    colon = ":" if text.startswith("\n") else ": "
    line = f"{' ' * column}{name}{colon}{text}"
    if after < 0:
        start = document.line_start(key.start)
        line_break = document.line_break(document.line_end(key.start))
        return [Edit(start, start, f"{line}\n".replace("\n", line_break))]
    end = _extent(document, mapping.pairs[after][1], column)
    is_spaced = text.startswith("\n") and _has_spaced_sections(document, mapping)
    lines = f"\n\n{line}" if is_spaced else f"\n{line}"
    return [Edit(end, end, lines.replace("\n", document.line_break(end)))]


def _predecessor(mapping: YamlNode, section: str, name: str) -> int:
    """Return the index of the entry after which a key belongs; -1 for the start."""
    prefix = f"{section}." if section else ""
    keys = [key.removeprefix(prefix) for key in known_keys() if key.startswith(prefix)]
    order = list(dict.fromkeys(key.partition(".")[0] for key in keys))
    present = [ALIASES.get(key.text, key.text) for key, _ in mapping.pairs]
    earlier = order[: order.index(name)]
    for candidate in reversed(earlier):
        if candidate in present:
            return present.index(candidate)
    return -1 if any(key in present for key in order) else len(present) - 1


def _extent(document: YamlText, node: YamlNode, column: int) -> int:
    """Return where the lines of an entry end, including more indented comments below it."""
    end = document.line_end(node.end)
    while end < len(document.text):
        start = end + len(document.line_break(end))
        next_end = document.line_end(start)
        content = document.text[start:next_end].lstrip(" ")
        if not content.startswith("#") or next_end - start - len(content) <= column:
            break
        end = next_end
    return end


def _has_spaced_sections(document: YamlText, root: YamlNode) -> bool:
    """Return whether blank lines separate the sections of the file."""
    for key, value in root.pairs[1:]:
        line = document.line_number(key.start)
        previous = document.line_starts[line - 2]
        if value.kind == "mapping" and value.children and not value.style:
            return not document.text[previous : document.line_end(previous)].strip()
    return False


def _indent(document: YamlText, root: YamlNode) -> int:
    """Return by how many columns the file indents the keys of a section."""
    for key, value in root.pairs:
        if value.kind == "mapping" and value.children and not value.style:
            return column_of(document, value.children[0]) - column_of(document, key)
    return DEFAULT_INDENT
