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

# The hues of the series are those of Okabe and Ito, "Color Universal Design", 2008,
# https://jfly.uni-koeln.de/color/, which colour-blind readers can distinguish. Yellow, sky blue,
# orange and green are darker on white, and blue, vermilion and black are lighter on black, so that
# all have a contrast of at least 3:1 (WCAG 2.2, success criterion 1.4.11).
LIGHT = {
    "--surface": "#ffffff",
    "--c1": "#0072b2",
    "--c2": "#d55e00",
    "--c3": "#008060",
    "--c4": "#b8528f",
    "--c5": "#b07800",
    "--c6": "#2f8fc4",
    "--c7": "#7a6f00",
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
