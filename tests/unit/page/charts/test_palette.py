"""The colours of charts: contrast of lines, text on tiles, and names of variables."""

import re
from collections.abc import Mapping

import pytest

from loadbench.page.charts.heatmap import MAX_OPACITY
from loadbench.page.charts.palette import DARK, LIGHT, PAGE
from tests.support.contrast import MIN_CONTRAST, RGB, contrast

MIN_GRAPHICS_CONTRAST = 3.0
"""Minimum contrast ratio of graphics, WCAG 2.2 success criterion 1.4.11, level AA."""
TEXT = {"light": "#222222", "dark": "#e6e6e6"}
THEMES = {"light": LIGHT, "dark": DARK}
LINES = [*(f"--c{number}" for number in range(1, 9)), "--good", "--near", "--bad", "--goal"]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", LINES)
def test_lines_and_points_stand_out(theme: str, name: str) -> None:
    colours = THEMES[theme]
    ratio = contrast(_rgb(colours[name]), _rgb(colours["--surface"]))
    assert ratio >= MIN_GRAPHICS_CONTRAST


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", ["--c1", "--good", "--near", "--bad", "--grid"])
def test_text_on_tiles_is_readable(theme: str, name: str) -> None:
    colours = THEMES[theme]
    tile = _mixed(_rgb(colours[name]), _rgb(colours["--surface"]), MAX_OPACITY)
    assert contrast(_rgb(TEXT[theme]), tile) >= MIN_CONTRAST


def test_both_themes_set_every_variable_of_the_page() -> None:
    used = set(re.findall(r"var\((--[a-z0-9]+)\)", str(PAGE)))
    assert used == set(LIGHT) == set(DARK)


@pytest.mark.parametrize("colours", THEMES.values())
def test_colours_of_series_differ(colours: Mapping[str, str]) -> None:
    assert len({colours[f"--c{number}"] for number in range(1, 9)}) == 8


def _rgb(colour: str) -> RGB:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def _mixed(front: RGB, back: RGB, opacity: float) -> RGB:
    red, green, blue = (
        round(opacity * one + (1 - opacity) * other) for one, other in zip(front, back, strict=True)
    )
    return red, green, blue
