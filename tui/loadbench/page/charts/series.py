"""The looks of the series of a chart: colour, dash and point shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loadbench.page.charts.palette import ChartPalette
from loadbench.page.charts.parts import CHARACTER_PX, WIDTH

_MAX_COLUMNS = 8
_MAX_SHARED_CHARACTERS = 8
"""Length of names up to which they share a row. The browser's font may be wider than that of Vega,
so the end of a longer name could cover the next symbol."""
_SYMBOL_PX = 30
"""Width of a symbol in the legend with the spaces around it."""
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4])
"""A number of dashes without a common factor with that of colours, so that pairs rarely repeat."""
_SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right")
"""Seven shapes, so that a colour has another shape when it is repeated."""


@dataclass(frozen=True, slots=True)
class SeriesNames:
    """The names of all series of a chart, which its records have in the field `series`."""

    title: str
    """What the names are, as the title of the legend."""
    names: tuple[str, ...]
    looks: tuple[tuple[int, int], ...] = ()
    """Index of the colour, and of the dash and shape, for each name. Empty: both by the order."""

    def colours(self, palette: ChartPalette) -> dict[str, Any]:
        """Return the encoding of lines and points by colour."""
        return self._encoding(palette.series, [colour for colour, _ in self._indices])

    @property
    def dashes(self) -> dict[str, Any]:
        """The encoding of lines by dash."""
        return self._encoding(_DASHES, [form for _, form in self._indices])

    @property
    def shapes(self) -> dict[str, Any]:
        """The encoding of points by shape."""
        return self._encoding(_SHAPES, [form for _, form in self._indices])

    @property
    def _indices(self) -> Sequence[tuple[int, int]]:
        return self.looks or [(index, index) for index in range(len(self.names))]

    @property
    def num_rows(self) -> int:
        """Number of rows of the legend."""
        return -(-len(self.names) // self._columns)

    @property
    def _columns(self) -> int:
        """Number of columns of the legend, which must not be wider than the chart."""
        longest = max(map(len, self.names))
        if longest > _MAX_SHARED_CHARACTERS:
            return 1
        column_px = CHARACTER_PX * longest + _SYMBOL_PX
        return max(1, min(_MAX_COLUMNS, (WIDTH - CHARACTER_PX * len(self.title)) // column_px))

    def _encoding(self, looks: Sequence[Any], indices: Sequence[int]) -> dict[str, Any]:
        return {
            "field": "series",
            "type": "nominal",
            "title": self.title,
            "legend": {"columns": self._columns},
            "scale": {
                "domain": list(self.names),
                "range": [looks[index % len(looks)] for index in indices],
            },
        }
