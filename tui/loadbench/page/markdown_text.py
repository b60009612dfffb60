"""Parts of a Markdown text. All names and messages are shown as text.

The names come from user code, and the result is posted to GitHub, which also turns `@name`, `#1`,
`:name:`, `$…$` and addresses into mentions, links, pictures and formulas. It does so after Markdown
has been converted, so that a backslash does not prevent it. An empty comment does.
"""

import re
from collections.abc import Iterable, Sequence

from loadbench.engine.bounds.texts import one_line
from loadbench.printable import printable

MAX_CHARACTERS = 1000
"""Maximum length of a text."""

MAX_LOG_CHARACTERS = 300
"""Maximum length of a log line."""

_BREAK = "<!-- -->"
_SPECIAL = re.compile(
    r"[&<>|\\`*\[\]~$@#]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # an underscore within a word has no meaning
    r"|:(?=//|[\w+-]+:)"
    r"|(?<=[wW]{3})\.|(?<=[gG][hH])-(?=\d)"
)
_REPLACED = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "|": "&#124;",
    "\\": "&#92;",
    "`": "&#96;",
    "*": r"\*",
    "[": r"\[",
    "]": r"\]",
    "~": r"\~",
    "_": r"\_",
    "$": "<span>$</span>",
    ".": f"{_BREAK}.",
}
_LIST_SIGN = re.compile(r"^(\d*)([-+=.)])")
_MIN_FENCE = 3


def text(value: str, max_characters: int = MAX_CHARACTERS) -> str:
    """Return a text on one line that Markdown shows as it is, unless it starts a line.

    Args:
        value: The text. Line breaks become spaces.
        max_characters: Length above which it is cut off.
    """
    return _SPECIAL.sub(_escaped, one_line(printable(value), max_characters))


def paragraph(sentences: Iterable[str]) -> str:
    """Return sentences as one line that Markdown shows as it is."""
    line = " ".join(map(text, sentences))
    return _LIST_SIGN.sub(lambda match: f"{match[1]}\\{match[2]}", line)


def table(header: Sequence[str], body: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """Return the lines of a table.

    Args:
        header: Column heads.
        body: Rows with one text per column.
        left: Number of left-aligned columns at the start; the others are right-aligned. The last
            column is left-aligned if its head ends with a space.
    """
    last_is_text = header[-1].endswith(" ")
    is_left = [i < left or (last_is_text and i == len(header) - 1) for i in range(len(header))]
    rule = ["---" if is_text else "--:" for is_text in is_left]
    return [
        _row(map(text, header)),
        _row(rule),
        *(_row(map(text, row)) for row in body),
    ]


def fenced(lines: Sequence[str]) -> list[str]:
    """Return log lines as a code block."""
    shown = [one_line(printable(one), MAX_LOG_CHARACTERS) for one in lines]
    longest = max((len(run) for one in shown for run in re.findall("`+", one)), default=0)
    fence = "`" * max(_MIN_FENCE, longest + 1)
    return [f"{fence}text", *shown, fence]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(match: re.Match[str]) -> str:
    sign = match[0]
    return _REPLACED.get(sign, f"{sign}{_BREAK}")
