"""Draw charts as SVG with vl-convert, which contains Vega and a JavaScript engine."""

from collections.abc import Iterable
from contextlib import suppress
from types import ModuleType

from loadbench.errors import ChartsUnavailableError
from loadbench.page.charts.chart import PageChart, Spec
from loadbench.page.charts.palette import PAGE, ChartPalette
from loadbench.page.charts.svg import inline_svg

_FIRST: Spec = {
    "data": {"values": [{"x": 1, "y": 2, "name": "a"}, {"x": 3, "y": 4, "name": "a"}]},
    "mark": {"type": "line", "point": True},
    "encoding": {
        "x": {"field": "x", "type": "quantitative"},
        "y": {"field": "y", "type": "quantitative", "scale": {"type": "log"}},
        "color": {"field": "name", "type": "nominal"},
    },
}
"""A chart like those of a page, with which the JavaScript engine loads and compiles all of Vega."""
MISSING = "vl-convert-python is not installed. To install it: pip install vl-convert-python"


def drawn(charts: Iterable[PageChart], palette: ChartPalette = PAGE) -> dict[str, str]:
    """Return the SVG of each chart by its key, as part of a page.

    Raises:
        ChartsUnavailableError: vl-convert is missing or failed.
    """
    return {
        chart.key: inline_svg(
            vega_svg(chart.spec(palette), chart.key), chart.key, chart.title, palette
        )
        for chart in charts
    }


def start_drawing() -> None:
    """Start the JavaScript engine before the first chart. Takes half a second."""
    with suppress(ChartsUnavailableError):  # reported when a chart is drawn
        vega_svg(_FIRST, "")


def vega_svg(spec: Spec, key: str) -> str:
    """Return the SVG of a specification as Vega draws it.

    Raises:
        ChartsUnavailableError: vl-convert is missing or failed.
    """
    try:
        # Nothing may be fetched.
        return str(_vl_convert().vegalite_to_svg(spec, allowed_base_urls=[]))
    except ValueError as error:
        raise _failure(key, error) from error


def svg_png(svg: str, key: str, scale: float) -> bytes:
    """Return a picture of an SVG with concrete colours.

    Args:
        svg: The SVG.
        key: Key of its chart.
        scale: Number of pixels per pixel of the SVG.

    Raises:
        ChartsUnavailableError: vl-convert is missing or failed.
    """
    try:
        return bytes(_vl_convert().svg_to_png(svg, scale=scale))
    except ValueError as error:
        raise _failure(key, error) from error


def _vl_convert() -> ModuleType:
    try:
        import vl_convert
    except ModuleNotFoundError as error:
        if error.name == "vl_convert":
            raise ChartsUnavailableError(MISSING) from error
        raise
    return vl_convert


def _failure(key: str, error: ValueError) -> ChartsUnavailableError:
    reason = str(error).strip().partition("\n")[0]
    return ChartsUnavailableError(f"vl-convert could not draw the chart {key}: {reason}")
