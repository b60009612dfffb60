"""Behaviour of all screens: keys and help, command palette, themes, random input."""

import random
from pathlib import Path
from typing import Any, NoReturn

import pytest
from textual._compositor import LayoutUpdate
from textual.events import Resize
from textual.geometry import Size
from textual.pilot import Pilot
from textual.screen import Screen

from loadbench.engine.requests.launch import RunRequest
from loadbench.errors import RefusedError
from loadbench.ui.app import LoadbenchApp
from loadbench.ui.cell.screen import CellScreen
from loadbench.ui.dialogs.help import HelpScreen
from loadbench.ui.dialogs.keys import active_actions
from loadbench.ui.log.screen import LogScreen
from loadbench.ui.messages import OpenReports, OpenRun
from loadbench.ui.profiles.screen import ProfilesScreen
from loadbench.ui.reports.screen import ReportsScreen
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.study.screen import StudyScreen
from loadbench.ui.terminal.capabilities import Terminal
from loadbench.ui.terminal.themes import THEMES
from tests.support.study_runs import add_device_study
from tests.support.ui_harness import (
    BROKEN,
    Stage,
    drive,
    held,
    lines_until,
    measuring,
    press,
    replace_runner,
    screen_text,
    settled,
    until,
)

KEYS = (
    *"aeocdfghjklnrstvxyzGS123456/?",
    *("left_square_bracket", "right_square_bracket"),
    *("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "tab", "shift+tab"),
    *(
        "enter",
        "escape",
        "space",
        "plus",
        "percent_sign",
        "ctrl+p",
        "ctrl+l",
        "backspace",
        "ctrl+c",
    ),
)
SIZES = ((120, 40), (80, 24), (60, 15), (59, 14), (200, 60), (100, 30), (20, 5))
PRESSES = 125
OPENINGS = (
    (),
    ("v",),
    ("v", "g"),
    ("v", "g", "enter"),
    ("j", "o"),
    ("j", "o", "enter"),
    ("j", "o", "tab", "enter"),
)
"""Keys that open each screen."""
SCREENS = (
    *(ProfilesScreen, RunScreen, CellScreen, LogScreen, ReportsScreen, StudyScreen),
    LoadbenchApp,
)


def screens(stage: Stage) -> None:
    stage.save_profile("broken", BROKEN)
    stage.save_profile("demo")
    add_device_study(stage.workspace.reports)
    for number, journal in enumerate(("demo", "faults", "containers", "interrupted")):
        stage.add_run(journal, run=f"2026112{number}-111101")


# Keys and help


@pytest.mark.parametrize("opening", OPENINGS)
def test_help_lists_every_active_key(stage: Stage, opening: tuple[str, ...]) -> None:
    screens(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, *opening)
        app = pilot.app
        bindings = [
            active.binding
            for active in app.screen.active_bindings.values()
            if active.enabled and active.binding.description
        ]
        keys = {app.get_key_display(binding) for binding in bindings}
        await press(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        lines = ("".join(piece.text for piece in line) for line in app.screen._lines)
        named = {key.strip() for line in lines for key in line[:16].split(",")}
        assert keys - {"Super+C"} <= named

    drive(stage.app(), script)


def test_every_binding_has_a_description_and_a_tooltip() -> None:
    for screen in SCREENS:
        for binding in screen.BINDINGS:
            assert binding.description, binding  # type: ignore[union-attr]  # all are Bindings
            assert binding.tooltip, binding  # type: ignore[union-attr]  # as above


@pytest.mark.parametrize("opening", OPENINGS)
def test_palette_lists_every_action_in_the_footer(stage: Stage, opening: tuple[str, ...]) -> None:
    screens(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, *opening)
        app = pilot.app
        screen: Screen[Any] = app.screen
        actions = {
            active.binding.description
            for active in screen.active_bindings.values()
            if active.binding.show and active.enabled
        }
        entries = {action.title for action in active_actions(screen) if action.has_entry}
        assert actions <= entries

    drive(stage.app(), script)


def test_palette_runs_the_selected_action(stage: Stage) -> None:
    screens(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "ctrl+p", *"reports")
        await until(pilot, lambda: "Show all runs" in screen_text(pilot.app))
        await press(pilot, "down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ReportsScreen))

    drive(stage.app(), script)


def test_click_in_the_footer_runs_the_action(stage: Stage) -> None:
    screens(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        row = screen_text(pilot.app).splitlines()[-1]
        await pilot.click(offset=(row.index("reports"), 39))
        await settled(pilot)
        assert isinstance(pilot.app.screen, ReportsScreen)

    drive(stage.app(), script)


# Themes


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
def test_every_theme_can_be_toggled_and_restored(stage: Stage, theme: str) -> None:
    folder = stage.add_run("containers")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        app = pilot.app
        app.theme = theme
        await settled(pilot)
        is_dark = app.current_theme.dark
        await press(pilot, "t")
        assert app.current_theme.dark is not is_dark
        await press(pilot, "t")
        assert app.theme == theme

    drive(stage.app(folder=folder), script)


def test_a_changed_theme_applies_to_all_text_and_titles(stage: Stage) -> None:
    folder = measuring(stage)
    screens: list[list[tuple[object, ...]]] = []

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        if pilot.app.current_theme.dark:
            await press(pilot, "t")
        update = pilot.app.screen._compositor.render_update(full=True)
        assert isinstance(update, LayoutUpdate)
        # Not as escape codes: Rich keeps those in styles, for all later tests in this process.
        screens.append(
            [
                (character, style.color, style.bgcolor)
                for strips in update.strips
                for strip in strips
                for text, style, _ in strip
                for character in text
                if style
            ]
        )

    with held(folder):
        for light in (False, True):
            drive(stage.app(folder=folder, terminal=Terminal(light=light)), script)
    assert "Latency" in "".join(str(cell[0]) for cell in screens[0])
    assert screens[0] == screens[1]


# Random input and internal errors


def test_random_keys_and_sizes_cause_no_error(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: RunRequest) -> NoReturn:
        raise RefusedError("not in this test")

    replace_runner(monkeypatch, preview=refuse, start=refuse)
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.delenv("DISPLAY", raising=False)
    screens(stage)
    live = stage.add_run("demo", run="20261129-111101", lines=lines_until("demo", '"second":11,'))
    generator = random.Random(1)

    async def script(pilot: "Pilot[Any]") -> None:
        for number in range(PRESSES):
            pilot.app.simulate_key(generator.choice(KEYS))
            if number % 25 == 24:
                await pilot.resize_terminal(*generator.choice(SIZES))
            elif number % 8 == 0:
                await pilot.pause()
            if pilot.app._exit:
                return
        await pilot.resize_terminal(120, 40)
        await settled(pilot)

    left = PRESSES
    with held(live):
        while left > 0:
            app = stage.app(folder=generator.choice([None, live]))
            drive(app, script)
            assert app._exception is None
            left -= PRESSES if not app._exit else 100


@pytest.mark.parametrize(
    ("opening", "paint"), [("?", "repaint"), ("d", "repaint"), ("v", "_show_findings")]
)
def test_closed_screen_does_not_paint(stage: Stage, opening: str, paint: str) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        first = pilot.app.screen
        await press(pilot, opening)
        closed = pilot.app.screen
        assert closed is not first
        await pilot.app.pop_screen()
        getattr(closed, paint)()
        await settled(pilot)
        assert pilot.app.screen is first

    drive(stage.app(), script)


def test_traceback_of_an_internal_error_is_written_to_a_file(
    stage: Stage, state_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stage.add_run("demo")
    monkeypatch.setattr(
        "loadbench.ui.run.screen.header_lines",
        lambda *_: [][1],  # raises IndexError
    )
    app = stage.app(folder=folder)

    async def script(pilot: "Pilot[Any]") -> None:
        await until(pilot, lambda: app._exception, "the error")

    with pytest.raises(IndexError):
        drive(app, script)
    traceback = (state_home / "loadbench" / "screen-error.txt").read_text()
    assert "IndexError" in traceback
    assert "header_lines" in traceback


# Early, late and duplicate events


def test_second_dismiss_closes_no_other_screen(stage: Stage) -> None:
    screens(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "v", "question_mark")
        dialog = pilot.app.screen
        assert isinstance(dialog, HelpScreen)
        dialog.dismiss()
        dialog.dismiss()
        await settled(pilot)
        assert isinstance(pilot.app.screen, ReportsScreen)

    drive(stage.app(), script)


def test_key_waits_for_the_screen_opened_by_the_previous_key(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        for key in ("enter", "3", "z"):
            pilot.app.simulate_key(key)
        await until(pilot, lambda: pilot.app.screen.maximized, "a maximised panel")
        assert isinstance(pilot.app.screen, CellScreen)

    drive(stage.app(folder=folder), script)


def test_outdated_resize_event_is_dropped(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        screen, old = pilot.app.screen, Size(70, 20)
        screen.post_message(Resize(old, old))
        await settled(pilot)
        assert screen._compositor.size == pilot.app.size

    drive(stage.app(folder=folder), script)


def test_duplicate_and_outdated_requests_open_no_second_screen(stage: Stage) -> None:
    screens(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        first = pilot.app.screen
        assert isinstance(first, ProfilesScreen)
        first.request(OpenReports())
        first.request(OpenReports())
        await until(pilot, lambda: isinstance(pilot.app.screen, ReportsScreen))
        first.request(OpenRun(stage.root))
        await settled(pilot)
        assert isinstance(pilot.app.screen, ReportsScreen)
        assert len(pilot.app.screen_stack) == 3

    drive(stage.app(), script)
