"""A scrollbar of whole cells, for terminals without parts of blocks."""

from typing import ClassVar

from textual.scrollbar import ScrollBarRender


class PlainScrollBar(ScrollBarRender):
    """Ends at the edge of a cell, so that it needs no character but the space.

    A renderer of one's own is the supported way: https://github.com/Textualize/textual/pull/4505.
    """

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8
