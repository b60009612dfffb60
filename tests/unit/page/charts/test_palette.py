"""The colours of charts: contrast of lines, text on tiles, and names of variables."""

import re
from itertools import combinations
from math import dist
from operator import mul

import pytest

from loadbench.page.charts.heatmap import MAX_OPACITY
from loadbench.page.charts.palette import DARK, LIGHT, PAGE
from tests.support.contrast import MIN_CONTRAST, RGB, contrast

MIN_GRAPHICS_CONTRAST = 3.0
"""Minimum contrast ratio of graphics, WCAG 2.2 success criterion 1.4.11, level AA."""
MIN_DIFFERENCE = 12.0
"""Minimum distance of two colours in CIELAB. From about 2.3 on, they look different side by side.
"""
Matrix = tuple[tuple[float, float, float], ...]
VISIONS: dict[str, Matrix] = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
"""Matrices of linear RGB, from G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, A
Physiologically-based Model for Simulation of Color Vision Deficiency, IEEE Transactions on
Visualization and Computer Graphics 15, 2009, severity 1.0."""
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


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("vision", VISIONS)
def test_series_differ_for_colour_blind_readers(theme: str, vision: str) -> None:
    seen = [_seen(THEMES[theme][f"--c{number}"], VISIONS[vision]) for number in range(1, 9)]
    assert min(dist(one, other) for one, other in combinations(seen, 2)) >= MIN_DIFFERENCE


def _rgb(colour: str) -> RGB:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def _mixed(front: RGB, back: RGB, opacity: float) -> RGB:
    red, green, blue = (
        round(opacity * one + (1 - opacity) * other) for one, other in zip(front, back, strict=True)
    )
    return red, green, blue


def _seen(colour: str, vision: Matrix) -> tuple[float, float, float]:
    """Return a colour in CIELAB as it is seen, with the white point D65."""
    linear = [_linear(channel / 255) for channel in _rgb(colour)]
    red, green, blue = (min(1.0, max(0.0, sum(map(mul, row, linear)))) for row in vision)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    fx, fy, fz = (
        value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116 for value in (x, y, z)
    )
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
