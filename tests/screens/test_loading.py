"""What is not read yet looks neither empty nor finished."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.engine.catalog import CatalogReader
from loadbench.ui.following import watched
from loadbench.ui.reports.cell_table import CellTable
from loadbench.ui.reports.screen import ReportsScreen
from loadbench.ui.widgets import chart
from tests.support.ui_harness import Stage, drive, press, screen_text, settled, until

UNANSWERED = "no request has been answered yet"

Block = Callable[[object, str], threading.Event]
"""Holds back a function of a class or module until the event is set."""


@pytest.fixture
def block(monkeypatch: pytest.MonkeyPatch) -> Iterator[Block]:
    released: list[threading.Event] = []

    def hold(owner: object, name: str) -> threading.Event:
        release, really = threading.Event(), getattr(owner, name)
        released.append(release)

        def wait(*arguments: Any, **options: Any) -> Any:
            assert release.wait(20)
            return really(*arguments, **options)

        monkeypatch.setattr(owner, name, wait)
        return release

    yield hold
    for release in released:
        release.set()


def test_profiles_that_are_not_read_yet_are_not_missing(stage: Stage, block: Block) -> None:
    stage.save_profile("demo")
    release = block(CatalogReader, "read_profiles")

    async def script(pilot: "Pilot[Any]") -> None:
        await until(pilot, lambda: "loading the profiles…" in screen_text(pilot.app))
        assert "No profile is saved yet" not in screen_text(pilot.app)
        release.set()
        await until(pilot, lambda: "first look, no Docker" in screen_text(pilot.app))

    drive(stage.app(), script)


def test_a_profile_whose_runs_are_not_read_yet_was_not_never_run(
    stage: Stage, block: Block
) -> None:
    stage.save_profile("demo")
    stage.add_run("demo")
    release = block(CatalogReader, "read")

    async def script(pilot: "Pilot[Any]") -> None:
        await until(pilot, lambda: "loading its runs…" in screen_text(pilot.app))
        assert "never run" not in screen_text(pilot.app)
        release.set()
        await until(pilot, lambda: "4/4" in screen_text(pilot.app))

    drive(stage.app(), script)


def test_reports_have_no_half_columns_while_they_are_read(stage: Stage, block: Block) -> None:
    stage.add_run("demo")
    release = block(CatalogReader, "read")

    async def script(pilot: "Pilot[Any]") -> None:
        await pilot.press("v")
        await until(pilot, lambda: "reading the reports…" in screen_text(pilot.app))
        assert isinstance(pilot.app.screen, ReportsScreen)
        assert not pilot.app.screen.query_one(CellTable).columns
        await until(pilot, lambda: screen_text(pilot.app).count("Loading…") == 2)
        assert UNANSWERED not in screen_text(pilot.app)
        release.set()
        await settled(pilot)
        assert "Loading…" not in screen_text(pilot.app)

    drive(stage.app(), script)


def test_columns_have_their_width_at_once(stage: Stage) -> None:
    stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "v")
        columns = pilot.app.screen.query_one(CellTable).columns.values()
        # One whose width Textual is to find is painted once without it.
        assert columns
        assert not any(column.auto_width for column in columns)

    drive(stage.app(), script)


def test_a_cell_that_is_not_read_yet_is_not_one_without_an_answer(
    stage: Stage, block: Block
) -> None:
    folder = stage.add_run("demo")
    release = block(watched, "read_attempt")

    async def script(pilot: "Pilot[Any]") -> None:
        await until(pilot, lambda: "POST /predict" in screen_text(pilot.app))
        await pilot.press("k")
        await until(pilot, lambda: screen_text(pilot.app).count("loading…") == 2)
        assert UNANSWERED not in screen_text(pilot.app)
        release.set()
        await settled(pilot)
        assert "loading…" not in screen_text(pilot.app)

    drive(stage.app(folder=folder), script)


def test_a_chart_says_loading_until_it_can_be_drawn(
    stage: Stage, block: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stage.add_run("demo")
    release = block(chart, "load")
    monkeypatch.setattr(chart, "is_loaded", release.is_set)

    async def script(pilot: "Pilot[Any]") -> None:
        await until(pilot, lambda: "POST /predict" in screen_text(pilot.app))
        assert screen_text(pilot.app).count("Loading…") == 2
        release.set()
        await until(pilot, lambda: "Loading…" not in screen_text(pilot.app))

    drive(stage.app(folder=folder), script)
