"""The contrast of every colour of text with every background that it is used on."""

import pytest
from textual.theme import Theme

from loadbench.ui.lines.text import SERIES, Tone
from loadbench.ui.terminal.themes import THEMES
from tests.support.contrast import DEFAULTS, MIN_CONTRAST, RGB, XTERM, contrast

TOKENS = {
    Tone.PLAIN: "foreground",
    Tone.STRONG: "foreground",
    Tone.DIM: "faint",
    Tone.ACCENT: "accent",
    Tone.GOOD: "success",
    Tone.NEAR: "near",
    Tone.WARN: "warning",
    Tone.BAD: "error",
    **{tone: tone.value for tone in SERIES},
}
"""The colour of each tone. `Tone.CURSOR` is the foreground, reversed."""
BACKGROUNDS = ("background", "surface", "panel", "chosen")
"""Backgrounds of panels and dialogs, of the footer and notifications, and of the selected entry."""
PAIRS = (
    *((token, back) for token in dict.fromkeys(TOKENS.values()) for back in BACKGROUNDS),
    ("footer-key-foreground", "panel"),
    ("footer-description-foreground", "panel"),
    ("selected-text", "accent"),
)
ONLY_ON_BACKGROUND = {tone.value for tone in SERIES}
"""Colours of charts and their legends, which have no other background."""
ANSI = (
    *("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"),
    *("bright_black", "bright_red", "bright_green", "bright_yellow"),
    *("bright_blue", "bright_magenta", "bright_cyan", "bright_white"),
)


def rgb(theme: Theme, token: str, default: RGB) -> RGB:
    colours = {**theme.to_color_system().generate(), **theme.variables}
    value = colours[token]
    if value.startswith("#"):
        return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)
    if value in ("ansi_default", "transparent"):
        return default
    return XTERM[ANSI.index(value.removeprefix("ansi_"))]


def test_contrast_matches_the_examples_of_the_source() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((255, 255, 255), (255, 255, 255)) == pytest.approx(1)
    # The darkest grey that passes and the lightest that fails on white, by WebAIM's checker.
    assert contrast((118, 118, 118), (255, 255, 255)) == pytest.approx(4.54, abs=0.005)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.005)


def test_every_tone_has_a_colour() -> None:
    assert {*TOKENS, Tone.CURSOR} == set(Tone)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize(("token", "back"), PAIRS)
def test_text_has_enough_contrast(theme: Theme, token: str, back: str) -> None:
    if token in ONLY_ON_BACKGROUND and back != "background":
        return
    foreground, background = DEFAULTS[theme.dark]

    ratio = contrast(rgb(theme, token, foreground), rgb(theme, back, background))

    assert ratio >= MIN_CONTRAST
