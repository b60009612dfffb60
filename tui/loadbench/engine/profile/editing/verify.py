"""Check that a changed profile file differs from the original in the intended keys only."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from loadbench.engine.profile.editing.document import BREAK, YamlText, parse_yaml
from loadbench.engine.profile.editing.lookup import lines_of_keys, value_of
from loadbench.engine.profile.editing.scalars import same
from loadbench.engine.profile.loading import plain_values
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
    if has_end[0] != has_end[1]:
        raise SpliceError(f"the change would affect the end of the file. {_ADVICE}")
    _check_lines(old_text, new_text, changes)
    _check_comments(old_text, new_text, old, changes)


def _is_intended(found: tuple[bool, Any], value: Any) -> bool:
    is_present, actual = found
    if isinstance(value, Mapping) and isinstance(actual, Mapping):
        # The file keeps the order of its entries.
        return same(dict(sorted(actual.items())), dict(sorted(value.items())))
    return is_present and same(actual, value)


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
    """Check that all lines outside of the changed keys are identical, including line breaks.

    Lines that contain only a comment are compared by `_check_comments`: those at the end of a list
    do not belong to it any more once its last item is removed.
    """
    filled = {
        section
        for section in (key.rpartition(".")[0] for key in changes)
        if section and not _has_keys(before, section)
    }
    kept = []
    for document in (before, after):
        lines = _lines(document.text)
        keys = lines_of_keys(document)
        changed: set[int] = set()
        for key in changes:
            section = key.rpartition(".")[0]
            first, last = keys.get(section if section in filled else key, (1, 0))
            # A blank line may separate a new section.
            is_new = section in filled and section not in lines_of_keys(before) and first > 1
            first -= is_new and not lines[first - 2].strip()
            changed.update(range(first, last + 1))
        kept.append(
            [
                line
                for number, line in enumerate(lines, 1)
                if number not in changed and not line.lstrip(" ").startswith("#")
            ]
        )
    if kept[0] != kept[1]:
        raise SpliceError(f"the change would affect other lines. {_ADVICE}")


def _check_comments(
    before: YamlText, after: YamlText, old: Mapping[str, Any], changes: Mapping[str, Any]
) -> None:
    """Check that all comments remain in the same order, except those behind removed items."""
    old_comments, new_comments = _comments(before), _comments(after)
    removed = sum(_removed_items(value_of(old, key)[1], value) for key, value in changes.items())
    remaining = iter(old_comments)
    is_in_order = all(comment in remaining for comment in new_comments)
    if not is_in_order or len(old_comments) - len(new_comments) > removed:
        raise SpliceError(f"the change would affect comments. {_ADVICE}")


def _comments(document: YamlText) -> list[str]:
    """Return all comments; those on lines of their own with their indentation and line break."""
    found = []
    for start, end in document.comments:
        line_start = document.line_start(start)
        is_alone = not document.text[line_start:start].strip(" ")
        line_break = document.line_break(end) if is_alone else ""
        found.append(document.text[line_start if is_alone else start : end] + line_break)
    return found


def _removed_items(old: object, new: object) -> int:
    if isinstance(old, list) and isinstance(new, list):
        return (Counter(map(repr, old)) - Counter(map(repr, new))).total()
    if isinstance(old, dict) and isinstance(new, Mapping):
        return len(old.keys() - new.keys())
    return 0


def _lines(text: str) -> list[str]:
    ends = [match.end() for match in BREAK.finditer(text)]
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _has_keys(document: YamlText, section: str) -> bool:
    pairs = document.root.pairs if document.root else []
    return any(value.children for key, value in pairs if key.text == section)
