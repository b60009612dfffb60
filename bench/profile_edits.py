"""Change values in generated and shipped profile files, and check that nothing else changes.

    .venv/bin/python -m bench.profile_edits [--seed 30] [--count 2000]

Prints how many files were changed, left as they are and refused, with the reasons. The check does
not use that of the program. Planted wrong changes must be refused by both.
"""

import argparse
import codecs
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from pathlib import Path
from random import Random
from typing import Any

import yaml

from bench.profile_changes import random_changes
from bench.profile_texts import NOT_A_COMMENT, SECTIONS, Writer
from loadbench.engine.profile.editing.document import plain_values
from loadbench.engine.profile.editing.splice import spliced
from loadbench.engine.profile.editing.verify import check_splice
from loadbench.engine.profile.model import ALIASES
from loadbench.errors import ProfileError, SpliceError

DEFAULT_SEED = 30
PROFILES = Path(__file__).resolve().parents[1] / "profiles"

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_COMMENT = re.compile("(?<=  )# [^\r\n]{11,}")
"""A comment of a shipped profile."""
_NUMBER = re.compile("¤[0-9]+¤")
"""The number of a generated comment."""

PLANTED_FILE = (
    "users: [1, 2]  # few ¤1¤\nmodels: [1]\nstack:\n  driver: auto\n\n  # end ¤2¤\n".encode()
)
PLANTED_CHANGES = {"users": [1, 3]}
PLANTED = {
    "right": (b"2]", b"3]"),
    "another value": (b"models: [1]", b"models: [2]"),
    "another type": (b"1, 3", b"1, 3.0"),
    "lost comment": (b"  # few \xc2\xa41\xc2\xa4", b""),
    "lost comment line": (b"  # end \xc2\xa42\xc2\xa4\n", b""),
    "changed quotes": (b"auto", b"'auto'"),
    "changed spaces": (b"models: [1]", b"models: [ 1 ]"),
    "changed line break": (b"models: [1]\n", b"models: [1]\r\n"),
    "lost blank line": (b"\n\n", b"\n"),
    "lost line break": (b"\xa4\n", b"\xa4"),
    "changed order": (
        b"models: [1]\nstack:\n  driver: auto\n",
        b"stack:\n  driver: auto\nmodels: [1]\n",
    ),
    "added key": (b"models: [1]\n", b"models: [1]\nhost:\n"),
    "not changed": (b"3]", b"2]"),
}
"""What is wrong with a result, and the replacement that makes the right one wrong."""


