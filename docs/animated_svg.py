"""Draw terminal screens as an SVG; several of them animated, with CSS keyframes, without scripts.

To keep the file small, equal rows are defined once and referenced by every frame that shows them.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import NamedTuple

COLUMN, LINE = 8, 17
"""Width and height of a terminal cell, in pixels."""
BASELINE = 13
MARGIN, TITLE_HEIGHT = 12, 34
BACKGROUND, FOREGROUND, FRAME = "#121212", "#d0d0d0", "#1f1f1f"
_NAMED = {
    "black": "#1e1e1e",
    "red": "#cd5c5c",
    "green": "#6faf6f",
    "brown": "#c8a55b",
    "yellow": "#c8a55b",
    "blue": "#6495cf",
    "magenta": "#b284c4",
    "cyan": "#62b0b0",
    "white": "#d0d0d0",
    "inverse": BACKGROUND,
}
_FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"


class Char(NamedTuple):
    """One cell of a terminal."""

    text: str
    fg: str = "default"
    """`default`, a name such as `red`, or six hexadecimal digits."""
    bg: str = "default"
    bold: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False


Row = tuple[Char, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of the animation."""

    caption: str
    rows: tuple[Row, ...]
    shown_s: float
    """Seconds until the next frame."""


def animated_svg(title: str, size: tuple[int, int], frames: Sequence[Frame]) -> str:
    """Return an SVG that plays its frames in a loop, or a still one of a single frame.

    If the viewer turns animations off, the SVG shows the frame with the longest duration.

    Args:
        title: Title of the window.
        size: Columns and rows of the terminal.
        frames: One or more frames.
    """
    columns, lines = size
    width = columns * COLUMN + 2 * MARGIN
    height = lines * LINE + TITLE_HEIGHT + MARGIN
    backgrounds = Counter(char.bg for frame in frames for row in frame.rows for char in row)
    background = backgrounds.most_common(1)[0][0]
    drawing = _Drawing(background)
    bodies = [drawing.frame(frame) for frame in frames]
    still = max(range(len(frames)), key=lambda index: (frames[index].shown_s, index))
    captions = " → ".join(name for name, _ in groupby(frame.caption for frame in frames))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img">'
    )
    screen = (
        f'<rect x="{MARGIN - 6}" y="{TITLE_HEIGHT - 4}" width="{width - 2 * MARGIN + 12}" '
        f'height="{lines * LINE + 8}" rx="4" fill="{_colour(background, BACKGROUND)}"/>'
    )
    return "\n".join(
        [
            head,
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(captions)}</desc>",
            f"<style>{_style(drawing.classes, frames, still)}</style>",
            f"<defs>{''.join(drawing.rows)}</defs>",
            f'<rect width="{width}" height="{height}" rx="8" fill="{FRAME}"/>',
            screen,
            f'<text class="w" x="{MARGIN}" y="21">{escape(title)}</text>',
            *(
                f'<g class="f" id="f{index}">'
                f'<text class="c" x="{width - MARGIN}" y="21">{escape(frame.caption)}</text>'
                f'<g transform="translate({MARGIN} {TITLE_HEIGHT})">{body}</g></g>'
                for index, (frame, body) in enumerate(zip(frames, bodies, strict=True))
            ),
            "</svg>\n",
        ]
    )


def _style(classes: dict[str, str], frames: Sequence[Frame], still: int) -> str:
    total_s = sum(frame.shown_s for frame in frames)
    rules = [
        f"text{{font:14px {_FONT};white-space:pre}}",
        f".w{{fill:{FOREGROUND};font-weight:bold}}",
        ".c{fill:#8a8a8a;text-anchor:end}",
        *(f".{name}{{{rule}}}" for rule, name in classes.items()),
    ]
    if len(frames) == 1:
        return "\n".join(rules)
    rules.append(f".f{{visibility:hidden;animation:{total_s:g}s step-end infinite}}")
    start_s = 0.0
    for index, frame in enumerate(frames):
        begin, end = (100 * at_s / total_s for at_s in (start_s, start_s + frame.shown_s))
        start_s += frame.shown_s
        hidden = "0%{visibility:hidden}" if index else ""
        after = f"{end:.3f}%{{visibility:hidden}}" if index < len(frames) - 1 else ""
        rules.append(
            f"@keyframes k{index}{{{hidden}{begin:.3f}%{{visibility:visible}}{after}}}"
            f"#f{index}{{animation-name:k{index}}}"
        )
    rules.append(
        "@media (prefers-reduced-motion:reduce){.f{animation:none}"
        f"#f{still}{{visibility:visible}}}}"
    )
    return "\n".join(rules)


