"""The screen of a cell: opening it from the run, following it, returning."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.engine.journal.codec import FILE_NAME as JOURNAL
from loadbench.engine.journal.events import Event
from loadbench.ui.cell.panels import CellPanels
from loadbench.ui.cell.screen import CellScreen
from loadbench.ui.dialogs.question import Question
from loadbench.ui.run.matrix import MatrixView
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.widgets.line_view import LineView
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_started,
    make_profile,
    run_started,
    write_journal,
)
from tests.support.replicas import ERRORS, replicas
from tests.support.ui_harness import (
    JOURNALS,
    NARROW,
    WIDE,
    Stage,
    commands,
    drive,
    held,
    lines_until,
    measuring,
    offered,
    press,
    screen_text,
    settled,
    until,
)


def cell_of(pilot: "Pilot[Any]") -> str:
    assert isinstance(pilot.app.screen, CellScreen)
    return pilot.app.screen.shown


def run_of(stage: Stage, *events: Event) -> Path:
    started = run_started(make_profile(users=[2, 4], repeats=2))
    return write_journal(stage.root / "reports" / "demo" / "20261122-111101", started, *events)


def test_enter_opens_the_cell_and_escape_returns_to_the_run(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter")
        assert cell_of(pilot) == "m2_u8_s8"
        seen = []
        for key in ("right_square_bracket", "left_square_bracket", "left_square_bracket"):
            await press(pilot, key)
            seen.append(cell_of(pilot))
        assert seen == ["m2_u8_s8", "m2_u2_s8", "m1_u8_s8"]
        assert "cell 2 of 4" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, RunScreen)
        assert pilot.app.screen.shown == "m1_u8_s8"
        assert pilot.app.screen.focused is pilot.app.screen.query_one(MatrixView)

    drive(stage.app(folder=folder), script)


def test_replicas_are_shown_only_for_cells_that_have_some(stage: Stage) -> None:
    result = cell_finished("m1_u2_s2", replicas=replicas(), errors=ERRORS)
    others = (cell_started("m1_u4_s2"), cell_finished("m1_u4_s2"))
    folder = run_of(stage, cell_started("m1_u2_s2"), result, *others)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "home", "enter")
        panel = pilot.app.screen.query_one("#replicas", LineView)
        assert panel.display
        assert "api-2         200  50.0 %" in screen_text(pilot.app)
        assert "10  api-2 at http://127.0.0.1:32776" in screen_text(pilot.app)
        await pilot.resize_terminal(*NARROW)
        await settled(pilot)
        assert "50.0 %" in screen_text(pilot.app)
        assert panel.display
        await press(pilot, "2")
        assert not panel.display
        await press(pilot, "1", "right_square_bracket")
        assert cell_of(pilot) == "m1_u4_s2"
        assert not panel.display
        assert panel not in pilot.app.screen.focus_chain

    drive(stage.app(folder=folder), script)


def test_a_double_click_opens_the_cell(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await pilot.click(MatrixView, offset=(12, 2), times=2)
        await settled(pilot)
        assert cell_of(pilot) == "m1_u2_s8"

    drive(stage.app(folder=folder), script)


def test_the_current_cell_is_followed_to_its_end(stage: Stage) -> None:
    folder = measuring(stage)
    lines = (JOURNALS / "demo.jsonl").read_bytes().splitlines(keepends=True)
    start = lines_until("demo", '"second":11,')

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter")
        assert "measurement window so far, 5 s" in screen_text(pilot.app)
        assert "a" not in offered(pilot)
        with (folder / JOURNAL).open("ab") as file:
            file.write(b"".join(lines[start : start + 20]))
        await until(pilot, lambda: "Statistics · measurement window, 6 s" in screen_text(pilot.app))
        assert "now m1_u8_s8" in screen_text(pilot.app)
        assert "Bottleneck: " in screen_text(pilot.app)
        assert "a" in offered(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, RunScreen)
        assert pilot.app.screen.shown == "m1_u2_s8"

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_following_the_current_cell_continues_after_the_cell_screen(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter", "escape")
        assert isinstance(pilot.app.screen, RunScreen)
        assert not pilot.app.screen.is_chosen

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_commands_apply_to_the_open_cell(stage: Stage) -> None:
    folder = measuring(stage, "faults", '"message":"the run pauses')

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter", "s")
        assert isinstance(pilot.app.screen, Question)
        await press(pilot, "y", "left_square_bracket", "left_square_bracket", "a")
        assert isinstance(pilot.app.screen, Question)
        await press(pilot, "y")
        assert cell_of(pilot) == "m1_u2_s8"

    with held(folder):
        drive(stage.app(folder=folder), script)
    assert commands(folder) == [("skip", "m1_u4_s8"), ("again", "m1_u2_s8")]


def test_earlier_attempts_and_repeats_are_listed(stage: Stage) -> None:
    folder = run_of(
        stage,
        cell_started("m1_u2_s2"),
        cell_failed("m1_u2_s2"),
        answered("again", "m1_u2_s2"),
        cell_started("m1_u2_s2", attempt=2),
        cell_started("m1_u2_s2", attempt=3),
        cell_finished("m1_u2_s2", attempt=3),
        cell_started("m1_u2_s2_r2"),
        cell_finished("m1_u2_s2_r2", completed=300),
    )

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "k", "k", "k", "enter")
        assert cell_of(pilot) == "m1_u2_s2"
        text = screen_text(pilot.app)
        assert "valid, attempt 3" in text
        assert "Attempt 1: failed: model-1 ended (137)" in text
        assert "Attempt 2: interrupted" in text
        assert "Repeat m1_u2_s2_r2: p90 10.0 ms, 30.0 req/s, valid" in text

    drive(stage.app(folder=folder), script)


@pytest.mark.parametrize("again", [False, True])
def test_a_cell_without_a_result_shows_the_reason(stage: Stage, again: bool) -> None:
    asked = [answered("again", "m1_u2_s2")] if again else []
    folder = run_of(stage, cell_started("m1_u2_s2"), cell_failed("m1_u2_s2"), *asked)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter")
        text = screen_text(pilot.app)
        assert "ailed: model-1 ended (137)" in text
        assert ("to be measured again" in text) is again
        await press(pilot, "right_square_bracket")
        assert "Not measured yet" in screen_text(pilot.app)

    drive(stage.app(folder=folder), script)


TABS = {
    "1": ("Summary", "verdict", "Where the time goes (ms)"),
    "2": ("Evidence", "evidence", "CPU used by Locust"),
    "3": ("Failures", "failures", "No failed requests"),
    "4": ("Logs", "log", "No log output during this cell"),
    "5": ("Charts", "latency", "start of measurement"),
}
"""The label of each tab by its key, the id of the panel with the focus, and some of its text."""


@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_each_number_shows_and_focuses_its_panel(stage: Stage, size: tuple[int, int]) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter")
        for key, (_, panel, text) in TABS.items():
            await press(pilot, key)
            assert pilot.app.focused is pilot.app.screen.query_one(f"#{panel}")
            assert text in screen_text(pilot.app)

    drive(stage.app(folder=folder), script, size=size)


def test_the_tab_bar_has_every_number_and_is_clickable(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter")
        labels = [part for key, (label, *_) in TABS.items() for part in (key, label)]
        assert screen_text(pilot.app).splitlines()[2].split() == labels
        await pilot.click("#tabs-narrow", offset=(18, 0))
        await settled(pilot)
        assert pilot.app.screen.query_one(CellPanels).tab == "evidence"

    drive(stage.app(folder=folder), script, size=NARROW)


def test_an_unreadable_journal_is_reported_on_the_cell_screen(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter")
        (folder / JOURNAL).unlink()
        await until(pilot, lambda: "No such file" in screen_text(pilot.app))
        assert cell_of(pilot) == "m1_u2_s8"
        assert "s" not in offered(pilot)

    with held(folder):
        drive(stage.app(folder=folder), script)
