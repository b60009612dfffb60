"""The reports screen: runs, their cells, and the paths of reports."""

import re
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.engine.journal.codec import FILE_NAME as JOURNAL
from loadbench.ui.lines.text import Tone
from loadbench.ui.messages import CatalogRead, OpenReports
from loadbench.ui.profiles.screen import ProfilesScreen
from loadbench.ui.reports.cell_table import CellTable
from loadbench.ui.reports.screen import ReportsScreen
from loadbench.ui.run.screen import RunScreen
from tests.support.ui_harness import NARROW, WIDE, Stage, drive, press, screen_text, settled, until


def column(pilot: "Pilot[Any]", name: str) -> list[str]:
    table = pilot.app.screen.query_one(CellTable)
    return [str(table.get_cell(key, name)) for key in table.rows]


async def open_reports(pilot: "Pilot[Any]") -> None:
    await settled(pilot)
    await press(pilot, "v")
    assert isinstance(pilot.app.screen, ReportsScreen)


def colour_of(pilot: "Pilot[Any]", tone: Tone) -> Any:
    return pilot.app.screen.get_component_rich_style(f"tone--{tone.value}", partial=True)


# Cells


def test_verdicts_have_the_colours_of_the_theme(stage: Stage) -> None:
    stage.add_run("demo", run="20261122-111101")
    stage.add_run("faults", run="20261122-111205")
    stage.add_run("containers", run="20261124-153032")
    tones = {"valid": Tone.GOOD, "suspect": Tone.WARN, "failed": Tone.BAD, "skipped": Tone.WARN}

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        seen = set()
        for key in ("t", "j", "j", "t"):
            await press(pilot, key)
            table = pilot.app.screen.query_one(CellTable)
            for row in table.rows:
                verdict = table.get_cell(row, "verdict")
                name = str(verdict).strip()
                if name in tones:
                    seen.add(name)
                    assert [span.style for span in verdict.spans] == [colour_of(pilot, tones[name])]
        assert seen == set(tones)

    drive(stage.app(), script)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_heads_stand_above_their_columns(stage: Stage, size: tuple[int, int]) -> None:
    stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await press(pilot, "2")
        lines = screen_text(pilot.app).splitlines()
        at = next(i for i, line in enumerate(lines) if " models" in line)
        head, row = lines[at], lines[at + 1]
        for name, value in (("models", "1"), ("users", "2"), ("rate", "8"), ("req/s", "27.3")):
            end = head.index(f" {name} ") + 1 + len(name)
            assert row[:end].endswith(f" {value}")
        start = head.index("verdict")
        assert row[start:].startswith("valid")

    drive(stage.app(), script, size=size)


def test_the_legend_does_not_mention_batches(stage: Stage) -> None:
    stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        assert "rate: users/s, latency: ms" in screen_text(pilot.app)
        assert "batches" not in screen_text(pilot.app)

    drive(stage.app(), script)


# Tabs


def test_the_tabs_of_a_small_screen_show_what_they_are_named_after(stage: Stage) -> None:
    stage.add_run("demo")
    panels = {"1": "runs", "2": "cells", "3": "latency"}

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        assert screen_text(pilot.app).startswith(" 1 Runs   2 Cells   3 Charts\n")
        for key in ("2", "3", "1", "3", "2", "1"):
            await press(pilot, key)
            assert pilot.app.focused is pilot.app.screen.query_one(f"#{panels[key]}")
            shown = {panel for panel in panels.values() if _is_shown(pilot, panel)}
            assert shown == {panels[key]}

    drive(stage.app(), script, size=NARROW)


def _is_shown(pilot: "Pilot[Any]", panel: str) -> bool:
    return bool(pilot.app.screen.query_one(f"#{panel}").region.area)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_without_a_run_the_list_states_what_to_do(stage: Stage, size: tuple[int, int]) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        assert "No runs yet." in screen_text(pilot.app)
        assert "Press Esc to return to the profiles," in screen_text(pilot.app)

    drive(stage.app(), script, size=size)


# Sorting


def test_cells_are_sorted_by_each_column_in_both_directions(stage: Stage) -> None:
    stage.add_run("faults")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        planned = column(pilot, "users")
        await press(pilot, "s", "s", "s", "s")
        numbers = [float(text) for text in column(pilot, "req/s") if text != "-"]
        assert numbers == sorted(numbers, reverse=True)
        assert column(pilot, "req/s")[3:] == ["-"] * 5
        assert "sorted by req/s, descending" in screen_text(pilot.app)
        await press(pilot, "S")
        assert [float(text) for text in column(pilot, "req/s")[:3]] == sorted(numbers)
        assert "sorted by req/s, ascending" in screen_text(pilot.app)
        for _ in range(9):
            await press(pilot, "s")
        assert column(pilot, "users") == planned

    drive(stage.app(), script)


