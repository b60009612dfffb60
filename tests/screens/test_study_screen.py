"""Studies in the list of reports, and the screen of a study."""

import shutil
from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.engine.studies.model import STUDY_FILE
from loadbench.ui.profiles.screen import ProfilesScreen
from loadbench.ui.reports.screen import ReportsScreen
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.study.screen import StudyScreen
from loadbench.ui.terminal.capabilities import Terminal
from tests.support.study_runs import add_device_study
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

SMALL, LARGE = (60, 20), (200, 60)
NAME = "studies/devices"
RANKING = "2 GPU containers at batch 10 (with_gpu) carry the most"

every_size = pytest.mark.parametrize(
    "size", [WIDE, NARROW, SMALL, LARGE], ids=lambda size: f"{size[0]}x{size[1]}"
)


async def open_list(pilot: "Pilot[Any]") -> None:
    """Open the reports with the cursor on the first entry, which is the study."""
    await settled(pilot)
    await press(pilot, "v", "g")


@every_size
def test_the_screen_of_a_study(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    add_device_study(stage.workspace.reports)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        looks(f"study-{size[0]}x{size[1]}", screen_text(pilot.app))

    drive(stage.app(study=NAME), script, size=size)


@every_size
def test_the_ranking_of_the_selected_study(
    stage: Stage, looks: Looks, size: tuple[int, int]
) -> None:
    add_device_study(stage.workspace.reports)
    is_narrow = size in (NARROW, SMALL)

    async def script(pilot: "Pilot[Any]") -> None:
        await open_list(pilot)
        if is_narrow:
            looks(f"study-list-{size[0]}x{size[1]}", screen_text(pilot.app))
            await press(pilot, "2")
        looks(f"study-selected-{size[0]}x{size[1]}", screen_text(pilot.app))

    drive(stage.app(), script, size=size)


def test_only_ascii_characters_are_used_if_the_terminal_has_no_others(
    stage: Stage, looks: Looks
) -> None:
    add_device_study(stage.workspace.reports)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        text = screen_text(pilot.app)
        assert text.isascii()
        looks("study-ascii-80x24", text)

    drive(stage.app(study=NAME, terminal=Terminal(ascii=True)), script, size=NARROW)


def test_a_study_is_opened_from_the_list_and_a_run_from_the_study(stage: Stage) -> None:
    add_device_study(stage.workspace.reports)

    async def script(pilot: "Pilot[Any]") -> None:
        await open_list(pilot)
        assert isinstance(pilot.app.screen, ReportsScreen)
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, StudyScreen)
        await press(pilot, "j", "j", "enter")
        assert isinstance(pilot.app.screen, RunScreen)
        assert "with_cpu" in screen_text(pilot.app).splitlines()[0]
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, StudyScreen)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, ReportsScreen)
        assert pilot.app.screen.selected_study is not None

    drive(stage.app(), script)


def test_escape_from_a_study_that_was_opened_first_shows_the_profiles(stage: Stage) -> None:
    add_device_study(stage.workspace.reports)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, ProfilesScreen)

    drive(stage.app(study=NAME), script)


def test_actions_on_runs_are_not_offered_for_a_study(stage: Stage) -> None:
    add_device_study(stage.workspace.reports)

    async def script(pilot: "Pilot[Any]") -> None:
        await open_list(pilot)
        keys = offered(pilot)
        assert {"enter", "o", "y"} <= keys.keys()
        assert not {"d", "L", "i", "s", "percent_sign"} & keys.keys()
        await press(pilot, "j")
        assert {"d", "L", "i"} <= offered(pilot).keys()

    drive(stage.app(), script)


@pytest.mark.parametrize("opening", [(), ("enter",)], ids=["list", "screen"])
def test_the_path_of_a_study_or_of_its_page_is_copied(
    stage: Stage, opening: tuple[str, ...]
) -> None:
    study = add_device_study(stage.workspace.reports)
    page = study.folder / "summary.html"

    async def script(pilot: "Pilot[Any]") -> None:
        await open_list(pilot)
        await press(pilot, *opening, "y")
        assert pilot.app.clipboard == str(study.folder)
        page.write_text("page")
        await press(pilot, "y")
        assert pilot.app.clipboard == str(page)

    drive(stage.app(), script)


@pytest.mark.parametrize("opening", [(), ("enter",)], ids=["list", "screen"])
def test_the_page_of_a_study_is_written_and_opened(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, opening: tuple[str, ...]
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    study = add_device_study(stage.workspace.reports)
    page = study.folder / "summary.html"

    async def script(pilot: "Pilot[Any]") -> None:
        await open_list(pilot)
        await press(pilot, *opening, "o")
        await until(pilot, lambda: pilot.app.clipboard == str(page), "the page")
        assert RANKING in page.read_text()

    drive(stage.app(), script)


def test_a_study_appears_changes_and_disappears_while_it_is_shown(stage: Stage) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert "This study was deleted or cannot be read" in screen_text(pilot.app)
        study = add_device_study(stage.workspace.reports)
        await until(pilot, lambda: RANKING in screen_text(pilot.app), "the ranking")
        shutil.rmtree(stage.workspace.reports / "with_gpu")
        gone = "with_gpu has no results: the run with_gpu/20261122-072100 was deleted or moved"
        await until(pilot, lambda: gone in screen_text(pilot.app), "the deleted run")
        shutil.rmtree(study.folder)
        await until(pilot, lambda: "This study was deleted" in screen_text(pilot.app), "no study")
        assert "enter" not in offered(pilot)

    drive(stage.app(study=NAME), script)


def test_an_unreadable_study_is_named_in_the_list(stage: Stage) -> None:
    study = add_device_study(stage.workspace.reports)
    (study.folder / STUDY_FILE).write_text("{}")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_list(pilot)
        assert "Unreadable: " in screen_text(pilot.app)

    drive(stage.app(), script)


def test_the_results_of_a_run_are_shown_after_those_of_a_study(stage: Stage) -> None:
    add_device_study(stage.workspace.reports)

    async def script(pilot: "Pilot[Any]") -> None:
        await open_list(pilot)
        assert "Ranking" not in screen_text(pilot.app)
        assert RANKING.split(" (")[0] in screen_text(pilot.app)
        await press(pilot, "j")
        text = screen_text(pilot.app)
        assert "╭─ Cells ─" in text
        assert "No configuration met the goals" in text
        assert "╭─ Study ─" not in text
        await press(pilot, "k")
        assert "╭─ Study ─" in screen_text(pilot.app)

    drive(stage.app(), script)
