"""Leaving a run, and coming back to it."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.engine.journal.codec import FILE_NAME
from loadbench.ui.app import LoadbenchApp
from loadbench.ui.catch_up.absence import SAVE_S, WATCHED_S
from loadbench.ui.catch_up.seen import Seen, recall
from loadbench.ui.catch_up.window import SinceWindow
from loadbench.ui.dialogs.question import Question
from loadbench.ui.run.screen import RunScreen
from tests.support.ui_harness import (
    JOURNALS,
    LONG_AGO,
    Stage,
    drive,
    held,
    lines_until,
    press,
    screen_text,
    settled,
    until,
)

JOURNAL = "faults"
LEFT = lines_until(JOURNAL, '"phase":"settling"')
BACK = lines_until(JOURNAL, '"cell":"m2_u2_s8"')
END = lines_until(JOURNAL, '"type":"run_finished"')


class Hours:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def app(self, stage: Stage, folder: Path, **options: Any) -> LoadbenchApp:
        """The screens, by this clock."""
        return stage.app(
            folder=folder,
            clock=lambda: self.seconds,
            now=lambda: LONG_AGO + timedelta(seconds=self.seconds),
            **options,
        )


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def live(stage: Stage) -> Iterator[Path]:
    """A run whose first cell is settling, and whose runner is alive."""
    folder = stage.add_run(JOURNAL, lines=LEFT)
    with held(folder):
        yield folder


def go_on(folder: Path, *, upto: int) -> None:
    """Have the runner write the journal up to a line."""
    lines = (JOURNALS / f"{JOURNAL}.jsonl").read_bytes().splitlines(keepends=True)
    there = (folder / FILE_NAME).read_bytes().count(b"\n")
    with (folder / FILE_NAME).open("ab") as file:
        file.write(b"".join(lines[there:upto]))


def look_and_leave(app: LoadbenchApp, key: str = "q") -> None:
    """Show the run, and leave it by a key, with nothing told."""

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert isinstance(pilot.app.screen, RunScreen)
        assert "since you left" not in screen_text(pilot.app)
        await pilot.press(key)

    drive(app, script)


async def window(pilot: "Pilot[Any]") -> str:
    """What the window says, once it is open."""
    await settled(pilot)
    assert isinstance(pilot.app.screen, SinceWindow)
    return screen_text(pilot.app)


def offers(pilot: "Pilot[Any]", key: str) -> bool:
    return key in pilot.app.screen.active_bindings


def test_who_comes_back_is_told_what_happened(stage: Stage, live: Path, hours: Hours) -> None:
    files = sorted(live.iterdir())
    look_and_leave(hours.app(stage, live))
    assert sorted(live.iterdir()) == files
    go_on(live, upto=BACK)
    hours.seconds += 2 * 3600 + 13 * 60

    async def script(pilot: "Pilot[Any]") -> None:
        told = await window(pilot)
        assert "since you left, 2 h 13 min ago" in told
        assert "6 cells over: 2 valid, 1 suspect, 1 failed, 2 skipped; the run goes on" in told
        assert "11:12  m1_u1_s8  failed: model-1 was killed by signal 9" in told
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, RunScreen)
        await press(pilot, "w")
        assert await window(pilot) == told

    drive(hours.app(stage, live), script)
    look_and_leave(hours.app(stage, live))


def test_enter_goes_to_the_cell_and_closes_where_there_is_none(stage: Stage, live: Path) -> None:
    look_and_leave(stage.app(folder=live))
    go_on(live, upto=BACK)

    async def script(pilot: "Pilot[Any]") -> None:
        await window(pilot)
        await press(pilot, "down", "enter")
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        assert screen.shown == "m2_u2_s8"
        await press(pilot, "w", "enter")
        assert screen.shown == "m1_u1_s8"
        await press(pilot, "w", "end")
        assert offers(pilot, "enter")
        await press(pilot, "enter")
        assert screen.shown == "m2_u1_s8"

    drive(stage.app(folder=live), script)


def test_who_missed_nothing_is_told_nothing(stage: Stage, live: Path) -> None:
    look_and_leave(stage.app(folder=live))
    go_on(live, upto=LEFT + 3)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert isinstance(pilot.app.screen, RunScreen)
        assert not offers(pilot, "w")

    drive(stage.app(folder=live), script)


def test_who_was_never_here_is_told_nothing(stage: Stage) -> None:
    folder = stage.add_run(JOURNAL)
    look_and_leave(stage.app(folder=folder))
    assert recall(folder) is None


def test_an_end_is_told_once(stage: Stage, live: Path) -> None:
    look_and_leave(stage.app(folder=live), "escape")
    go_on(live, upto=END)

    async def script(pilot: "Pilot[Any]") -> None:
        assert "the run was stopped: asked for" in await window(pilot)
        await press(pilot, "escape")

    drive(stage.app(folder=live), script)
    look_and_leave(stage.app(folder=live))


def test_an_end_that_was_seen_is_not_told(stage: Stage, live: Path) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        go_on(live, upto=END)
        await until(pilot, lambda: pilot.app._exit, "the end")

    drive(stage.app(folder=live, leave_at_end=True), script)
    look_and_leave(stage.app(folder=live))


def test_a_runner_that_was_killed_is_told_once_though_its_journal_says_nothing(
    stage: Stage,
) -> None:
    folder = stage.add_run(JOURNAL, lines=LEFT)
    with held(folder):
        look_and_leave(stage.app(folder=folder))

    async def script(pilot: "Pilot[Any]") -> None:
        assert "no cell over; the runner was killed at m1_u1_s8" in await window(pilot)
        await press(pilot, "enter")

    drive(stage.app(folder=folder), script)
    look_and_leave(stage.app(folder=folder))


def test_it_waits_behind_another_dialog(
    stage: Stage, live: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_and_leave(stage.app(folder=live))
    go_on(live, upto=BACK)
    asked = threading.Event()

    def slow(run: Path) -> Seen | None:
        asked.wait()
        return recall(run)

    monkeypatch.setattr("loadbench.ui.catch_up.absence.recall", slow)

    async def script(pilot: "Pilot[Any]") -> None:
        await until(pilot, lambda: offers(pilot, "x"), "the run")
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, Question))
        asked.set()
        await settled(pilot)
        assert isinstance(pilot.app.screen, Question)
        await press(pilot, "escape")
        assert "6 cells over" in await window(pilot)

    drive(stage.app(folder=live), script)


def test_what_was_shown_to_nobody_is_told(stage: Stage, live: Path, hours: Hours) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        hours.seconds += WATCHED_S
        go_on(live, upto=BACK)
        await until(pilot, lambda: "6 of 8 cells over" in screen_text(pilot.app))
        pilot.app.exit()

    async def back(pilot: "Pilot[Any]") -> None:
        assert "6 cells over" in await window(pilot)

    drive(hours.app(stage, live), script)
    # A window that nobody answered was not read.
    drive(hours.app(stage, live), back)
    drive(hours.app(stage, live), back)


def test_a_viewer_that_is_killed_has_remembered_what_was_important(
    stage: Stage, live: Path, hours: Hours
) -> None:
    def known() -> int:
        seen = recall(live)
        return seen.seq if seen else 0

    async def script(pilot: "Pilot[Any]") -> None:
        await until(pilot, lambda: known() == LEFT, "the first look")
        first = lines_until(JOURNAL, '"type":"cell_failed"')
        go_on(live, upto=first)
        await until(pilot, lambda: "1 of 8 cells over" in screen_text(pilot.app))
        assert known() == LEFT
        hours.seconds += SAVE_S
        go_on(live, upto=first + 1)
        await until(pilot, lambda: known() in (first, first + 1), "the failure")
        important = known()
        hours.seconds += SAVE_S
        go_on(live, upto=first + 2)
        await until(pilot, lambda: "m1_u2_s8  scaling" in screen_text(pilot.app))
        assert known() == important

    drive(hours.app(stage, live), script)
