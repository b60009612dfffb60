"""The charts of a run, the figures of its containers, and its events, at several sizes."""

from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.ui.lines.text import plain
from loadbench.ui.log.screen import LogScreen
from loadbench.ui.run.containers import ContainerList
from loadbench.ui.terminal.capabilities import Terminal
from loadbench.ui.widgets.line_view import LineView, TailView
from tests.support.goal_cells import add_goal_run
from tests.support.ui_harness import (
    NARROW,
    WIDE,
    Stage,
    drive,
    held,
    measuring,
    press,
    screen_text,
    settled,
)

ROOMY = (160, 45)
BARS = "▁▂▃▄▅▆▇█"


def lines_of(pilot: "Pilot[Any]", panel: str) -> list[str]:
    """The text of a panel."""
    return [plain(line) for line in pilot.app.screen.query_one(panel, LineView).lines]


def title_of(pilot: "Pilot[Any]", panel: str) -> str:
    return str(pilot.app.screen.query_one(panel).border_title)


def ticks(lines: list[str]) -> list[int]:
    """The columns of the ticks on the x axis of a chart."""
    return [i for i, sign in enumerate(lines[-2]) if sign in "┬┴"]


def row_with(text: str, part: str) -> str:
    """The first row of a screen that contains a text."""
    return next(row for row in text.splitlines() if part in row)


# Charts over time


@pytest.mark.parametrize("size", [WIDE, ROOMY])
def test_stacked_charts_have_their_time_axes_aligned(stage: Stage, size: tuple[int, int]) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        latency, throughput = lines_of(pilot, "#latency"), lines_of(pilot, "#throughput")
        assert latency[-1].split() == throughput[-1].split()
        assert ticks(latency) == ticks(throughput)

    with held(folder):
        drive(stage.app(folder=folder), script, size=size)


def test_the_charts_are_aligned_in_their_tab_on_a_small_terminal(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "6")
        assert ticks(lines_of(pilot, "#latency")) == ticks(lines_of(pilot, "#throughput"))
        assert lines_of(pilot, "#level-latency") == []

    with held(folder):
        drive(stage.app(folder=folder), script, size=NARROW)


@pytest.mark.parametrize("terminal", [Terminal(), Terminal(ascii=True, signs=True)])
def test_the_legend_has_the_newest_percentiles_and_marks_equal_lines(
    stage: Stage, terminal: Terminal
) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        title = title_of(pilot, "#latency")
        for name in ("p50 71.2", "p95 76.6", "p99 77.3"):
            assert name in title
        assert ("=" if terminal.ascii else "≈") in title
        assert "req/s 29.0" in title_of(pilot, "#throughput")

    with held(folder):
        drive(stage.app(folder=folder, terminal=terminal), script)


# Charts over load


def test_a_wide_terminal_shows_the_curves_over_users(stage: Stage) -> None:
    folder = add_goal_run(stage.root)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert "p95 (ms) by users" in title_of(pilot, "#level-latency")
        assert "req/s by users" in title_of(pilot, "#level-throughput")
        assert any("●" in line for line in lines_of(pilot, "#level-latency"))
        assert ticks(lines_of(pilot, "#level-latency")) == ticks(
            lines_of(pilot, "#level-throughput")
        )
        await press(pilot, "percent_sign")
        assert "p99 (ms)" in title_of(pilot, "#level-latency")

    drive(stage.app(folder=folder), script, size=ROOMY)


@pytest.mark.parametrize("size", [(159, 45), (200, 24)])
def test_a_smaller_terminal_does_not_show_the_curves_over_users(
    stage: Stage, size: tuple[int, int]
) -> None:
    folder = add_goal_run(stage.root)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert "by users" not in screen_text(pilot.app)
        await pilot.resize_terminal(*ROOMY)
        await settled(pilot)
        assert "req/s by users" in screen_text(pilot.app)

    drive(stage.app(folder=folder), script, size=size)


