"""Looking back: runs, their cells, and where the reports are."""

import re
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.engine.journal.codec import FILE_NAME as JOURNAL
from loadbench.ui.messages import CatalogRead, OpenReports
from loadbench.ui.profiles.screen import ProfilesScreen
from loadbench.ui.reports.cell_table import CellTable
from loadbench.ui.reports.screen import ReportsScreen
from loadbench.ui.run.screen import RunScreen
from tests.support.ui_harness import Stage, drive, press, screen_text, settled


def column(pilot: "Pilot[Any]", name: str) -> list[str]:
    table = pilot.app.screen.query_one(CellTable)
    return [str(table.get_cell(key, name)) for key in table.rows]


async def open_reports(pilot: "Pilot[Any]") -> None:
    await settled(pilot)
    await press(pilot, "v")
    assert isinstance(pilot.app.screen, ReportsScreen)


def test_cells_are_sorted_by_one_column_after_the_other_and_the_other_way_round(
    stage: Stage,
) -> None:
    stage.add_run("faults")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        planned = column(pilot, "u")
        await press(pilot, "s", "s", "s", "s")
        numbers = [float(it) for it in column(pilot, "req/s") if it != "-"]
        assert numbers == sorted(numbers, reverse=True)
        assert column(pilot, "req/s")[3:] == ["-"] * 5
        assert "by req/s, falling" in screen_text(pilot.app)
        await press(pilot, "S")
        assert [float(it) for it in column(pilot, "req/s")[:3]] == sorted(numbers)
        for _ in range(9):
            await press(pilot, "s")
        assert column(pilot, "u") == planned

    drive(stage.app(), script)


def test_a_click_on_a_header_sorts(stage: Stage) -> None:
    stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await pilot.click(CellTable, offset=(5, 1))
        await settled(pilot)
        assert column(pilot, "u") == ["8", "8", "2", "2"]
        await pilot.click(CellTable, offset=(5, 1))
        await settled(pilot)
        assert column(pilot, "u") == ["2", "2", "8", "8"]

    drive(stage.app(), script)


def test_a_doubtful_cell_says_why(stage: Stage) -> None:
    stage.add_run("containers")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await press(pilot, "2")
        assert "failed: model-1 was killed by the kernel" in screen_text(pilot.app)
        await press(pilot, "j")
        assert "suspect: not settled" in screen_text(pilot.app)

    drive(stage.app(), script)


def test_enter_shows_the_run_and_on_a_cell_that_cell(stage: Stage) -> None:
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


def test_without_a_cell_the_path_of_the_run_is_copied(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await press(pilot, "y")
        assert pilot.app.clipboard == str(folder)

    drive(stage.app(), script)


def test_a_report_is_opened_where_there_is_a_display(
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
        from tests.support.ui_harness import until

        await until(pilot, lambda: (tmp_path / "opened").exists())

    drive(stage.app(), script)
    assert (tmp_path / "opened").read_text().strip() == str(folder / "1_2_8.html")


def test_an_unreadable_run_is_named_and_hides_no_other(stage: Stage) -> None:
    stage.add_run("demo", run="20261122-111101")
    bad = stage.add_run("demo", run="20261122-111102")
    (bad / JOURNAL).write_text('{"type":"run_started","v":99}\n')

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        assert "unreadable" in screen_text(pilot.app)
        assert "4 finished" in screen_text(pilot.app)

    drive(stage.app(), script)


def test_wide_values_after_narrow_ones_are_whole(stage: Stage) -> None:
    stage.add_run("demo", run="20261125-111101", lines=3)
    slow = stage.add_run("demo", run="20261124-111101")
    text = (slow / JOURNAL).read_text()
    (slow / JOURNAL).write_text(re.sub(r"\[(7[0-9]\.\d),", r"[1236,", text))

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        assert "not run" in screen_text(pilot.app)
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


def test_a_folder_that_is_not_ours_to_read_hides_no_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
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
        assert "4 finished" in screen_text(pilot.app)

    drive(stage.app(), script)


def test_a_look_at_the_workspace_that_ends_while_they_are_opened_breaks_nothing(
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
        assert column(pilot, "u")

    drive(app, script)
