"""The contrast of all text on all screens, in every theme."""

from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.engine.requests.launch import RunPlan, RunRequest
from loadbench.errors import RefusedError
from loadbench.ui.terminal.capabilities import Terminal
from loadbench.ui.terminal.themes import THEMES
from tests.support.contrast import low_contrasts
from tests.support.ui_harness import (
    BROKEN,
    NARROW,
    WIDE,
    Stage,
    drive,
    held,
    measuring,
    press,
    replace_runner,
    screen_text,
    settled,
    until,
)

SIZES = (WIDE, NARROW, NARROW, WIDE)
each_theme = pytest.mark.parametrize(
    ("theme", "size"),
    [pytest.param(theme, size, id=theme.name) for theme, size in zip(THEMES, SIZES, strict=True)],
)
"""Every theme in one of two sizes: colours do not depend on the size."""

WALK = (
    *((), ("k",), ("slash",), ("x",), ("escape",), ("escape",), ("question_mark",), ("escape",)),
    *(("c",), ("escape",), ("d",), ("tab",), ("escape",)),
    *(("v",), ("2",), ("down",), ("3",), ("i",), ("escape",), ("escape",)),
    *(("j", "o"), ("2",), ("3",), ("4",), ("5",), ("1",), ("i",), ("escape",)),
    *(("enter",), ("2",), ("3",), ("4",), ("5",), ("escape",), ("ctrl+g",), ("escape",)),
)
"""Keys that open the screens, panels and dialogs one after the other."""


@each_theme
def test_all_text_is_readable(stage: Stage, theme: Any, size: tuple[int, int]) -> None:
    stage.save_profile("broken", BROKEN)
    stage.save_profile("demo")
    stage.save_profile("goals")
    stage.add_run("faults")
    stage.add_run("decisions/suspect-edge", profile="goals", run="20261123-111101")
    found: dict[str, None] = {}

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        pilot.app.theme = theme.name
        for severity in ("information", "warning", "error"):
            pilot.app.notify("text", severity=severity, timeout=60)
        for keys in WALK:
            await press(pilot, *keys)
            for low in low_contrasts(pilot.app, is_dark=theme.dark):
                found[f"{type(pilot.app.screen).__name__}, {keys}, {low}"] = None
        await press(pilot, "ctrl+p")
        await until(pilot, lambda: "Search actions" in screen_text(pilot.app))
        for keys in ((), ("down",), ("r",)):
            await press(pilot, *keys)
            for low in low_contrasts(pilot.app, is_dark=theme.dark):
                found[f"palette, {keys}, {low}"] = None

    terminal = Terminal(few_colours="ansi" in theme.name)
    drive(stage.app(terminal=terminal), script, size=size)
    assert not found, "\n".join(found)


FORM_WALK = (
    *((), ("k",), ("enter",), ("down",), ("down",), ("x",), ("pagedown",), ("pagedown",)),
    *(("enter",), ("down",), ("pageup", "pageup"), ("ctrl+r",), ("ctrl+s",), ("escape",)),
    *(("escape",), ("j", "e"), ("x",), ("down",), ("escape",), ("d",)),
    *(("n",), ("down", "enter"), tuple("mine"), ("enter",), ("down", "0"), ("escape",)),
)
"""Keys that open the forms and their dialogs one after the other."""


@each_theme
def test_all_text_of_forms_is_readable(
    stage: Stage, theme: Any, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: RunRequest) -> RunPlan:
        raise RefusedError("refused by the test")

    replace_runner(monkeypatch, preview=refuse)
    stage.save_profile("broken", BROKEN)
    stage.save_profile("demo")
    found: dict[str, None] = {}

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        pilot.app.theme = theme.name
        for keys in FORM_WALK:
            await press(pilot, *keys)
            for low in low_contrasts(pilot.app, is_dark=theme.dark):
                found[f"{type(pilot.app.screen).__name__}, {keys}, {low}"] = None

    terminal = Terminal(few_colours="ansi" in theme.name)
    drive(stage.app(terminal=terminal), script, size=size)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_all_text_of_a_live_run_is_readable(stage: Stage, theme: Any) -> None:
    folder = measuring(stage, "containers")
    found: dict[str, None] = {}

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        pilot.app.theme = theme.name
        for keys in (
            (),
            ("tab",),
            ("plus",),
            ("tab",),
            ("escape",),
            ("x",),
            ("escape",),
            ("tab", "enter"),
        ):
            await press(pilot, *keys)
            for low in low_contrasts(pilot.app, is_dark=theme.dark):
                found[f"{type(pilot.app.screen).__name__}, {keys}, {low}"] = None

    with held(folder):
        drive(stage.app(folder=folder), script)
    assert not found, "\n".join(found)