def test_before_the_first_result_the_curves_are_empty(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert lines_of(pilot, "#level-latency") == ["No cells measured yet"]

    with held(folder):
        drive(stage.app(folder=folder), script, size=ROOMY)


def test_the_curves_over_users_can_be_maximised(stage: Stage) -> None:
    folder = add_goal_run(stage.root)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        pilot.app.screen.query_one("#level-throughput").focus()
        await press(pilot, "z")
        assert "Sweep ─" not in screen_text(pilot.app)
        assert "req/s by users" in screen_text(pilot.app)
        await press(pilot, "z")
        assert "Sweep ─" in screen_text(pilot.app)

    drive(stage.app(folder=folder), script, size=ROOMY)


# Results on a small terminal


def test_the_first_tab_of_a_small_terminal_has_the_results_of_the_cell(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        row = row_with(screen_text(pilot.app), "req/s")
        assert row == " m1_u2_s8 · 27.4 req/s · p95 ~86.3 ms · 0 failures · 5 s so far"
        await press(pilot, "l")
        assert " m2_u2_s8 · Not measured yet" in screen_text(pilot.app)
        await press(pilot, "2")
        assert "Not measured yet" in screen_text(pilot.app)
        assert " m2_u2_s8 · " not in screen_text(pilot.app).splitlines()[4]

    with held(folder):
        drive(stage.app(folder=folder), script, size=NARROW)


def test_a_large_terminal_has_no_line_of_results(stage: Stage) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert "6 s measured" not in screen_text(pilot.app)

    drive(stage.app(folder=stage.add_run("demo")), script)


# Containers


@pytest.mark.parametrize("size", [NARROW, WIDE, ROOMY])
def test_containers_have_sparklines_of_their_last_seconds(
    stage: Stage, size: tuple[int, int]
) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        row = next(line for line in lines_of(pilot, "#containers") if "model-1" in line)
        assert sum(sign in BARS for sign in row) >= 8
        assert "98%" in row

    with held(folder):
        drive(stage.app(folder=folder), script, size=size)


def test_sparklines_are_ascii_on_such_a_terminal(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        lines = lines_of(pilot, "#containers")
        assert all(line.isascii() for line in lines)
        assert any("####" in line for line in lines)

    with held(folder):
        drive(stage.app(folder=folder, terminal=Terminal(ascii=True, signs=True)), script)


def test_the_cursor_of_a_list_reaches_both_edges_of_its_panel(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        panel = pilot.app.screen.query_one(ContainerList)
        assert panel.size.width == panel.outer_size.width - 2
        strip = panel.render_line(1)
        assert strip.cell_length == panel.size.width
        cursor = panel.get_component_rich_style("menu--cursor").bgcolor
        assert {segment.style.bgcolor for segment in strip if segment.style} == {cursor}

    with held(folder):
        drive(stage.app(folder=folder), script)


@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_a_log_has_the_usage_of_its_container_over_the_cell(
    stage: Stage, size: tuple[int, int]
) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "tab", "G", "enter")
        assert isinstance(pilot.app.screen, LogScreen)
        rows = screen_text(pilot.app).splitlines()
        assert rows[1].startswith(" ● running, CPU 98 % of a core, memory 126 MiB")
        assert rows[2].startswith(" m1_u2_s8  CPU █")
        assert "max 100 %  memory ▁" in rows[2]
        assert rows[2].endswith("max 126 MiB")

    with held(folder):
        drive(stage.app(folder=folder), script, size=size)


def test_the_log_of_an_ended_run_has_the_usage_over_the_selected_cell(stage: Stage) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "g", "tab", "enter")
        assert " m1_u2_s8  CPU " in screen_text(pilot.app)

    drive(stage.app(folder=stage.add_run("demo")), script)


# Events


@pytest.mark.parametrize("size", [NARROW, WIDE, ROOMY])
def test_the_events_of_a_selected_cell_come_into_view(stage: Stage, size: tuple[int, int]) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert "Run done: 4 of 4" in screen_text(pilot.app)
        await press(pilot, "g")
        text = screen_text(pilot.app)
        assert "Events · m1_u2_s8" in text
        assert "▌" in row_with(text, "Cell 1 of 4")
        assert "Run done" not in text
        await press(pilot, "j")
        assert "Events · m1_u8_s8" in screen_text(pilot.app)
        assert "▌" in row_with(screen_text(pilot.app), "Cell 2 of 4")

    drive(stage.app(folder=stage.add_run("demo")), script, size=size)


def test_following_the_current_cell_shows_the_newest_events_again(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "l")
        panel = pilot.app.screen.query_one("#events", TailView)
        assert str(panel.border_subtitle) == "no events of this cell"
        await press(pilot, "f")
        assert title_of(pilot, "#events") == "Events"
        assert not str(panel.border_subtitle)
        assert panel.follows
        assert "Measuring for 6 s" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_new_events_do_not_move_the_events_of_a_selected_cell(stage: Stage) -> None:
    folder = measuring(stage, mark='"m1_u8_s8","attempt":1,"second":3,')

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "g")
        panel = pilot.app.screen.query_one("#events", TailView)
        top = panel.scroll_offset.y
        assert not panel.follows
        await press(pilot, "tab", "tab", "j")
        assert panel.scroll_offset.y == top + 1

    with held(folder):
        drive(stage.app(folder=folder), script)
