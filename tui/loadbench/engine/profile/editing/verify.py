"""Check that a changed profile file differs from the original in the intended keys only."""

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

from loadbench.engine.profile.editing.document import BREAK, YamlText, parse_yaml, plain_values
from loadbench.engine.profile.editing.items import item_operations
from loadbench.engine.profile.editing.lookup import Lines, lines_of_keys, value_of
from loadbench.engine.profile.editing.scalars import same
from loadbench.engine.profile.model import ALIASES, known_keys
from loadbench.errors import ProfileError, SpliceError

_ADVICE = "Nothing was changed. Open the file in your editor to change it"


def check_splice(before: str, after: str, changes: Mapping[str, Any]) -> None:
    """Check that only the intended keys differ, and that all other lines are identical.

    Args:
        before: Text of the file.
        after: Its text with the changes.
        changes: The intended values by dotted key.

    Raises:
        SpliceError: Another value, line, comment or the order of keys differs.
    """
    try:
        old, new = plain_values(before), plain_values(after)
        # With a line break at the end, the last line is not a special case.
        end = "" if BREAK.search(before[-1:]) else parse_yaml(before).line_break(len(before))
        old_text, new_text = parse_yaml(before + end), parse_yaml(after + end)
    except ProfileError as error:
        raise SpliceError(f"the change would make the file invalid ({error}). {_ADVICE}") from None
    for key, value in changes.items():
        if not _is_intended(value_of(new, key), value):
            raise SpliceError(f"{key} would not get the intended value. {_ADVICE}")
    pruned = [_without(values, changes) for values in (old, new)]
    if not same(*pruned) or not _keeps_order(old, new):
        raise SpliceError(f"the change would affect other keys. {_ADVICE}")
    has_end = [bool(BREAK.search(text[-1:])) for text in (before, after)]
    if has_end[0] != has_end[1] or before.startswith("\ufeff") != after.startswith("\ufeff"):
        raise SpliceError(f"the change would affect the start or end of the file. {_ADVICE}")
    _check_lines(old_text, new_text, changes)
    _check_comments(old_text, new_text, old, changes)


def _is_intended(found: tuple[bool, Any], value: Any) -> bool:
    is_present, actual = found
    # The file keeps the order of the entries of its mappings.
    return is_present and same(_sorted(actual), _sorted(value))


def _sorted(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {name: _sorted(item) for name, item in sorted(value.items())}


def _without(values: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return values without some keys, and without sections that contain nothing else."""
    rest: dict[str, Any] = {}
    sections = {key.rpartition(".")[0] for key in keys}
    for name, value in values.items():
        if ALIASES.get(name, name) in keys:
            continue
        if name not in sections or not isinstance(value, dict | None):
            rest[name] = value
        elif inner := {
            key: item for key, item in (value or {}).items() if f"{name}.{key}" not in keys
        }:
            rest[name] = inner
    return rest


def _keeps_order(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    if [key for key in new if key in old] != list(old):
        return False
    sections = {key.partition(".")[0] for key in known_keys() if "." in key}
    return all(
        [key for key in new[name] if key in old[name]] == list(old[name])
        for name in sections
        if isinstance(old.get(name), dict) and isinstance(new.get(name), dict)
    )


def _check_lines(before: YamlText, after: YamlText, changes: Mapping[str, Any]) -> None:
    """Check that all lines outside of the changed keys are identical, including line breaks."""
    old_keys, new_keys = lines_of_keys(before), lines_of_keys(after)
    places = {_place(before, key) for key in changes}
    kept = _lines_outside(before, old_keys, places)
    lines = _lines(after.text)
    # A blank line may separate a new section. Which of two blank lines is new is not known.
    blank = [
        new_keys[place][0] - 1
        for place in places - old_keys.keys()
        if place in new_keys and not lines[max(0, new_keys[place][0] - 2)].strip()
    ]
    for count in range(len(blank) + 1):
        for ignored in combinations(blank, count):
            if kept == _lines_outside(after, new_keys, places, ignored):
                return
    raise SpliceError(f"the change would affect other lines. {_ADVICE}")


def _lines_outside(
    document: YamlText,
    keys: Mapping[str, Lines],
    places: Iterable[str],
    ignored: Iterable[int] = (),
) -> list[str]:
    """Return the lines outside of some keys, and all blank and comment lines between values."""
    lines = _lines(document.text)
    values: set[int] = set()
    for leaf in document.leaves():
        values.update(range(document.line_number(leaf.start), document.line_number(leaf.end) + 1))
    changed, skipped = set[int](), set(ignored)
    for place in places:
        first, last = keys.get(place, (1, 0)) if place else (1, len(lines))
        changed.update(range(first, last + 1))
    return [
        line
        for number, line in enumerate(lines, 1)
        if number not in skipped
        and (number not in changed or (number not in values and not _is_content(line)))
    ]


def _is_content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip(" ").startswith("#")


def _check_comments(
    before: YamlText, after: YamlText, old: Mapping[str, Any], changes: Mapping[str, Any]
) -> None:
    """Check that comments behind values remain in their order, except those of removed items."""
    old_comments, new_comments = _comments_behind_values(before), _comments_behind_values(after)
    removed = sum(_removed_items(value_of(old, key)[1], value) for key, value in changes.items())
    remaining = iter(old_comments)
    is_in_order = all(comment in remaining for comment in new_comments)
    if not is_in_order or len(old_comments) - len(new_comments) > removed:
        raise SpliceError(f"the change would affect comments. {_ADVICE}")


def _comments_behind_values(document: YamlText) -> list[str]:
    return [
        document.text[start:end]
        for start, end in document.comments
        if document.text[document.line_start(start) : start].strip(" ")
    ]


def _removed_items(old: object, new: object) -> int:
    if isinstance(old, list) and isinstance(new, list):
        codes = item_operations(old, new)
        return sum(max(0, (old_end - i) - (new_end - j)) for _, i, old_end, j, new_end in codes)
    if isinstance(old, dict) and isinstance(new, Mapping):
        kept = sum(_removed_items(old[name], new[name]) for name in old.keys() & new.keys())
        return kept + sum(_items_in(old[name]) for name in old.keys() - new.keys())
    return 0


def _items_in(value: object) -> int:
    """Return the number of items in a removed item, with the item itself."""
    return 1 + sum(map(_items_in, value.values())) if isinstance(value, dict) else 1


def _lines(text: str) -> list[str]:
    text = text.removeprefix("\ufeff")
    ends = [match.end() for match in BREAK.finditer(text)]
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _place(document: YamlText, key: str) -> str:
    """Return the key or section whose lines a change may affect; empty for all lines.

    A key that is on the same line as others shares the lines of its section.
    """
    root = document.root
    if root is None or root.style:
        return ""
    section = key.rpartition(".")[0]
    nodes = [value for name, value in root.pairs if name.text == section]
    has_lines = any(node.children and not node.style for node in nodes)
    return key if not section or has_lines else section
