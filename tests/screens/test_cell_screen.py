"""One cell alone: opened from the run, followed, left again."""

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
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_started,
    make_profile,
    run_started,
    write_journal,
)
from tests.support.ui_harness import (
    JOURNALS,
    NARROW,
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
    begun = run_started(make_profile(users=[2, 4], repeats=2))
    return write_journal(stage.root / "reports" / "demo" / "20261122-111101", begun, *events)


def test_enter_opens_the_cell_and_escape_goes_back_to_it(stage: Stage) -> None:
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
    told = (JOURNALS / "demo.jsonl").read_bytes().splitlines(keepends=True)
    at = lines_until("demo", '"second":11,')

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter")
        assert "measured so far, 5 s" in screen_text(pilot.app)
        assert "a" not in offered(pilot)
        with (folder / JOURNAL).open("ab") as file:
            file.write(b"".join(told[at : at + 20]))
        await until(pilot, lambda: "statistics · measured, 6 s" in screen_text(pilot.app))
        assert "now m1_u8_s8" in screen_text(pilot.app)
        assert "bound by" in screen_text(pilot.app)
        assert "a" in offered(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, RunScreen)
        assert pilot.app.screen.shown == "m1_u2_s8"

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_who_followed_the_current_cell_follows_it_still(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter", "escape")
        assert isinstance(pilot.app.screen, RunScreen)
        assert not pilot.app.screen.chosen

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_commands_are_about_the_cell_that_is_open(stage: Stage) -> None:
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


def test_earlier_attempts_and_repeats_are_named(stage: Stage) -> None:
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
        told = screen_text(pilot.app)
        assert "valid, attempt 3" in told
        assert "attempt 1: failed: model-1 ended (137)" in told
        assert "attempt 2: interrupted" in told
        assert "repeat m1_u2_s2_r2: p90 10.0 ms, 30.0 req/s, valid" in told

    drive(stage.app(folder=folder), script)


@pytest.mark.parametrize("again", [False, True])
def test_a_cell_without_numbers_says_why(stage: Stage, again: bool) -> None:
    asked = [answered("again", "m1_u2_s2")] if again else []
    folder = run_of(stage, cell_started("m1_u2_s2"), cell_failed("m1_u2_s2"), *asked)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter")
        told = screen_text(pilot.app)
        assert "failed: model-1 ended (137)" in told
        assert ("to be measured again" in told) is again
        await press(pilot, "right_square_bracket")
        assert "not measured yet" in screen_text(pilot.app)

    drive(stage.app(folder=folder), script)


def test_panels_are_chosen_by_number_and_by_click(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter")
        panels = pilot.app.screen.query_one(CellPanels)
        for key, tab, title in (
            ("2", "charts", "throughput"),
            ("3", "evidence", "CPU of Locust"),
            ("4", "failures", "no request failed"),
            ("1", "summary", "where the time goes"),
        ):
            await press(pilot, key)
            assert panels.tab == tab
            assert title in screen_text(pilot.app)
        await pilot.click("#tabs-narrow", offset=(18, 0))
        await settled(pilot)
        assert panels.tab == "charts"

    drive(stage.app(folder=folder), script, size=NARROW)


def test_reports_are_opened_and_their_end_is_told_over_a_cell(stage: Stage) -> None:
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
