"""The colours, the font and the signs of charts: those of the page, or fixed ones for files."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartPalette:
    """Colours, as CSS values, a font, and signs that the font has."""

    text: str
    grid: str
    background: str | None
    """None leaves the background transparent."""
    surface: str
    """The colour behind the chart, which fills hollow points."""
    series: tuple[str, ...]
    """Colours of lines. Further lines repeat them with other dashes and point shapes."""
    good: str
    near: str
    bad: str
    goal: str
    """Colour of the line at a goal."""
    font: str
    passed: str = "✓"
    missed: str = "✗"


PAGE = ChartPalette(
    text="currentColor",
    grid="var(--grid)",
    background=None,
    surface="var(--surface)",
    series=tuple(f"var(--c{number})" for number in range(1, 9)),
    good="var(--good)",
    near="var(--near)",
    bad="var(--bad)",
    goal="var(--goal)",
    font="system-ui, sans-serif",
)
"""Colours of a page, which has values for light and dark in its style sheet."""

# Blue and vermilion are those of Okabe and Ito, "Color Universal Design", 2008,
# https://jfly.uni-koeln.de/color/. Their other colours are too light on white, where graphics need
# a contrast of 3:1 (WCAG 2.2, success criterion 1.4.11). So the others were searched for the
# largest difference as seen by colour-blind readers, which tests/unit/page/charts/test_palette.py
# computes.
LIGHT = {
    "--surface": "#ffffff",
    "--c1": "#0072b2",
    "--c2": "#d55e00",
    "--c3": "#04a761",
    "--c4": "#f03cdb",
    "--c5": "#43270b",
    "--c6": "#264874",
    "--c7": "#6a1bbc",
    "--c8": "#222222",
    "--grid": "#dddddd",
    "--good": "#008060",
    "--near": "#b07800",
    "--bad": "#c8371b",
    "--goal": "#c8371b",
}
"""Values of the CSS variables of charts on a light background."""
DARK = {
    "--surface": "#14171a",
    "--c1": "#3d9be0",
    "--c2": "#f0803c",
    "--c3": "#1fb58f",
    "--c4": "#e08fc0",
    "--c5": "#e69f00",
    "--c6": "#8fd0f5",
    "--c7": "#f0e442",
    "--c8": "#e6e6e6",
    "--grid": "#3a3f45",
    "--good": "#1fb58f",
    "--near": "#e69f00",
    "--bad": "#ff6b57",
    "--goal": "#ff6b57",
}
"""Values of the CSS variables of charts on a dark background."""

FILE = ChartPalette(
    text="#222222",
    grid=LIGHT["--grid"],
    background=LIGHT["--surface"],
    surface=LIGHT["--surface"],
    series=tuple(LIGHT[f"--c{number}"] for number in range(1, 9)),
    good=LIGHT["--good"],
    near=LIGHT["--near"],
    bad=LIGHT["--bad"],
    goal=LIGHT["--goal"],
    # vl-convert contains Liberation Sans, which has neither ✓ nor ✗.
    font="Liberation Sans, Arial, Helvetica, sans-serif",
    passed="√",
    missed="×",
)
"""Colours of files, which any viewer can show."""
