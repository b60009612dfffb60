"""Make text from outside safe to show on a terminal.

Profiles, services, containers, files and arguments may contain any characters. Some of them move
the cursor, start escape sequences, or change the order of the text around them.
"""

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_KEPT = frozenset("\n\t\xa0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))))
"""Newlines, tabs and all kinds of spaces, which `str.isprintable` excludes."""
_JOINERS = "\u200c\u200d"
"""Characters inside Arabic and Indic words and inside emoji such as flags and families."""
_NOT_PRINTABLE = re.compile(r"[^\n\x20-\x7e]")


def printable(text: str) -> str:
    """Replace all characters of a text that could change more of the screen than their own cell.

    These are control characters other than newlines and tabs, bidirectional and other invisible
    format characters, line and paragraph separators, lone surrogates, and characters that this
    version of Unicode does not define. The number of characters remains the same.
    """
    return "\n".join(line if line.isprintable() else _shown(line) for line in text.split("\n"))


def printable_json(text: str) -> str:
    r"""Escape the characters of a JSON text that `printable` replaces, as in `\u202e`.

    The result is valid JSON with the same value.
    """
    return _NOT_PRINTABLE.sub(_escaped, text)


def _shown(line: str) -> str:
    last = len(line) - 1
    return "".join(
        c
        if c.isprintable()
        or c in _KEPT
        or (c in _JOINERS and 0 < i < last and not (line[i - 1].isascii() or line[i + 1].isascii()))
        else REPLACEMENT
        for i, c in enumerate(line)
    )


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if character.isprintable() or character in _KEPT:
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
