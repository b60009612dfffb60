"""How the series of a chart are told apart: by colour, dash and point shape."""

from collections.abc import Sequence
from typing import Any

from loadbench.page.charts.palette import Palette

_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4])
"""A number of dashes without a common factor with that of colours, so that pairs rarely repeat."""
_SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right")
"""Seven shapes, so that a colour has another shape when it is repeated."""


def series_encoding(palette: Palette, models: Sequence[int]) -> dict[str, Any]:
    """Return the encoding of the field `models` of lines and points by colour.

    Args:
        palette: The colours.
        models: All numbers of models.
    """
    return _by_models(models, palette.series)


def dash_encoding(models: Sequence[int]) -> dict[str, Any]:
    """Return the encoding of the field `models` of lines by dash."""
    return _by_models(models, _DASHES)


def shape_encoding(models: Sequence[int]) -> dict[str, Any]:
    """Return the encoding of the field `models` of points by shape."""
    return _by_models(models, _SHAPES)


def _by_models(models: Sequence[int], looks: Sequence[Any]) -> dict[str, Any]:
    return {
        "field": "models",
        "type": "nominal",
        "title": "models",
        "scale": {
            "domain": [str(number) for number in models],
            "range": [looks[index % len(looks)] for index in range(len(models))],
        },
    }
