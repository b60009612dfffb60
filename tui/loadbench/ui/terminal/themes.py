"""Dark and light themes, in xterm's 256 colours and in the terminal's own 16 colours."""

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
        "faint": "#8a8a8a",
        "frame": "#444444",
        "chosen": "#303030",
        "near": "#d7d75f",
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
    success="#008700",
    warning="#af5f00",
    error="#d70000",
    dark=False,
    variables={
        "faint": "#6c6c6c",
        "frame": "#bcbcbc",
        "chosen": "#dadada",
        "near": "#5f5f00",
        "series-1": "#008787",
        "series-2": "#af8700",
        "series-3": "#d70087",
        "series-4": "#008700",
        "series-5": "#5f5faf",
        "series-6": "#af5f00",
    },
)

_ANSI_SERIES = {
    "series-1": "ansi_cyan",
    "series-2": "ansi_yellow",
    "series-3": "ansi_magenta",
    "series-4": "ansi_green",
    "series-5": "ansi_blue",
    "series-6": "ansi_red",
}


def _native(builtin: str, name: str, **variables: str) -> Theme:
    theme = BUILTIN_THEMES[builtin]
    return replace(theme, name=name, variables={**theme.variables, **_ANSI_SERIES, **variables})


ANSI_DARK = _native(
    "ansi-dark",
    "loadbench-ansi-dark",
    faint="ansi_white",
    frame="ansi_bright_black",
    chosen="ansi_bright_black",
    near="ansi_cyan",
)
ANSI_LIGHT = _native(
    "ansi-light",
    "loadbench-ansi-light",
    faint="ansi_bright_black",
    frame="ansi_bright_black",
    chosen="ansi_white",
    near="ansi_blue",
)

THEMES = (DARK, LIGHT, ANSI_DARK, ANSI_LIGHT)
OTHER = {
    DARK.name: LIGHT.name,
    LIGHT.name: DARK.name,
    ANSI_DARK.name: ANSI_LIGHT.name,
    ANSI_LIGHT.name: ANSI_DARK.name,
}
"""Name of the light theme for each dark theme, and vice versa."""
