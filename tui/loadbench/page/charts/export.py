"""Write charts as files for documents and slides."""

from collections.abc import Iterable
from pathlib import Path
from textwrap import wrap

from loadbench.engine.files import convert_os_errors, write_atomically
from loadbench.page.charts.chart import PageChart, Spec
from loadbench.page.charts.draw import svg_png, vega_svg
from loadbench.page.charts.palette import FILE
from loadbench.page.charts.svg import file_svg

PNG_SCALE = 2
_CAPTION_CHARACTERS = 72
"""Length of a line of a caption above a chart."""


def export_charts(charts: Iterable[PageChart], folder: Path) -> list[Path]:
    """Write each chart as `KEY.svg` and `KEY.png`, and return the paths.

    The folder is created if it does not exist. Other files in it are not touched.

    Raises:
        ChartsUnavailableError: vl-convert is missing or failed. Nothing was written.
        JournalError: A file cannot be written.
        DiskFullError: No space is left on the device.
    """
    files: dict[Path, bytes] = {}
    for chart in charts:
        svg = file_svg(vega_svg(_titled(chart), chart.key), chart.key, chart.title, FILE)
        files[folder / f"{chart.key}.svg"] = svg.encode()
        files[folder / f"{chart.key}.png"] = svg_png(svg, chart.key, PNG_SCALE)
    with convert_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for path, data in files.items():
        write_atomically(path, data)
    return list(files)


def _titled(chart: PageChart) -> Spec:
    """Return the specification of a chart with its title and its caption."""
    title = {"text": chart.title, "subtitle": wrap(chart.caption, _CAPTION_CHARACTERS)}
    return {**chart.spec(FILE), "title": title}
