"""The lines of a profile file, with those of a key marked."""

import difflib
from collections.abc import Collection

from loadbench.ui.lines.text import Line, Tone, line


def file_lines(text: str, marked: range, changed: Collection[int]) -> list[Line]:
    """Return the lines of a file with their numbers.

    Args:
        text: The text of the file.
        marked: Numbers of the lines of the focused key, counted from 1.
        changed: Numbers of the lines that differ from the saved file.
    """
    lines = []
    for number, content in enumerate(text.splitlines(), start=1):
        sign = "*" if number in changed else " "
        is_marked = number in marked
        tone = Tone.STRONG if is_marked else Tone.PLAIN if number in changed else Tone.DIM
        arrow = "▸" if is_marked else " "
        lines.append(line((f"{arrow}{number:>3}{sign} ", Tone.ACCENT), (content, tone)))
    return lines


def changed_lines(before: str, now: str) -> set[int]:
    """Return the numbers of the lines of a text that are not in an earlier version."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), now.splitlines(), autojunk=False)
    return {
        number + 1
        for kind, _, _, first, last in matcher.get_opcodes()
        if kind in ("replace", "insert")
        for number in range(first, last)
    }


def difference_lines(on_disk: str, mine: str) -> list[Line]:
    """Return both versions of a file as a unified difference.

    Args:
        on_disk: The version on disk.
        mine: The version in the editor.
    """
    tones = {"+": Tone.GOOD, "-": Tone.BAD, "@": Tone.DIM}
    changes = difflib.unified_diff(
        on_disk.splitlines(), mine.splitlines(), "on disk", "in this editor", n=1, lineterm=""
    )
    return [line((change, tones.get(change[:1], Tone.PLAIN))) for change in changes]
