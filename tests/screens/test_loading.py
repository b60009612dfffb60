"""Content that is not loaded yet looks neither empty nor finished."""

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

Block = Callable[[object, str], threading.Event]
"""Blocks a function of a class or module until the event is set."""


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


def loading_charts(pilot: "Pilot[Any]") -> int:
    return screen_text(pilot.app).count(chart.LOADING)


def test_unread_profiles_are_shown_as_loading(stage: Stage, block: Block) -> None:
    stage.save_profile("demo")
    release = block(CatalogReader, "read_profiles")

    async def script(pilot: "Pilot[Any]") -> None:
        await until(pilot, lambda: "Loading profiles…" in screen_text(pilot.app))
        assert "No profiles yet" not in screen_text(pilot.app)
        release.set()
        await until(pilot, lambda: "first look, no Docker" in screen_text(pilot.app))

    drive(stage.app(), script)


def test_unread_runs_of_a_profile_are_shown_as_loading(stage: Stage, block: Block) -> None:
    stage.save_profile("demo")
    stage.add_run("demo")
    release = block(CatalogReader, "read")

    async def script(pilot: "Pilot[Any]") -> None:
        await until(pilot, lambda: "Loading runs…" in screen_text(pilot.app))
        assert "No runs yet" not in screen_text(pilot.app)
        release.set()
        await until(pilot, lambda: "4/4" in screen_text(pilot.app))

    drive(stage.app(), script)


def test_unread_reports_are_shown_as_loading(stage: Stage, block: Block) -> None:
    stage.add_run("demo")
    release = block(CatalogReader, "read")

    async def script(pilot: "Pilot[Any]") -> None:
        await pilot.press("v")
        await until(pilot, lambda: "Loading runs…" in screen_text(pilot.app))
        assert isinstance(pilot.app.screen, ReportsScreen)
        assert not pilot.app.screen.query_one(CellTable).columns
        await until(pilot, lambda: loading_charts(pilot) == 2)
        assert chart.NO_SAMPLES not in screen_text(pilot.app)
        release.set()
        await settled(pilot)
        assert not loading_charts(pilot)

    drive(stage.app(), script)


def test_columns_are_painted_with_their_final_width(stage: Stage) -> None:
    stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "v")
        columns = pilot.app.screen.query_one(CellTable).columns.values()
        # Textual paints an automatic column once before it knows the width.
        assert columns
        assert not any(column.auto_width for column in columns)

    drive(stage.app(), script)


def test_an_unread_cell_is_shown_as_loading(stage: Stage, block: Block) -> None:
    folder = stage.add_run("demo")
    release = block(watched, "read_attempt")

    async def script(pilot: "Pilot[Any]") -> None:
        await until(pilot, lambda: "POST /predict" in screen_text(pilot.app))
        await pilot.press("k")
        await until(pilot, lambda: loading_charts(pilot) == 2)
        assert chart.NO_SAMPLES not in screen_text(pilot.app)
        release.set()
        await settled(pilot)
        assert not loading_charts(pilot)

    drive(stage.app(folder=folder), script)


def test_a_chart_is_shown_as_loading_until_it_can_be_drawn(
    stage: Stage, block: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stage.add_run("demo")
    release = block(chart, "load")
    monkeypatch.setattr(chart, "is_loaded", release.is_set)

    async def script(pilot: "Pilot[Any]") -> None:
        await until(pilot, lambda: "POST /predict" in screen_text(pilot.app))
        assert loading_charts(pilot) == 2
        release.set()
        await until(pilot, lambda: not loading_charts(pilot))

    drive(stage.app(folder=folder), script)
