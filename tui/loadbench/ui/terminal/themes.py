"""Dark and light themes, in xterm's 256 colours and in the terminal's own 16 colours.

The contrast of text is at least 4.5 on every background, which `tests/screens/test_contrast.py`
checks.
"""

from collections.abc import Sequence
from dataclasses import replace

from textual.theme import BUILTIN_THEMES, Theme

DARK = Theme(
    name="loadbench-dark",
    primary="#5fafff",
    secondary="#87afd7",
    accent="#5fafff",
    foreground="#d0d0d0",
    background="#121212",
    surface="#121212",
    panel="#262626",
    success="#87d787",
    warning="#ffaf5f",
    error="#ff5f5f",
    dark=True,
    variables={
        "faint": "#949494",
        "frame": "#444444",
        "chosen": "#262626",
        "near": "#d7d75f",
        "selected-text": "#121212",
        "series-1": "#5fd7d7",
        "series-2": "#ffd75f",
        "series-3": "#ff87d7",
        "series-4": "#87d787",
        "series-5": "#8787d7",
        "series-6": "#d7875f",
    },
)

LIGHT = Theme(
    name="loadbench-light",
    primary="#005faf",
    secondary="#005f87",
    accent="#005faf",
    foreground="#1c1c1c",
    background="#ffffff",
    surface="#ffffff",
    panel="#eeeeee",
    success="#005f00",
    warning="#875f00",
    error="#af0000",
    dark=False,
    variables={
        "faint": "#6c6c6c",
        "frame": "#bcbcbc",
        "chosen": "#eeeeee",
        "near": "#5f5f00",
        "selected-text": "#ffffff",
        "series-1": "#005f5f",
        "series-2": "#875f00",
        "series-3": "#d70087",
        "series-4": "#008700",
        "series-5": "#5f5faf",
        "series-6": "#af0000",
    },
)


def _native(builtin: str, name: str, series: Sequence[str], **variables: str) -> Theme:
    """Return a theme of the terminal's own 16 colours.

    A background behind text would leave too few readable colours, so the entry under the cursor is
    marked by a bar and bold text only.
    """
    theme = BUILTIN_THEMES[builtin]
    colours = {f"series-{number}": colour for number, colour in enumerate(series, start=1)}
    own = {"chosen": "ansi_default", "footer-key-foreground": variables["accent"]}
    return replace(
        theme,
        name=name,
        primary=variables["accent"],
        accent=variables["accent"],
        success=variables["success"],
        warning=variables["warning"],
        error=variables["error"],
        variables={**theme.variables, **colours, **own, **variables},
    )


ANSI_DARK = _native(
    "ansi-dark",
    "loadbench-ansi-dark",
    (
        "ansi_cyan",
        "ansi_yellow",
        "ansi_bright_magenta",
        "ansi_green",
        "ansi_white",
        "ansi_bright_red",
    ),
    accent="ansi_green",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_bright_red",
    faint="ansi_white",
    frame="ansi_bright_black",
    near="ansi_cyan",
    **{"selected-text": "ansi_black"},
)
# On white, xterm's green, cyan and yellow are not readable, nor is its grey.
ANSI_LIGHT = _native(
    "ansi-light",
    "loadbench-ansi-light",
    (
        "ansi_blue",
        "ansi_red",
        "ansi_magenta",
        "ansi_black",
        "ansi_bright_blue",
        "ansi_blue",
    ),
    accent="ansi_blue",
    success="ansi_blue",
    warning="ansi_magenta",
    error="ansi_red",
    faint="ansi_black",
    frame="ansi_bright_black",
    near="ansi_bright_blue",
    **{"selected-text": "ansi_bright_white"},
)

THEMES = (DARK, LIGHT, ANSI_DARK, ANSI_LIGHT)
OTHER = {
    DARK.name: LIGHT.name,
    LIGHT.name: DARK.name,
    ANSI_DARK.name: ANSI_LIGHT.name,
    ANSI_LIGHT.name: ANSI_DARK.name,
}
"""Name of the light theme for each dark theme, and vice versa."""
