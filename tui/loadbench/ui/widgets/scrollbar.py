"""A scrollbar for terminals without block characters."""

from typing import ClassVar

from textual.scrollbar import ScrollBarRender


class PlainScrollBar(ScrollBarRender):
    """Draw the scrollbar with coloured spaces only.

    Textual supports custom renderers: https://github.com/Textualize/textual/pull/4505.
    """

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8
