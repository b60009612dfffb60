"""YAML text with the position of every key, value and comment.

The nodes come from PyYAML's events instead of `yaml.compose`, because composed nodes carry neither
aliases nor explicit tags, and composing nested collections is recursive.
"""

import re
import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml

from loadbench.engine.bounds.parsing import BadInputError, parse
from loadbench.engine.profile.source import MAX_BYTES, MAX_DEPTH, parse_source, yaml_problem
from loadbench.errors import ProfileError

BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""The line breaks of YAML 1.1, which determine PyYAML's line numbers."""

_COMMENT = re.compile("[&*!][^\\s,\\[\\]{}]*|(#[^\r\n\x85\u2028\u2029]*)")
"""A comment outside of scalars. Anchors and tags may contain `#`."""


@dataclass(frozen=True, slots=True)
class YamlNode:
    """A value of a YAML text.

    `start` and `end` are offsets in characters. Trailing line breaks of block scalars and of block
    collections do not count.
    """

    kind: Literal["scalar", "list", "mapping", "alias"]
    start: int
    end: int
    text: str = ""
    """Contents of a scalar, or name of an alias."""
    style: str = ""
    """Of a scalar: empty (plain), `'`, `"`, `|` or `>`. Of a collection: empty (block) or `[`."""
    is_marked: bool = False
    """Whether the value, or one inside it, has an anchor, an alias or a tag."""
    anchor: str = ""
    children: tuple["YamlNode", ...] = ()
    """The items of a list; the keys and values of a mapping, alternately."""

    @property
    def pairs(self) -> list[tuple["YamlNode", "YamlNode"]]:
        """Keys and values of a mapping."""
        return list(zip(self.children[::2], self.children[1::2], strict=True))


@dataclass(frozen=True)
class YamlText:
    """A YAML text and its nodes."""

    text: str
    root: YamlNode | None
    """None if the text contains no values."""

    @cached_property
    def line_starts(self) -> list[int]:
        """Offset of each line."""
        return [0, *(match.end() for match in BREAK.finditer(self.text))]

    def line_number(self, position: int) -> int:
        """Return the number of the line at a position, from 1."""
        return bisect_right(self.line_starts, position)

    def line_start(self, position: int) -> int:
        """Return the offset at which the line of a position starts, after a byte order mark."""
        start = self.line_starts[self.line_number(position) - 1]
        return start + self.text.startswith("\ufeff", start, start + 1)

    def line_end(self, position: int) -> int:
        """Return the offset at which the line of a position ends, before its line break."""
        match = BREAK.search(self.text, position)
        return match.start() if match else len(self.text)

    def line_break(self, position: int) -> str:
        """Return the line break at a position, or that of the first line at the end of the text."""
        match = BREAK.match(self.text, position) or BREAK.search(self.text)
        return match[0] if match else "\n"

    def leaves(self) -> Iterator[YamlNode]:
        """Yield all scalars, aliases and empty collections, in the order of the text."""
        waiting = [self.root] if self.root else []
        while waiting:
            node = waiting.pop()
            waiting += reversed(node.children)
            if not node.children:
                yield node

    @cached_property
    def comments(self) -> list[tuple[int, int]]:
        """Start and end of each comment."""
        found: list[tuple[int, int]] = []
        position = 0
        for leaf in [*self.leaves(), None]:
            gap_end = _body_start(self, leaf) if leaf else len(self.text)
            matches = _COMMENT.finditer(self.text, position, gap_end)
            found += [match.span(1) for match in matches if match[1]]
            position = max(position, leaf.end if leaf else 0)
        return found

    def has_comment(self, start: int, end: int) -> bool:
        """Return whether a comment starts between two positions."""
        return any(start <= first < end for first, _ in self.comments)


@dataclass(slots=True)
class _OpenCollection:
    event: yaml.CollectionStartEvent
    children: list[YamlNode]


def parse_yaml(text: str, *, deadline_s: float | None = None) -> YamlText:
    """Parse one YAML document.

    Args:
        text: The text, with its original line breaks.
        deadline_s: Value of `time.monotonic()` at which parsing is given up.

    Raises:
        ProfileError: The text is too large, is not valid YAML, is nested too deeply, contains
            several documents, or the deadline has passed.
    """
    try:
        root = parse(text, lambda whole: _root(whole, deadline_s), max_bytes=MAX_BYTES)
    except BadInputError as error:
        line, problem = yaml_problem(error)
        raise ProfileError(f"line {line}: {problem}" if line else problem) from None
    return YamlText(text, root)


def plain_values(text: str) -> dict[str, Any]:
    """Return the keys and values of a profile's text, read as when the profile is loaded.

    Raises:
        ProfileError: The text is not YAML with `key: value` lines.
    """
    return parse_source(Path("profile"), text).values


def _root(text: str, deadline_s: float | None) -> YamlNode | None:
    top: list[YamlNode] = []
    stack: list[_OpenCollection] = []
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if deadline_s is not None and time.monotonic() > deadline_s:
            raise ProfileError("the file takes too long to read")
        target = stack[-1].children if stack else top
        start, end = _span(event)
        match event:
            case yaml.DocumentStartEvent() if top:
                raise ProfileError(
                    f"line {_line(text, start)}: the file contains several documents"
                )
            case yaml.ScalarEvent():
                target.append(_scalar(text, event))
            case yaml.AliasEvent():
                name = event.anchor or ""
                target.append(YamlNode("alias", start, end, text=name, is_marked=True))
            case yaml.CollectionStartEvent():
                if len(stack) == MAX_DEPTH:
                    raise ProfileError(f"line {_line(text, start)}: nested too deeply")
                stack.append(_OpenCollection(event, []))
            case yaml.CollectionEndEvent():
                closed = stack.pop()
                target = stack[-1].children if stack else top
                target.append(_collection(closed, end))
            case _:
                pass
    return top[0] if top else None


def _span(event: yaml.Event) -> tuple[int, int]:
    assert event.start_mark is not None
    assert event.end_mark is not None
    return event.start_mark.index, event.end_mark.index


def _line(text: str, position: int) -> int:
    return len(BREAK.findall(text, 0, position)) + 1


def _scalar(text: str, event: yaml.ScalarEvent) -> YamlNode:
    (start, end), style = _span(event), event.style or ""
    if style in ("|", ">"):
        first_line = BREAK.search(text, start)
        first_end = min(end, first_line.start()) if first_line else end
        end = max(first_end, start + len(text[start:end].rstrip()))
    return YamlNode(
        "scalar",
        start,
        end,
        text=event.value or "",
        style=style,
        is_marked=event.anchor is not None or event.tag is not None,
        anchor=event.anchor or "",
    )


def _collection(closed: _OpenCollection, end: int) -> YamlNode:
    event, children = closed.event, tuple(closed.children)
    is_marked = event.anchor is not None or event.tag is not None
    return YamlNode(
        "list" if isinstance(event, yaml.SequenceStartEvent) else "mapping",
        _span(event)[0],
        end if event.flow_style or not children else children[-1].end,
        style="[" if event.flow_style else "",
        is_marked=is_marked or any(child.is_marked for child in children),
        anchor=event.anchor or "",
        children=children,
    )


def _body_start(document: YamlText, leaf: YamlNode) -> int:
    """Return where a leaf can no longer contain comments: a block scalar's after its first line."""
    if leaf.style in ("|", ">"):
        return min(leaf.end, document.line_end(leaf.start))
    return leaf.end if leaf.style == "[" else leaf.start
