"""The log of a container: opening, following and searching it."""

from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from loadbench.engine.journal.events import Result, RunFinished
from loadbench.engine.journal.service_log import format_log_line
from loadbench.ui.log.screen import LogScreen
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.widgets.log_view import LogView
from tests.support.ui_harness import (
    Stage,
    append,
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


def write_log(folder: Path, name: str, *lines: str) -> None:
    with (folder / "stack.log").open("a", encoding="utf-8") as file:
        file.writelines(
            format_log_line(AT.format(i % 60), name, text) for i, text in enumerate(lines)
        )


def border(pilot: "Pilot[Any]") -> str:
    return str(pilot.app.screen.query_one(LogView).border_subtitle)


def test_enter_opens_the_log_of_the_selected_container(stage: Stage) -> None:
    folder = stage.add_run("demo")
    write_log(folder, "api", "of the api")
    write_log(folder, "model-1", "of the model")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "tab", "j", "enter")
        assert isinstance(pilot.app.screen, LogScreen)
        text = screen_text(pilot.app)
        assert "11:11:00  of the api" in text
        assert "of the model" not in text
        assert "● running, CPU 14 % of a core, memory 70 MiB (last seen)" in text
        await press(pilot, "right_square_bracket")
        assert "11:11:00  of the model" in screen_text(pilot.app)
        await press(pilot, "right_square_bracket")
        assert "No log output from model-2" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, RunScreen)

    drive(stage.app(folder=folder), script)


def test_a_double_click_opens_the_log(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await pilot.click("#containers", offset=(5, 4), times=2)
        await settled(pilot)
        assert "No log output from model-1" in screen_text(pilot.app)

    drive(stage.app(folder=folder), script)


def test_the_end_is_followed_until_the_user_scrolls_up(stage: Stage) -> None:
    folder = measuring(stage)
    write_log(folder, "broker", *(f"line {i}" for i in range(100)))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "tab", "enter")
        assert "line 99" in screen_text(pilot.app)
        assert border(pilot) == "100 lines · following"
        await press(pilot, "up", "up")
        assert border(pilot) == "scrolled up · f follow"
        write_log(folder, "broker", "one more")
        pilot.app.screen.paint()  # type: ignore[attr-defined]  # as every second
        await settled(pilot)
        assert "one more" not in screen_text(pilot.app)
        await press(pilot, "f")
        assert "one more" in screen_text(pilot.app)
        write_log(folder, "api", "another container")
        write_log(folder, "broker", "and more")
        await until(pilot, lambda: "and more" in screen_text(pilot.app))
        assert "another container" not in screen_text(pilot.app)
        await press(pilot, "home", "end")
        assert border(pilot) == "102 lines · following"

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_search_shows_the_matching_lines(stage: Stage) -> None:
    folder = stage.add_run("demo")
    write_log(folder, "broker", "all is well", "an ERROR", "another error", "q")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "tab", "enter", "slash", *"error")
        text = screen_text(pilot.app)
        assert "an ERROR" in text
        assert "another error" in text
        assert "all is well" not in text
        assert border(pilot) == "2 of 4 lines"
        await press(pilot, "enter")
        assert "all is well" not in screen_text(pilot.app)
        assert offered(pilot)["escape"] == "clear search"
        await press(pilot, "escape")
        assert "all is well" in screen_text(pilot.app)
        await press(pilot, "slash", "enter", "escape")
        assert isinstance(pilot.app.screen, RunScreen)

    drive(stage.app(folder=folder), script)


def test_log_lines_without_timestamps_are_shown(stage: Stage) -> None:
    folder = stage.add_run("demo")
    (folder / "stack.log").write_text("broker | old output \x1b[31m\n" * 3)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "tab", "enter")
        assert "│ old output \ufffd[31m" in screen_text(pilot.app)
        await press(pilot, "escape", "5")
        assert "broker | old output" in screen_text(pilot.app)
        await press(pilot, "1", "enter")
        assert "The log lines have no timestamps" in screen_text(pilot.app)

    drive(stage.app(folder=folder), script)


def test_a_cell_shows_the_log_lines_of_its_attempt(stage: Stage) -> None:
    folder = stage.add_run("demo")
    write_log(folder, "model-1", *(f"in second {i}" for i in range(60)))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "k", "enter")
        text = screen_text(pilot.app)
        assert "Logs · 11:11:30 to 11:11:44" in text
        assert "11:11:43  model-1 | in second 43" in text
        assert "in second 45" not in text
        assert "in second 29" not in text

    drive(stage.app(folder=folder), script)


def test_q_is_detach_only_while_the_run_is_live(stage: Stage) -> None:
    folder = measuring(stage)
    write_log(folder, "api", "of the api")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "tab", "j", "enter")
        assert isinstance(pilot.app.screen, LogScreen)
        assert offered(pilot)["q"] == "detach"
        append(folder, RunFinished(result=Result.STOPPED, reason="on request"))
        await until(pilot, lambda: offered(pilot)["q"] == "quit")
        await until(pilot, lambda: "q quit" in screen_text(pilot.app).splitlines()[-1])

    with held(folder):
        drive(stage.app(folder=folder), script)