class _Drawing:
    """Draws the rows of all frames. Equal rows are drawn only once.

    Args:
        background: Background colour of the terminal. Cells in this colour need no rectangle.
    """

    def __init__(self, background: str) -> None:
        self._background = background
        self.rows: list[str] = []
        self.classes: dict[str, str] = {}
        """Names of CSS classes, by rule."""
        self._ids: dict[Row, str] = {}

    def frame(self, frame: Frame) -> str:
        """Return a frame as references to the rows in `rows`."""
        return "".join(
            f'<use href="#{self._row(row)}" y="{number * LINE + BASELINE}"/>'
            for number, row in enumerate(frame.rows)
            if any(char.text.strip() or char.bg != self._background for char in row)
        )

    def _row(self, row: Row) -> str:
        if row not in self._ids:
            name = f"r{len(self._ids)}"
            self._ids[row] = name
            self.rows.append(f'<g id="{name}">{self._backgrounds(row)}{self._texts(row)}</g>')
        return self._ids[row]

    def _backgrounds(self, row: Row) -> str:
        parts, column = [], 0
        for background, chars in groupby(row, key=lambda char: char.bg):
            width = len(list(chars))
            if background != self._background:
                parts.append(
                    f'<rect class="{self._class(f"fill:{_colour(background, BACKGROUND)}")}" '
                    f'x="{column * COLUMN}" y="-{BASELINE}" width="{width * COLUMN}" '
                    f'height="{LINE}"/>'
                )
            column += width
        return "".join(parts)

    def _texts(self, row: Row) -> str:
        parts, column = [], 0
        single: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for (style, _), chars in groupby(_with_blanks_joined(row), key=_text_key):
            text = "".join(char.text or " " for char in chars)
            # Draw words with wide gaps separately, so that they keep their columns in every font.
            for word in re.finditer(r"\S+(?: \S+)*", text):
                left, length = COLUMN * (column + word.start()), len(word[0])
                if length == 1:
                    single[style].append((left, word[0]))
                    continue
                parts.append(
                    f'<text class="{self._class(style)}" x="{left}" '
                    f'textLength="{length * COLUMN}">{escape(word[0], quote=False)}</text>'
                )
            column += len(text)
        for style, placed in single.items():
            lefts = " ".join(str(left) for left, _ in placed)
            text = escape("".join(character for _, character in placed), quote=False)
            parts.append(f'<text class="{self._class(style)}" x="{lefts}">{text}</text>')
        return "".join(parts)

    def _class(self, rule: str) -> str:
        return self.classes.setdefault(rule, f"s{len(self.classes)}")


def _with_blanks_joined(row: Row) -> Iterator[Char]:
    """Yield the cells. Each invisible blank gets the style of the cell before it."""
    before = Char(" ")
    for char in row:
        is_blank = not char.text.strip() and not (char.underline or char.strike)
        before = before._replace(text=" ") if is_blank else char
        yield before


def _text_key(char: Char) -> tuple[str, bool]:
    # Non-ASCII characters may come from another font with a different width.
    return _text_style(char), char.text.isascii()


def _text_style(char: Char) -> str:
    rule = f"fill:{_colour(char.fg)}"
    if char.bold:
        rule += ";font-weight:bold"
    if char.italic:
        rule += ";font-style:italic"
    if char.underline or char.strike:
        lines = ("underline", char.underline), ("line-through", char.strike)
        rule += ";text-decoration:" + " ".join(name for name, is_on in lines if is_on)
    return rule


def _colour(name: str, default: str = FOREGROUND) -> str:
    if name == "default":
        return default
    named = _NAMED.get(name.removeprefix("bright"))
    return named or f"#{name}"
