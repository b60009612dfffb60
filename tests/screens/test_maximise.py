"""Maximised panels on every screen with panels, at several sizes."""

from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.engine.journal.events import Result, RunFinished
from loadbench.ui.cell.screen import CellScreen
from loadbench.ui.dialogs.question import Question
from loadbench.ui.reports.screen import ReportsScreen
from loadbench.ui.run.panels import RunPanels
from loadbench.ui.run.screen import RunScreen
from tests.support.ui_harness import (
    NARROW,
    WIDE,
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

FOOTER_ROWS, SHORT_ROWS = 1, 20


def body_rows(rows: int, *, is_run: bool = True) -> int:
    """The rows between header and footer. A run has three lines in its header, if there is room."""
    header = 3 if is_run and rows >= SHORT_ROWS else 2
    return rows - header - FOOTER_ROWS


def maximised(pilot: "Pilot[Any]") -> str | None:
    widget = pilot.app.screen.maximized
    return widget.id if widget else None


def size_of(pilot: "Pilot[Any]", name: str) -> tuple[int, int]:
    return pilot.app.screen.query_one(f"#{name}").outer_size


def panels_in_focus_order(pilot: "Pilot[Any]") -> list[str]:
    return [widget.id or "" for widget in pilot.app.screen.focus_chain]


@pytest.mark.parametrize("size", [NARROW, (200, 60)])
@pytest.mark.parametrize("opening", [(), ("enter",)])
def test_every_panel_can_be_maximised_and_restored(
    stage: Stage, size: tuple[int, int], opening: tuple[str, ...]
) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, *opening)
        before = screen_text(pilot.app)
        panels = panels_in_focus_order(pilot)
        for _ in panels:
            name = pilot.app.focused.id if pilot.app.focused else ""
            await press(pilot, "z")
            assert maximised(pilot) == name
            assert size_of(pilot, name or "") == (size[0], body_rows(size[1], is_run=not opening))
            assert screen_text(pilot.app).splitlines()[:2] == before.splitlines()[:2]
            await press(pilot, "z", "tab")
            assert maximised(pilot) is None
        assert screen_text(pilot.app) == before

    drive(stage.app(folder=folder), script, size=size)


def test_escape_restores_the_panel_before_it_closes_the_screen(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "enter", "z")
        assert offered(pilot)["z"] == "restore"
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, CellScreen)
        assert offered(pilot)["z"] == "maximise"
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, RunScreen)

    drive(stage.app(folder=folder), script)


def test_tab_and_numbers_maximise_another_panel(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        names = []
        for key in ("z", "tab", "tab", "tab", "tab", "shift+tab", "3", "4"):
            await press(pilot, key)
            names.append(maximised(pilot))
        panels = ["sweep", "containers", "events", "latency", "throughput", "latency"]
        assert names == [*panels, "failures", "events"]

    drive(stage.app(folder=folder), script)


def test_panel_stays_maximised_after_a_resize_and_visible_after_a_restore(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "tab", "tab", "tab", "tab", "z")
        assert maximised(pilot) == "throughput"
        for size in (NARROW, (60, 15), (40, 10), (200, 60), NARROW):
            await pilot.resize_terminal(*size)
            await settled(pilot)
            assert maximised(pilot) == "throughput"
            assert size_of(pilot, "throughput") == (size[0], body_rows(size[1]))
        await press(pilot, "z")
        assert pilot.app.screen.query_one(RunPanels).tab == "charts"
        assert pilot.app.focused is pilot.app.screen.query_one("#throughput")

    drive(stage.app(folder=folder), script)


def test_panel_stays_maximised_behind_a_question_and_at_the_end_of_the_run(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "tab", "z", "x")
        assert isinstance(pilot.app.screen, Question)
        await press(pilot, "escape")
        assert maximised(pilot) == "containers"
        append(folder, RunFinished(result=Result.STOPPED, reason="asked for"))
        await until(pilot, lambda: "Stopped: asked for" in screen_text(pilot.app))
        assert maximised(pilot) == "containers"
        assert "x" not in offered(pilot)
        await press(pilot, "question_mark", "escape", "z")
        assert "Sweep" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_panel_of_the_reports_can_be_maximised(stage: Stage, size: tuple[int, int]) -> None:
    stage.save_profile("demo")
    stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "v", "2", "z")
        assert isinstance(pilot.app.screen, ReportsScreen)
        assert maximised(pilot) == "cells"
        assert "m2_u8" not in screen_text(pilot.app)
        assert "196" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert maximised(pilot) is None

    drive(stage.app(), script, size=size)


@pytest.mark.parametrize("size", [NARROW, (60, 20)])
def test_footer_drops_keys_that_do_not_fit(stage: Stage, size: tuple[int, int]) -> None:
    folder = measuring(stage, "faults", '"message":"the run pauses')

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        for keys in ((), ("k", "k"), ("enter",), ("z",)):
            await press(pilot, *keys)
            footer = screen_text(pilot.app).splitlines()[-1]
            assert footer.endswith(" ? help")
            assert len(footer) <= size[0]

    with held(folder):
        drive(stage.app(folder=folder), script, size=size)
