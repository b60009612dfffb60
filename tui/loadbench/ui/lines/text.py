"""Lines of text with tones, from which all panels are built."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from loadbench.printable import printable


class Tone(StrEnum):
    """Semantic style of a piece of text. The style sheet maps it to a colour."""

    PLAIN = "plain"
    DIM = "dim"
    STRONG = "strong"
    ACCENT = "accent"
    GOOD = "good"
    NEAR = "near"
    WARN = "warn"
    BAD = "bad"
    CURSOR = "cursor"
    SERIES_1 = "series-1"
    SERIES_2 = "series-2"
    SERIES_3 = "series-3"
    SERIES_4 = "series-4"
    SERIES_5 = "series-5"
    SERIES_6 = "series-6"


SERIES = (
    Tone.SERIES_1,
    Tone.SERIES_2,
    Tone.SERIES_3,
    Tone.SERIES_4,
    Tone.SERIES_5,
    Tone.SERIES_6,
)

_MIN_GAP = 2
_SHORT_NAME_COLUMNS = 20


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text in a single tone."""

    text: str
    tone: Tone = Tone.PLAIN


Line = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """An entry of a menu, or a heading that cannot be selected."""

    key: str
    """Identifies the entry when the list changes. Empty for a heading."""
    lines: tuple[Line, ...]


def line(*parts: str | Piece | tuple[str, Tone]) -> Line:
    """Return a line made of parts. Control characters, for example in logs, are replaced."""
    pieces = []
    for part in parts:
        piece = (
            part
            if isinstance(part, Piece)
            else Piece(*((part,) if isinstance(part, str) else part))
        )
        if piece.text:
            pieces.append(Piece(_shown(piece.text), piece.tone))
    return tuple(pieces)


def title_text(content: str) -> Text:
    """Return the title of a window or panel, without markup and control characters."""
    return Text(_shown(content))


def width(content: Line) -> int:
    """Return the width of a line in columns."""
    return sum(cell_len(piece.text) for piece in content)


def plain(content: Line) -> str:
    """Return the text of a line without its tones."""
    return "".join(piece.text for piece in content)


def justify(left: Line, rights: Sequence[Line], columns: int) -> Line:
    """Return the left part, followed by the first of the right-aligned parts that fits."""
    for right in rights:
        gap = columns - width(left) - width(right)
        if gap >= _MIN_GAP:
            return (*left, Piece(" " * gap), *right)
    return left


def wrap(content: Line, columns: int, *, indent: int = 0) -> list[Line]:
    """Return a line wrapped at word boundaries.

    Args:
        content: The line.
        columns: Maximum width, in columns.
        indent: Indentation of all lines but the first, in columns.
    """
    columns = max(columns, indent + 4)
    parts: list[Line] = []
    current: list[Piece] = []
    used = 0
    for piece in content:
        for word in _words(piece.text):
            fits = used + cell_len(word.rstrip()) <= columns
            if not fits and used > indent * bool(parts):
                parts.append(tuple(current))
                current, used = ([Piece(" " * indent)] if indent else []), indent
                word = word.lstrip()
            while cell_len(word.rstrip()) > columns - used:
                head = _head(word, columns - used)
                current.append(Piece(head, piece.tone))
                parts.append(tuple(current))
                current, used = ([Piece(" " * indent)] if indent else []), indent
                word = word[len(head) :]
            # Trailing spaces beyond the edge are cut.
            word = set_cell_size(word, columns - used) if cell_len(word) > columns - used else word
            current.append(Piece(word, piece.tone))
            used += cell_len(word)
    if current:
        parts.append(tuple(current))
    return parts or [()]


def table(
    header: Sequence[str],
    body: Sequence[Sequence[str | Piece]],
    *,
    left: int = 1,
    last_is_text: bool = False,
) -> list[Line]:
    """Return a table with a dim header. Each column is as wide as its longest value.

    Args:
        header: The column headings.
        body: The rows, with one text or piece per column.
        left: Number of left-aligned columns, from the first. The others are right-aligned.
        last_is_text: Whether the last column is left-aligned too.
    """
    rows = [[Piece(name, Tone.DIM) for name in header]]
    for row in body:
        pieces = [value if isinstance(value, Piece) else Piece(value) for value in row]
        rows.append([Piece(_shown(piece.text), piece.tone) for piece in pieces])
    widths = [max(cell_len(row[i].text) for row in rows) for i in range(len(header))]
    aligned = {*range(left), *([len(header) - 1] if last_is_text else [])}
    return [line(*_spaced(row, widths, aligned)) for row in rows]


def fit(content: str, columns: int) -> str:
    """Return a text padded to a width in columns, or truncated with an ellipsis."""
    content = _shown(content)
    if cell_len(content) <= columns or columns < 1:
        return set_cell_size(content, columns)
    return f"{set_cell_size(content, max(0, columns - 1))}…"


def fit_middle(content: str, columns: int) -> str:
    """Return a text without its middle if it is wider than a number of columns."""
    content = _shown(content)
    if cell_len(content) <= columns:
        return content
    end = max(0, columns - 1) // 2
    head = set_cell_size(content, max(0, columns - 1 - end))
    return f"{head}…{set_cell_size(content[::-1], end)[::-1]}"


def short_name(name: str) -> str:
    """Return a name of requests for titles, without its middle if it is long."""
    return fit_middle(name, _SHORT_NAME_COLUMNS)


def _shown(content: str) -> str:
    """Return a text as one line of characters whose width matches `cell_len`."""
    return printable(content.replace("\t", "    ").replace("\n", " "))


def _spaced(row: Sequence[Piece], widths: Sequence[int], left: set[int]) -> Iterable[Piece]:
    for i, (piece, columns) in enumerate(zip(row, widths, strict=True)):
        if i:
            yield Piece("  ")
        padding = " " * (columns - cell_len(piece.text))
        yield Piece(piece.text + padding if i in left else padding + piece.text, piece.tone)


def _words(content: str) -> Iterable[str]:
    word = ""
    for character in content:
        if word and character != " " and word[-1] == " ":
            yield word
            word = ""
        word += character
    if word:
        yield word


def _head(word: str, columns: int) -> str:
    head = ""
    for character in word:
        if cell_len(head + character) > columns:
            break
        head += character
    return head or word[:1]
