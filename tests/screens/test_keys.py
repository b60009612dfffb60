"""Keys in the palette and in the help: only those that have an effect now."""

from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.ui.dialogs.keys import active_actions
from loadbench.ui.reports.screen import ReportsScreen
from tests.support.ui_harness import (
    NARROW,
    WIDE,
    Stage,
    drive,
    press,
    screen_text,
    settled,
    until,
)


def keys(pilot: "Pilot[Any]") -> dict[str, str]:
    """Return the keys of the current screen, by action."""
    return {action.call: action.keys for action in active_actions(pilot.app.screen)}


def palette_rows(pilot: "Pilot[Any]") -> list[str]:
    return [row.rstrip() for row in screen_text(pilot.app).splitlines()]


@pytest.mark.parametrize("size", [WIDE, NARROW, (60, 15)])
def test_palette_shows_the_keys_of_each_action_at_the_right(
    stage: Stage, size: tuple[int, int]
) -> None:
    stage.save_profile("demo")
    stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "v", "ctrl+p", *"back")
        await until(pilot, lambda: "Go back" in screen_text(pilot.app))
        (row,) = [row for row in palette_rows(pilot) if row.startswith("  back")]
        assert row.split() == ["back", "Esc,", "v"]
        assert len(row) == size[0] - 4

    drive(stage.app(), script, size=size)


def test_palette_aligns_keys_again_after_a_resize(stage: Stage) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "ctrl+p", *"edit")
        await until(pilot, lambda: "Edit the profile" in screen_text(pilot.app))
        await pilot.resize_terminal(90, 30)
        await until(
            pilot,
            lambda: any(row.startswith("  edit") and len(row) == 86 for row in palette_rows(pilot)),
        )

    drive(stage.app(), script)


def test_palette_does_not_list_itself(stage: Stage) -> None:
    stage.save_profile("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "ctrl+p")
        await until(pilot, lambda: "Copy the profile" in screen_text(pilot.app))
        assert "command palette" not in screen_text(pilot.app)

    drive(stage.app(), script)


def test_reports_offer_only_keys_that_change_the_visible_tab(stage: Stage) -> None:
    stage.save_profile("demo")
    stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "v")
        assert isinstance(pilot.app.screen, ReportsScreen)
        assert not {"sort", "reverse", "metric"} & keys(pilot).keys()
        await press(pilot, "2")
        assert {"sort", "reverse"} <= keys(pilot).keys()
        assert "metric" not in keys(pilot)
        await press(pilot, "3")
        assert "metric" in keys(pilot)
        assert "sort" not in keys(pilot)

    drive(stage.app(), script, size=NARROW)


def test_reports_offer_all_keys_if_all_panels_are_visible(stage: Stage) -> None:
    stage.save_profile("demo")
    stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "v")
        assert {"sort", "reverse", "metric"} <= keys(pilot).keys()
        await press(pilot, "z")
        assert not {"sort", "reverse", "metric"} & keys(pilot).keys()

    drive(stage.app(), script, size=WIDE)


def test_run_offers_the_metric_only_if_a_panel_shows_it(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        offered = []
        for key in "123456":
            await press(pilot, key)
            offered.append("metric" in keys(pilot))
        assert offered == [True, False, False, False, False, True]

    drive(stage.app(folder=folder), script, size=NARROW)


def test_panels_offer_to_scroll_only_if_their_text_does_not_fit(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "2")
        assert not any("scroll" in call or "page" in call for call in keys(pilot))
        await press(pilot, "4")
        assert {"scroll_up", "scroll_home", "page_down"} <= keys(pilot).keys()
        assert "scroll_left" not in keys(pilot)

    drive(stage.app(folder=folder), script, size=WIDE)


def test_lists_and_sweeps_with_one_entry_offer_no_moves(stage: Stage) -> None:
    stage.save_profile("demo")
    folder = stage.add_run("decisions/throughput-rising")

    async def profiles(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert not any(call.startswith("move") for call in keys(pilot))

    async def sweep(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        app: Any = pilot.app
        grid = app.screen.query_one("#sweep")._grid
        moves = {call for call in keys(pilot) if call.startswith("move")}
        assert ("move(0, 1)" in moves) == (len(grid.models) > 1)
        assert ("move(1, 0)" in moves) == (len(grid.rows) > 1)

    drive(stage.app(), profiles)
    drive(stage.app(folder=folder), sweep)


def test_log_offers_to_follow_only_after_scrolling_up(stage: Stage) -> None:
    folder = stage.add_run("containers")
    lines = "".join(f"2026-11-22T11:11:01Z broker line {n}\n" for n in range(200))
    (folder / "stack.log").write_text(lines)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "tab", "enter")
        assert "follow_end" not in keys(pilot)

    drive(stage.app(folder=folder), script)


@pytest.mark.parametrize("opening", [("o",), ("o", "enter"), ("v",)])
def test_number_keys_are_explained_as_showing_or_focusing(
    stage: Stage, opening: tuple[str, ...]
) -> None:
    stage.save_profile("demo")
    stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, *opening)
        effects = {action.keys: action.effect for action in active_actions(pilot.app.screen)}
        assert effects["1"].startswith("Show or focus the ")

    drive(stage.app(), script)
