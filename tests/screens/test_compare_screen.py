"""Marking runs in the list of reports, and the screen that compares two of them."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.ui.compare.screen import CompareScreen
from loadbench.ui.reports.screen import ReportsScreen
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.terminal.capabilities import Terminal
from tests.support.compared_runs import add_compared_run
from tests.support.ui_harness import (
    NARROW,
    WIDE,
    Looks,
    Stage,
    drive,
    offered,
    press,
    screen_text,
    settled,
    until,
)

BEFORE, AFTER = "with_cpu", "with_gpu"
IMPROVED = "Mean improvement at the 90th percentile: 30 %"
WORSE = "Mean regression at the 90th percentile: 43 %"


@pytest.fixture
def runs(stage: Stage) -> tuple[Path, Path]:
    """Folders of a baseline and of a newer candidate with 0.7 times its latencies."""
    reports = stage.workspace.reports
    before = add_compared_run(reports, BEFORE, run="20261122-072100")
    after = add_compared_run(reports, AFTER, 0.7, run="20261123-072100", device="gpu")
    return before, after


async def open_list(pilot: "Pilot[Any]") -> None:
    """Open the reports with the cursor on the newest run, which is the candidate."""
    await settled(pilot)
    await press(pilot, "v", "g")


async def compare(pilot: "Pilot[Any]") -> None:
    """Mark the older run, then compare it with the newer one."""
    await open_list(pilot)
    await press(pilot, "down", "m", "up", "c")
    await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen))
    await until(pilot, lambda: "Mean " in screen_text(pilot.app))


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_screen_of_a_comparison(
    stage: Stage, runs: tuple[Path, Path], looks: Looks, size: tuple[int, int]
) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await compare(pilot)
        looks(f"comparison-{size[0]}x{size[1]}", screen_text(pilot.app))
        if size == NARROW:
            await press(pilot, "2")
            looks("comparison-cells-80x24", screen_text(pilot.app))
            await press(pilot, "3")
            looks("comparison-charts-80x24", screen_text(pilot.app))

    drive(stage.app(), script, size=size)


def test_marked_runs_are_named_in_the_list(
    stage: Stage, runs: tuple[Path, Path], looks: Looks
) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await open_list(pilot)
        await press(pilot, "m", "down", "m")
        looks("comparison-marks-120x40", screen_text(pilot.app))
        assert "A baseline, B candidate" in screen_text(pilot.app)
        await press(pilot, "m")
        assert "A baseline, B candidate" not in screen_text(pilot.app)
        await press(pilot, "M")
        assert "baseline" not in screen_text(pilot.app)

    drive(stage.app(), script, size=WIDE)


def test_only_ascii_characters_are_used_if_the_terminal_has_no_others(
    stage: Stage, runs: tuple[Path, Path]
) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await compare(pilot)
        # The program replaces the scrollbar, which is Textual's own here.
        text = screen_text(pilot.app).translate(dict.fromkeys(map(ord, "▁▂▃▄▅▆▇█")))
        assert text.isascii()

    drive(stage.app(terminal=Terminal(ascii=True, signs=True)), script, size=WIDE)


def test_the_first_mark_is_the_baseline_and_swap_exchanges_both(
    stage: Stage, runs: tuple[Path, Path]
) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await compare(pilot)
        assert IMPROVED in screen_text(pilot.app)
        await press(pilot, "s")
        await until(pilot, lambda: WORSE in screen_text(pilot.app))

    drive(stage.app(), script, size=WIDE)


def test_the_metric_of_the_cells_changes(stage: Stage, runs: tuple[Path, Path]) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await compare(pilot)
        assert "p90 (ms)    before" in screen_text(pilot.app)
        await press(pilot, "%")
        await until(pilot, lambda: "p95 (ms)    before" in screen_text(pilot.app))

    drive(stage.app(), script, size=WIDE)


def test_a_cell_opens_in_the_candidate(stage: Stage, runs: tuple[Path, Path]) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await compare(pilot)
        await press(pilot, "2", "down", "enter")
        await until(pilot, lambda: not isinstance(pilot.app.screen, CompareScreen))
        assert AFTER in screen_text(pilot.app).splitlines()[0]
        await press(pilot, "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen | RunScreen))

    drive(stage.app(), script, size=WIDE)


def test_comparing_without_a_mark_explains_what_to_do(
    stage: Stage, runs: tuple[Path, Path]
) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await open_list(pilot)
        await press(pilot, "c")
        assert isinstance(pilot.app.screen, ReportsScreen)
        assert "No run is marked. Press m on the baseline" in screen_text(pilot.app)
        await press(pilot, "m", "c")
        assert isinstance(pilot.app.screen, ReportsScreen)
        assert "Move the cursor to another run" in screen_text(pilot.app)
        assert offered(pilot)["c"] == "compare"

    drive(stage.app(), script, size=WIDE)


def test_a_run_that_is_deleted_meanwhile_is_named(stage: Stage, runs: tuple[Path, Path]) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await compare(pilot)
        shutil.rmtree(runs[0])
        await until(pilot, lambda: "Mean " not in screen_text(pilot.app))
        assert f"{BEFORE}/{runs[0].name}" in screen_text(pilot.app)

    drive(stage.app(), script, size=WIDE)
