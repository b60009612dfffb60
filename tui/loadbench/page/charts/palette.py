"""The colours and the font of charts: those of the page, or fixed ones for files."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours, as CSS values, and a font."""

    text: str
    grid: str
    background: str | None
    """None leaves the background transparent."""
    series: tuple[str, ...]
    """Colours of lines. Further lines repeat them with other dashes and point shapes."""
    good: str
    near: str
    bad: str
    goal: str
    """Colour of the line at a goal."""
    font: str


PAGE = Palette(
    text="currentColor",
    grid="var(--grid)",
    background=None,
    series=tuple(f"var(--c{number})" for number in range(1, 9)),
    good="var(--good)",
    near="var(--near)",
    bad="var(--bad)",
    goal="var(--goal)",
    font="system-ui, sans-serif",
)
"""Colours of a page, which has values for light and dark in its style sheet."""

LIGHT: dict[str, str] = {}
DARK: dict[str, str] = {}
