"""Opening the page of a run on the reports screen, and copying its path."""

import os
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.engine.requests.pages import PAGE_NAME
from loadbench.ui.app import LoadbenchApp
from loadbench.ui.reports.screen import ReportsScreen
from tests.support.ui_harness import Stage, drive, held, measuring, offered, press, settled, until


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the browser by a program that writes the path it opens into the returned file."""
    program, file = tmp_path / "bin" / "xdg-open", tmp_path / "opened"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s" "$1" > {file}.part\nmv {file}.part {file}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":0")
    return file


async def open_reports(pilot: "Pilot[Any]", *keys: str) -> None:
    await settled(pilot)
    await press(pilot, "v", *keys)
    assert isinstance(pilot.app.screen, ReportsScreen)


def notices(pilot: "Pilot[Any]") -> list[str]:
    """Return all notifications, the oldest first."""
    assert isinstance(pilot.app, LoadbenchApp)
    return [notice.text for notice in reversed(pilot.app.notifications.kept)]


def test_the_page_is_written_and_opened(stage: Stage, opened: Path) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot, "o")
        await until(pilot, opened.exists, "the page is open")
        assert notices(pilot)[0] == "Writing summary.html…"
        await press(pilot, "y")
        assert pilot.app.clipboard == str(folder / PAGE_NAME)

    drive(stage.app(), script)
    assert opened.read_text() == str(folder / PAGE_NAME)
    assert (folder / PAGE_NAME).stat().st_size


def test_a_current_page_is_opened_as_it_is(stage: Stage, opened: Path) -> None:
    folder = stage.add_run("demo")
    (folder / PAGE_NAME).write_text("current")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot, "o")
        await until(pilot, opened.exists, "the page is open")

    drive(stage.app(), script)
    assert (folder / PAGE_NAME).read_text() == "current"


def test_the_page_of_a_live_run_is_not_written(stage: Stage, opened: Path) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot, "o")
        name = f"{folder.parent.name}/{folder.name}"
        assert f"{name} is live. Its page is written when it ends." in notices(pilot)
        await press(pilot, "y")
        assert pilot.app.clipboard == str(folder)

    with held(folder):
        drive(stage.app(), script)
    assert not (folder / PAGE_NAME).exists()
    assert not opened.exists()


def test_a_page_that_cannot_be_written_is_an_error(stage: Stage, opened: Path) -> None:
    folder = stage.add_run("demo")
    (folder / PAGE_NAME).mkdir()
    os.utime(folder / PAGE_NAME, (0, 0))

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot, "o")
        problem = f"{folder / PAGE_NAME}: "
        await until(pilot, lambda: any(problem in one for one in notices(pilot)), "an error")
        await press(pilot, "y")
        assert pilot.app.clipboard == str(folder)

    drive(stage.app(), script)
    assert not opened.exists()


def test_a_selected_cell_has_its_own_report(stage: Stage, opened: Path) -> None:
    folder = stage.add_run("demo")
    (folder / PAGE_NAME).touch()
    (folder / "1_8_8.html").touch()

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot, "tab")
        assert "o" not in offered(pilot)
        await press(pilot, "y")
        assert pilot.app.clipboard == str(folder)
        await press(pilot, "down")
        assert "o" in offered(pilot)
        await press(pilot, "y", "o")
        assert pilot.app.clipboard == str(folder / "1_8_8.html")
        await until(pilot, opened.exists, "the report is open")

    drive(stage.app(), script)
    assert opened.read_text() == str(folder / "1_8_8.html")


def test_without_a_run_there_is_nothing_to_open(stage: Stage, opened: Path) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot, "o", "y")
        assert not {"o", "y"} & set(offered(pilot))

    drive(stage.app(), script)
    assert not opened.exists()
