"""What a container says: opened from its line, followed, searched."""

from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from loadbench.engine.journal.service_log import format_log_line
from loadbench.ui.log.screen import LogScreen
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.widgets.log_view import LogView
from tests.support.ui_harness import (
    Stage,
    drive,
    held,
    measuring,
    offered,
    press,
    screen_text,
    settled,
    until,
)

AT = "2026-11-22T11:11:{:02}.000Z"


def say(folder: Path, name: str, *lines: str) -> None:
    with (folder / "stack.log").open("a", encoding="utf-8") as file:
        file.writelines(format_log_line(AT.format(i % 60), name, it) for i, it in enumerate(lines))


def border(pilot: "Pilot[Any]") -> str:
    return str(pilot.app.screen.query_one(LogView).border_subtitle)


def test_enter_on_a_container_opens_its_words(stage: Stage) -> None:
    folder = stage.add_run("demo")
    say(folder, "api", "of the api")
    say(folder, "model-1", "of the model")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "tab", "j", "enter")
        assert isinstance(pilot.app.screen, LogScreen)
        told = screen_text(pilot.app)
        assert "11:11:00  of the api" in told
        assert "of the model" not in told
        assert "● running, 14 % of a core, 70 MiB  as it was last seen" in told
        await press(pilot, "right_square_bracket")
        assert "11:11:00  of the model" in screen_text(pilot.app)
        await press(pilot, "right_square_bracket")
        assert "model-2 said nothing" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, RunScreen)

    drive(stage.app(folder=folder), script)


def test_a_double_click_opens_them_too(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await pilot.click("#containers", offset=(5, 3), times=2)
        await settled(pilot)
        assert "model-1 said nothing" in screen_text(pilot.app)

    drive(stage.app(folder=folder), script)


def test_the_end_is_followed_until_somebody_scrolls_up(stage: Stage) -> None:
    folder = measuring(stage)
    say(folder, "broker", *(f"line {i}" for i in range(100)))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "tab", "enter")
        assert "line 99" in screen_text(pilot.app)
        assert border(pilot) == "100 lines, the end is followed"
        await press(pilot, "up", "up")
        assert border(pilot) == "scrolled up; f follows the end again"
        say(folder, "broker", "one more")
        pilot.app.screen.paint()  # type: ignore[attr-defined]  # as each second
        await settled(pilot)
        assert "one more" not in screen_text(pilot.app)
        await press(pilot, "f")
        assert "one more" in screen_text(pilot.app)
        say(folder, "api", "somebody else")
        say(folder, "broker", "and more")
        await until(pilot, lambda: "and more" in screen_text(pilot.app))
        assert "somebody else" not in screen_text(pilot.app)
        await press(pilot, "home", "end")
        assert border(pilot) == "102 lines, the end is followed"

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_lines_are_searched(stage: Stage) -> None:
    folder = stage.add_run("demo")
    say(folder, "broker", "all is well", "an ERROR", "another error", "q")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "tab", "enter", "slash", *"error")
        told = screen_text(pilot.app)
        assert "an ERROR" in told
        assert "another error" in told
        assert "all is well" not in told
        assert border(pilot) == "2 of 4 lines"
        await press(pilot, "enter")
        assert "all is well" not in screen_text(pilot.app)
        assert offered(pilot)["escape"] == "all lines"
        await press(pilot, "escape")
        assert "all is well" in screen_text(pilot.app)
        await press(pilot, "slash", "enter", "escape")
        assert isinstance(pilot.app.screen, RunScreen)

    drive(stage.app(folder=folder), script)


def test_lines_of_older_runs_are_shown_as_they_are(stage: Stage) -> None:
    folder = stage.add_run("demo")
    (folder / "stack.log").write_text("broker | old words \x1b[31m\n" * 3)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "tab", "enter")
        assert "│ old words \ufffd[31m" in screen_text(pilot.app)
        await press(pilot, "escape", "6")
        assert "broker | old words" in screen_text(pilot.app)
        await press(pilot, "1", "enter")
        assert "its lines have no times" in screen_text(pilot.app)

    drive(stage.app(folder=folder), script)


def test_a_cell_shows_what_was_said_in_its_time(stage: Stage) -> None:
    folder = stage.add_run("demo")
    say(folder, "model-1", *(f"in second {i}" for i in range(60)))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "k", "enter")
        told = screen_text(pilot.app)
        assert "log · 11:11:30 to 11:11:44" in told
        assert "11:11:43  model-1 | in second 43" in told
        assert "in second 45" not in told
        assert "in second 29" not in told

    drive(stage.app(folder=folder), script)