def test_a_click_on_a_column_head_sorts(stage: Stage) -> None:
    stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await pilot.click(CellTable, offset=(12, 1))
        await settled(pilot)
        assert column(pilot, "users") == ["8", "8", "2", "2"]
        await pilot.click(CellTable, offset=(12, 1))
        await settled(pilot)
        assert column(pilot, "users") == ["2", "2", "8", "8"]

    drive(stage.app(), script)


def test_the_findings_of_a_failed_or_suspect_cell_are_shown(stage: Stage) -> None:
    stage.add_run("containers")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await press(pilot, "2")
        assert "Failed: model-1 was killed by the kernel" in screen_text(pilot.app)
        await press(pilot, "j")
        assert "Suspect: not settled" in screen_text(pilot.app)

    drive(stage.app(), script)


def test_enter_opens_the_run_or_the_selected_cell(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, RunScreen)
        assert pilot.app.screen.folder == folder
        await press(pilot, "escape", "tab", "down", "enter")
        assert isinstance(pilot.app.screen, RunScreen)
        assert pilot.app.screen.shown == "m1_u8_s8"
        await press(pilot, "escape", "escape")
        assert isinstance(pilot.app.screen, ProfilesScreen)

    drive(stage.app(), script)


@pytest.mark.parametrize("key", ["y", "o"])
def test_the_path_of_a_report_is_copied(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    folder = stage.add_run("demo")
    (folder / "1_8_8.html").write_text("<p>")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await press(pilot, "tab", "down", key)
        assert pilot.app.clipboard == str(folder / "1_8_8.html")

    drive(stage.app(), script)


def test_without_a_selected_cell_the_path_of_the_run_is_copied(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await press(pilot, "y")
        assert pilot.app.clipboard == str(folder)

    drive(stage.app(), script)


def test_a_report_is_opened_if_there_is_a_display(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(
        f'#!/bin/sh\necho "$1" > {tmp_path}/opened.part\n'
        f"mv {tmp_path}/opened.part {tmp_path}/opened\n"
    )
    opener.chmod(0o755)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PATH", str(opener.parent), prepend=":")
    folder = stage.add_run("demo")
    (folder / "1_2_8.html").write_text("<p>")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await press(pilot, "tab", "o")
        await until(pilot, lambda: (tmp_path / "opened").exists())

    drive(stage.app(), script)
    assert (tmp_path / "opened").read_text().strip() == str(folder / "1_2_8.html")


def test_an_unreadable_run_is_named_and_hides_no_other_run(stage: Stage) -> None:
    stage.add_run("demo", run="20261122-111101")
    bad = stage.add_run("demo", run="20261122-111102")
    (bad / JOURNAL).write_text('{"type":"run_started","v":99}\n')

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        assert "Unreadable: " in screen_text(pilot.app)
        assert "4 measured" in screen_text(pilot.app)

    drive(stage.app(), script)


def test_columns_widen_for_wider_values(stage: Stage) -> None:
    stage.add_run("demo", run="20261125-111101", lines=3)
    slow = stage.add_run("demo", run="20261124-111101")
    text = (slow / JOURNAL).read_text()
    (slow / JOURNAL).write_text(re.sub(r"\[(7[0-9]\.\d),", r"[1236,", text))

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        assert "pending" in screen_text(pilot.app)
        await press(pilot, "j")
        assert " 1236 " in screen_text(pilot.app)

    drive(stage.app(), script)


def test_the_cursor_stays_on_its_cell_when_cells_are_sorted(stage: Stage) -> None:
    stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await press(pilot, "tab", "down")
        table = pilot.app.screen.query_one(CellTable)
        assert table.selected is not None
        before = table.selected.cell
        for _ in range(6):
            await press(pilot, "s")
            assert table.selected.cell == before

    drive(stage.app(), script)


def test_an_unreadable_folder_hides_no_run(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.add_run("demo")
    locked = stage.root / "reports" / "locked"
    locked.mkdir()
    really = Path.iterdir

    def iterdir(path: Path) -> Any:
        if path == locked:
            raise PermissionError(13, "Permission denied")
        return really(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        assert "4 measured" in screen_text(pilot.app)

    drive(stage.app(), script)


def test_a_catalog_that_arrives_while_the_screen_opens_is_shown(
    stage: Stage,
) -> None:
    stage.add_run("faults")
    app = stage.app()

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert isinstance(app.screen, ProfilesScreen)
        app.screen.request(OpenReports())
        app.send(CatalogRead(app.context.catalog.newest))
        await settled(pilot)
        assert column(pilot, "users")

    drive(app, script)


def test_reports_opened_from_a_run_start_at_that_run(stage: Stage) -> None:
    folder = stage.add_run("demo", profile="slow")
    stage.add_run("demo", profile="fast", run="20261122-120000")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "v")
        await settled(pilot)
        assert isinstance(pilot.app.screen, ReportsScreen)
        assert pilot.app.screen.selected is not None
        assert pilot.app.screen.selected.folder == folder

    drive(stage.app(folder=folder), script)
