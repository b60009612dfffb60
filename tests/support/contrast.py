"""The contrast of text on the screen."""

from collections.abc import Iterator
from typing import Any

from rich.color import Color, ColorType
from rich.segment import Segment

RGB = tuple[int, int, int]
MIN_CONTRAST = 4.5
"""Minimum contrast ratio of text, WCAG 2.2 success criterion 1.4.3, level AA."""

XTERM: tuple[RGB, ...] = (
    *((0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0)),
    *((0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229)),
    *((127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0)),
    *((92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255)),
)
"""The 16 colours of xterm, from its file XTerm-col.ad."""
DEFAULTS: dict[bool, tuple[RGB, RGB]] = {
    True: (XTERM[7], XTERM[0]),
    False: (XTERM[0], XTERM[15]),
}
"""The terminal's own foreground and background, by whether its background is dark."""


def contrast(first: RGB, second: RGB) -> float:
    """Return the contrast ratio of two colours, from 1 to 21.

    Source: WCAG 2.2, definitions of "contrast ratio" and "relative luminance",
    https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio.
    """
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: RGB) -> float:
    """Return the relative luminance of an sRGB colour, from 0 to 1."""
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def low_contrasts(app: Any, *, is_dark: bool) -> Iterator[str]:
    """Yield a description of each piece of text on the screen whose contrast is too low.

    Frames, bars and charts are no text. Bold and dim are ignored, because terminals draw them
    differently.
    """
    # The screen behind a dialog is inactive, so only the dialog's own widgets count.
    regions = [widget.region for widget in app.screen.query("*") if widget.visible]
    for y, strip in enumerate(app.screen._compositor.render_strips()):
        x = 0
        for segment in strip:
            text = segment.text.strip()
            ratio = _contrast_of(segment, is_dark=is_dark)
            is_own = any(region.contains(x, y) for region in regions)
            if is_own and any(map(str.isalnum, text)) and ratio < MIN_CONTRAST:
                yield f"row {y + 1}: {text!r} {segment.style}: {ratio:.2f}"
            x += segment.cell_length


def _contrast_of(segment: Segment, *, is_dark: bool) -> float:
    front, back = DEFAULTS[is_dark]
    if style := segment.style:
        front, back = _rgb(style.color, front), _rgb(style.bgcolor, back)
    return contrast(front, back)


def _rgb(colour: Color | None, default: RGB) -> RGB:
    if colour is None or colour.type is ColorType.DEFAULT:
        return default
    if colour.number is not None and colour.number < len(XTERM):
        return XTERM[colour.number]
    red, green, blue = colour.get_truecolor()
    return red, green, blue
