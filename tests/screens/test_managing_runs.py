"""Labelling, deleting and restoring runs on the screens."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from loadbench.engine.requests.labelling import set_label
from loadbench.engine.run_lookup import TRASH
from loadbench.engine.run_reader import read_run
from loadbench.engine.trash import last_deleted
from loadbench.ui.dialogs.name import NameDialog
from loadbench.ui.dialogs.question import Question
from loadbench.ui.reports.screen import ReportsScreen
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.widgets.menu import Menu
from tests.support.ui_harness import (
    NARROW,
    WIDE,
    Stage,
    commands,
    drive,
    held,
    measuring,
    offered,
    press,
    screen_text,
    settled,
    until,
)

NEWEST, OLDEST = "20261123-111101", "20261122-111101"


@pytest.fixture
def runs(stage: Stage) -> list[Path]:
    """Add a profile with two runs, and an older run of another profile."""
    stage.save_profile("demo")
    return [
        stage.add_run("demo", run=NEWEST),
        stage.add_run("demo", run=OLDEST),
        stage.add_run("demo", profile="another", run="20261120-111101"),
    ]


async def open_reports(pilot: "Pilot[Any]") -> None:
    await settled(pilot)
    await press(pilot, "v")
    assert isinstance(pilot.app.screen, ReportsScreen)
    await until(pilot, lambda: pilot.app.screen.query_one(Menu).key)


def cursor(pilot: "Pilot[Any]") -> str | None:
    return pilot.app.screen.query_one(Menu).key


async def enter_label(pilot: "Pilot[Any]", text: str) -> None:
    await press(pilot, "L")
    assert isinstance(pilot.app.screen, NameDialog)
    pilot.app.screen.query_one(Input).value = text
    await press(pilot, "enter")


async def delete(pilot: "Pilot[Any]") -> None:
    await press(pilot, "d")
    assert isinstance(pilot.app.screen, Question)
    await press(pilot, "y")


def shows(pilot: "Pilot[Any]", text: str) -> bool:
    return text in screen_text(pilot.app)


# Labels


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_label_is_shown_in_the_list_and_can_be_changed_and_removed(
    stage: Stage, runs: list[Path], size: tuple[int, int]
) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await enter_label(pilot, "new images")
        await until(pilot, lambda: shows(pilot, "   new images · "))
        assert read_run(runs[0]).state.label == "new images"
        await press(pilot, "L")
        assert pilot.app.screen.query_one(Input).value == "new images"
        await press(pilot, "escape")
        await enter_label(pilot, "")
        await until(pilot, lambda: not shows(pilot, "   new images · "))
        assert read_run(runs[0]).state.label == ""

    drive(stage.app(), script, size=size)


def test_a_label_that_is_too_long_is_refused_in_the_dialog(stage: Stage, runs: list[Path]) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await enter_label(pilot, "x" * 61)
        assert isinstance(pilot.app.screen, NameDialog)
        assert shows(pilot, "The label is too long: at most 60 characters.")
        await press(pilot, "escape")
        assert read_run(runs[0]).state.label == ""

    drive(stage.app(), script)


def test_an_error_of_the_journal_is_shown(stage: Stage, runs: list[Path]) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await press(pilot, "L")
        pilot.app.screen.query_one(Input).value = "new images"
        (runs[0] / "journal.jsonl").unlink()
        await press(pilot, "enter")
        await until(pilot, lambda: shows(pilot, "No such file"))

    drive(stage.app(), script)


def test_a_live_run_is_labelled_by_its_runner(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert isinstance(pilot.app.screen, RunScreen)
        await enter_label(pilot, "while live")
        await until(pilot, lambda: commands(folder) == [("label", None)])

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_the_header_of_a_run_shows_its_label(stage: Stage, runs: list[Path]) -> None:
    set_label(runs[0], "new images")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert "new images" in screen_text(pilot.app).splitlines()[0]
        await enter_label(pilot, "other images")
        await until(pilot, lambda: "other images" in screen_text(pilot.app).splitlines()[0])

    drive(stage.app(folder=runs[0]), script)


def test_the_details_of_a_profile_show_the_labels_of_its_runs(
    stage: Stage, runs: list[Path]
) -> None:
    set_label(runs[1], "old images")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await until(pilot, lambda: shows(pilot, "old images · cpu · batch 1"))

    drive(stage.app(), script, size=(140, 40))


# Deleting


def test_a_deleted_run_disappears_and_can_be_restored(stage: Stage, runs: list[Path]) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        assert "u" not in offered(pilot)
        await delete(pilot)
        await until(pilot, lambda: not shows(pilot, " 23 Nov 11:11") and "u" in offered(pilot))
        assert not runs[0].exists()
        assert cursor(pilot) == f"demo/{OLDEST}", "the cursor moves to the next run"
        await press(pilot, "u")
        await until(pilot, lambda: cursor(pilot) == f"demo/{NEWEST}")
        assert runs[0].is_dir()
        await until(pilot, lambda: "u" not in offered(pilot))

    drive(stage.app(), script)


def test_several_deletions_are_undone_in_reverse_order_after_a_restart(
    stage: Stage, runs: list[Path]
) -> None:
    reports = stage.root / "reports"

    async def delete_two(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        for count in (2, 1):
            await delete(pilot)
            await until(pilot, lambda: len(pilot.app.screen.query_one(Menu)._keys()) == count)  # noqa: B023

    async def restore_two(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        for name in (OLDEST, NEWEST):
            await until(pilot, lambda: "u" in offered(pilot))
            await press(pilot, "u")
            await until(pilot, lambda: cursor(pilot) == f"demo/{name}")  # noqa: B023
        await until(pilot, lambda: "u" not in offered(pilot))

    drive(stage.app(), delete_two)
    assert not any(folder.exists() for folder in runs[:2])
    drive(stage.app(), restore_two)
    assert all(folder.is_dir() for folder in runs)
    assert last_deleted(reports) is None


@pytest.mark.parametrize("key", ["enter", "escape", "n"])
def test_the_safe_answer_deletes_nothing(stage: Stage, runs: list[Path], key: str) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await press(pilot, "d", key)
        assert isinstance(pilot.app.screen, ReportsScreen)
        assert runs[0].is_dir()

    drive(stage.app(), script)


def test_a_live_run_is_not_deleted(stage: Stage, runs: list[Path]) -> None:
    live = stage.add_run("demo", run="20261124-111101", lines=20)

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await press(pilot, "d")
        assert isinstance(pilot.app.screen, ReportsScreen)
        await until(pilot, lambda: shows(pilot, "is live and cannot be deleted"))
        assert live.is_dir()

    with held(live):
        drive(stage.app(), script)


def test_a_run_that_is_resumed_during_the_question_is_not_deleted(
    stage: Stage, runs: list[Path]
) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await press(pilot, "d")
        with held(runs[0]):
            await press(pilot, "y")
            await until(pilot, lambda: shows(pilot, "is live and cannot be"))
        assert runs[0].is_dir()

    drive(stage.app(), script)


def test_a_run_that_cannot_be_restored_stays_in_the_trash(stage: Stage, runs: list[Path]) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await delete(pilot)
        await until(pilot, lambda: "u" in offered(pilot))
        stage.add_run("demo", run=NEWEST)
        await press(pilot, "u")
        await until(pilot, lambda: shows(pilot, "cannot restore"))
        assert last_deleted(stage.root / "reports") is not None

    drive(stage.app(), script)


def test_the_last_run_can_be_deleted(stage: Stage) -> None:
    stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await open_reports(pilot)
        await delete(pilot)
        await until(pilot, lambda: shows(pilot, "No runs yet."))
        assert {"d", "L"}.isdisjoint(offered(pilot))
        await until(pilot, lambda: "u" in offered(pilot))
        assert (stage.root / "reports" / TRASH).is_dir()

    drive(stage.app(), script)


# Order


def test_reports_open_at_the_newest_run_of_the_profile(stage: Stage, runs: list[Path]) -> None:
    stage.save_profile("another")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "home")
        await open_reports(pilot)
        await until(pilot, lambda: cursor(pilot) == f"another/{runs[2].name}")

    drive(stage.app(), script)