def main() -> None:
    """Change files, and exit with 1 if a result is wrong or a planted one is accepted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--count", type=int, default=2000, help="files of each kind")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.count} files of each kind")
    wrong = 0
    shipped = [file.read_bytes() for file in sorted(PROFILES.glob("*.yaml"))]
    for kind in ("shipped", "generated", "hard"):
        random = Random(options.seed)
        writer = Writer(random, is_hard=kind == "hard")
        files = (
            random.choice(shipped) if kind == "shipped" else writer.profile()
            for _ in range(options.count)
        )
        wrong += report(kind, (outcome(data, random) for data in files))
    accepted = [name for name in PLANTED if is_accepted(name)]
    wrong_ones = len(PLANTED) - 1
    refused = wrong_ones - len(set(accepted) - {"right"})
    print(f"planted: {refused} of {wrong_ones} wrong ones refused, accepted: {', '.join(accepted)}")
    sys.exit(bool(wrong) or accepted != ["right"])


def report(kind: str, outcomes: Iterable[tuple[str, str]]) -> int:
    """Print the counts of a kind of files, and return the number of wrong results."""
    counts = Counter(outcomes)
    total = counts.total()
    by_outcome: Counter[str] = Counter()
    for (name, _), count in counts.items():
        by_outcome[name] += count
    listed = ", ".join(f"{name} {count}" for name, count in by_outcome.most_common())
    refused = by_outcome["refused"] / max(1, total - by_outcome["unreadable"])
    print(f"{kind}: {total} files: {listed}; {refused:.2%} of the readable ones refused")
    for (name, reason), count in counts.most_common():
        if reason:
            print(f"  {count:6} {name}: {reason}")
    return by_outcome["wrong"]


def outcome(data: bytes, random: Random) -> tuple[str, str]:
    """Change random values of a file, and return the outcome and its reason."""
    try:
        values = plain_values(data.decode())
    except (UnicodeDecodeError, ProfileError):
        changes = random_changes(random, {})
        try:
            spliced(data, changes)
        except ProfileError:
            return "unreadable", ""
        return "wrong", f"unreadable file changed: {data!r}"
    changes = random_changes(random, flat(values))
    try:
        result = spliced(data, changes)
    except SpliceError as error:
        return "refused", reason_of(str(error))
    if errors := errors_of(data, result, changes):
        return "wrong", f"{errors[0]}: {data!r} {changes!r} {result!r}"
    return ("unchanged" if result == data else "changed"), ""


def reason_of(message: str) -> str:
    """Return the reason of a refusal, without its line and key."""
    message = re.sub(r"^line \d+: ", "", message)
    message = re.sub(r"^[\w.]+ (?=cannot|would)", "", message)
    message = re.sub(r"sets \S+ twice", "sets it twice", message)
    return re.sub(r"(?<=section )\w+|profile:\d+", "…", message).partition(". ")[0]


def is_accepted(name: str) -> bool:
    """Return whether a check accepts a planted result."""
    result = PLANTED_FILE.replace(*PLANTED["right"]).replace(*PLANTED[name])
    try:
        check_splice(PLANTED_FILE.decode(), result.decode(), PLANTED_CHANGES)
        is_refused = False
    except SpliceError:
        is_refused = True
    return not (is_refused and errors_of(PLANTED_FILE, result, PLANTED_CHANGES))


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by dotted key, with aliases as the keys that they stand for."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        key = ALIASES.get(name, name)
        if key not in SECTIONS:
            found[key] = value
        elif isinstance(value, dict):
            found.update({f"{key}.{inner}": item for inner, item in value.items()})
    return found


def errors_of(before: bytes, after: bytes, changes: Mapping[str, Any]) -> list[str]:
    """Return what differs between two files, other than the intended changes."""
    try:
        old, new = flat(plain_values(before.decode())), flat(plain_values(after.decode()))
    except ProfileError as error:
        return [f"the result is unreadable: {error}"]
    errors = []
    if _typed({**old, **changes}) != _typed(new):
        errors.append("the values differ")
    if [key for key in new if key in old] != list(old):
        errors.append("the order of the keys differs")
    changed = _lines_of(before, changes)
    kept = [line for number, line in enumerate(_lines(before)) if number not in changed]
    remaining = iter(_lines(after))
    if lost := [line for line in kept if line not in remaining]:
        errors.append(f"a line is lost: {lost[0]!r}")
    # A new key may need the line of a section and a blank line. Comments of a list may remain.
    between = [number for number in changed if not _lines(before)[number].partition("#")[0].strip()]
    allowed = (
        len(kept)
        + len(between)
        + len(_lines_of(after, changes))
        + 2 * len(changes.keys() - old.keys())
    )
    if len(_lines(after)) > allowed:
        errors.append("unexpected lines")
    if (before[-1:] in b"\r\n") != (after[-1:] in b"\r\n"):
        errors.append("the last line break differs")
    if before.startswith(codecs.BOM_UTF8) != after.startswith(codecs.BOM_UTF8):
        errors.append("the byte order mark differs")
    removed = sum(_removed(old.get(key), value) for key, value in changes.items())
    comments = [_comments(data.decode()) for data in (before, after)]
    if comments[0][0] != comments[1][0]:
        errors.append("a comment line differs")
    if len(comments[0][1]) - len(comments[1][1]) > removed or set(comments[1][1]) - set(
        comments[0][1]
    ):
        errors.append("a comment differs")
    return errors


def _typed(value: object) -> object:
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return type(value), repr(value)


def _lines(data: bytes) -> list[str]:
    text = data.decode().removeprefix("\ufeff")
    breaks = _BREAK.findall(text)
    if not _BREAK.search(text[-1:]):
        text += breaks[0] if breaks else "\n"
    ends = [match.end() for match in _BREAK.finditer(text)]
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _lines_of(data: bytes, keys: Iterable[str]) -> set[int]:
    """Return the numbers of the lines of some keys, from 0."""
    text = data.decode()
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return set()
    if root.flow_style:
        return set(range(root.start_mark.line, root.end_mark.line + 1))
    found = set()
    for key_node, node in root.value:
        key = ALIASES.get(key_node.value, key_node.value)
        pairs = {key: (key_node, node)}
        inner_keys = [name for name in keys if name.startswith(f"{key}.")]
        if key in SECTIONS and isinstance(node, yaml.MappingNode) and not node.flow_style:
            pairs = {f"{key}.{inner.value}": (inner, value) for inner, value in node.value}
        elif inner_keys:
            # The section has no lines for its keys.
            pairs = {inner_keys[0]: (key_node, node)}
        for name, (first, last) in pairs.items():
            if name in keys:
                found |= set(range(first.start_mark.line, _last_line(text, last) + 1))
    return found


def _last_line(text: str, node: yaml.Node) -> int:
    """Return the last line with contents of a node."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(text, last[1] if isinstance(last, tuple) else last)
    end = node.end_mark.index
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        end = len(text[:end].rstrip())
    return len(_BREAK.findall(text, 0, end))


def _removed(old: object, new: object) -> int:
    if isinstance(old, dict) and isinstance(new, dict):
        kept = sum(_removed(old[name], new[name]) for name in old.keys() & new.keys())
        return kept + sum(_count(old[name]) for name in old.keys() - new.keys())
    if not isinstance(old, list) or not isinstance(new, list):
        return 0
    matcher = SequenceMatcher(None, list(map(repr, old)), list(map(repr, new)), autojunk=False)
    codes = matcher.get_opcodes()
    return sum(max(0, old_end - start - (to - first)) for _, start, old_end, first, to in codes)


def _count(value: object) -> int:
    """Return the number of entries of a removed one, with the entry itself."""
    return 1 + sum(map(_count, value.values())) if isinstance(value, dict) else 1


def _comments(text: str) -> tuple[list[str], list[str]]:
    """Return the lines with only a comment, and the comments behind values."""
    lines = [line.strip() for line in _BREAK.split(text)]
    own = [line for line in lines if line.startswith("#") and line != NOT_A_COMMENT]
    numbers = [n for n in _NUMBER.findall(text) if not any(n in line for line in own)]
    return own, numbers or _COMMENT.findall(text)


if __name__ == "__main__":
    main()
