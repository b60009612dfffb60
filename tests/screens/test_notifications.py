"""Notifications above the footer: they cover nothing and remain in a list."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from loadbench.engine.journal.commands import FILE_NAME as COMMANDS
from loadbench.engine.journal.events import CommandAnswered
from loadbench.ui.dialogs.notifications import NotificationsWindow
from loadbench.ui.widgets.notification_line import NotificationLine
from tests.support.ui_harness import (
    BROKEN,
    Stage,
    append,
    commands,
    drive,
    held,
    measuring,
    press,
    screen_text,
    settled,
    until,
)

SIZES = ((120, 40), (80, 24), (60, 15))
OPENINGS = (
    (),
    ("v",),
    ("v", "tab"),
    ("j", "o"),
    ("j", "o", "z"),
    ("j", "o", "enter"),
    ("j", "o", "tab", "enter"),
    ("question_mark",),
    ("d",),
)
"""Keys that open each screen, a maximised panel and dialogs."""
LONG = "m1_u2_s8 failed: " + "the container exited with code 137 " * 9


def screens(stage: Stage) -> None:
    stage.save_profile("broken", BROKEN)
    stage.save_profile("demo")
    for number, journal in enumerate(("demo", "faults", "containers")):
        stage.add_run(journal, run=f"2026112{number}-111101")


def rows_of(app: Any) -> list[str]:
    return screen_text(app).splitlines()


def line_of(screen: Screen[Any]) -> NotificationLine:
    return screen.query_one(NotificationLine)


def height_of(screen: Screen[Any]) -> int:
    line = line_of(screen)
    return line.region.height if line.display else 0


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("opening", OPENINGS)
def test_notifications_cover_nothing(
    stage: Stage, opening: tuple[str, ...], size: tuple[int, int]
) -> None:
    screens(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, *opening)
        app, screen = pilot.app, pilot.app.screen
        before = rows_of(app)
        app.notify(LONG, severity="error")
        app.notify("other")
        await settled(pilot)
        line = line_of(screen)
        rows = rows_of(app)
        assert line.region.height == 2
        assert line.region.bottom == app.size.height - 1
        assert rows[-3].startswith("  ▸ other")
        assert rows[-2].startswith("  ✖ m1_u2_s8 failed")
        assert rows[-1] == before[-1]
        for widget in screen.query(Widget):
            if widget.is_scrollable and widget.is_on_screen:
                visible = screen.find_widget(widget).visible_region
                assert not visible.overlaps(line.region), widget

    drive(stage.app(), script, size=size)


@pytest.mark.parametrize("opening", OPENINGS)
def test_screen_looks_as_before_after_a_notification_has_expired(
    stage: Stage, opening: tuple[str, ...]
) -> None:
    screens(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, *opening)
        before = screen_text(pilot.app)
        pilot.app.notify(LONG, timeout=0.05)
        await until(pilot, lambda: "m1_u2_s8 failed" in screen_text(pilot.app))
        await until(pilot, lambda: not line_of(pilot.app.screen).display)
        await settled(pilot)
        assert screen_text(pilot.app) == before

    drive(stage.app(), script)


def test_screen_opened_later_shows_the_notification(stage: Stage) -> None:
    screens(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        pilot.app.notify("a message", severity="warning")
        await press(pilot, "v")
        assert "! a message" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert "! a message" in screen_text(pilot.app)

    drive(stage.app(), script)


def test_resize_wraps_the_notification_again(stage: Stage) -> None:
    screens(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        pilot.app.notify("word " * 18 + "end")
        await settled(pilot)
        assert height_of(pilot.app.screen) == 1
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        assert height_of(pilot.app.screen) == 2
        assert "end" in screen_text(pilot.app)

    drive(stage.app(), script)


def test_selected_entry_stays_visible_above_a_notification(stage: Stage) -> None:
    for number in range(40):
        stage.save_profile(f"profile{number:02}")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "end")
        pilot.app.notify(LONG)
        pilot.app.notify("other")
        await settled(pilot)
        assert "▌profile39" in screen_text(pilot.app)

    drive(stage.app(), script, size=(120, 20))


def test_selected_cell_of_the_reports_stays_visible_above_a_notification(stage: Stage) -> None:
    stage.save_profile("demo")
    stage.add_run("decisions/split-repeats")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "v", "2", "end")
        app: Any = pilot.app
        selected = app.screen.cell.cell
        rows = [row for row in rows_of(app) if "│" in row]
        assert rows
        app.notify(LONG)
        app.notify("other")
        await settled(pilot)
        table = app.screen.query_one("#cells")
        cursor = table.cursor_row - table.scroll_offset.y + 1
        assert app.screen.cell.cell == selected
        assert cursor <= table.scrollable_content_region.height

    drive(stage.app(), script, size=(80, 15))


def test_list_has_all_notifications_and_their_times(stage: Stage) -> None:
    screens(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        for text in ("earlier", "later", LONG):
            pilot.app.notify(text)
        await press(pilot, "ctrl+g")
        assert isinstance(pilot.app.screen, NotificationsWindow)
        text = screen_text(pilot.app)
        assert text.count("exited with code 137") >= 9
        assert text.index("later") < text.index("earlier")
        pilot.app.notify("while it is open")
        await settled(pilot)
        assert screen_text(pilot.app).count("while it is open") == 2
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, NotificationsWindow)

    drive(stage.app(), script)


def test_palette_opens_the_list(stage: Stage) -> None:
    screens(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "ctrl+p", *"notifications")
        await until(pilot, lambda: "Show all notifications" in screen_text(pilot.app))
        await press(pilot, "down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, NotificationsWindow))
        assert "No notifications yet" in screen_text(pilot.app)

    drive(stage.app(), script)


# Answers to commands


def answer(folder: Path, *, accepted: bool, cell: str | None = None) -> None:
    """Answer the newest command as the runner does."""
    sent = (folder / COMMANDS).read_text().splitlines()[-1]
    identity = sent.split('"id":')[1].split('"')[1]
    append(
        folder,
        CommandAnswered(
            id=identity, command="pause", accepted=accepted, message="The answer", cell=cell
        ),
    )


def test_accepted_command_is_not_repeated_on_its_own_screen(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await pilot.press("space")
        await until(pilot, lambda: commands(folder))
        answer(folder, accepted=True)
        await until(pilot, lambda: "pausing after this cell" in screen_text(pilot.app))
        assert pilot.app.notifications.kept == ()  # type: ignore[attr-defined]  # our app

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_refused_command_is_explained(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await pilot.press("space")
        await until(pilot, lambda: commands(folder))
        answer(folder, accepted=False)
        await until(pilot, lambda: "! The answer" in screen_text(pilot.app))

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_accepted_command_is_reported_on_a_screen_that_does_not_show_its_effect(
    stage: Stage,
) -> None:
    folder = measuring(stage, "containers")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "tab", "enter", "ctrl+c")
        await pilot.press("x")
        await until(pilot, lambda: commands(folder))
        answer(folder, accepted=True)
        await until(pilot, lambda: "▸ The answer" in screen_text(pilot.app))

    with held(folder):
        drive(stage.app(folder=folder), script)
