"""Detaching from a run and coming back: the catch-up window."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.engine.files import write_atomically
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.ui.app import LoadbenchApp
from loadbench.ui.catch_up.seen import Seen, recall
from loadbench.ui.catch_up.tracker import SAVE_S, WATCHED_S
from loadbench.ui.catch_up.window import CatchUpWindow
from loadbench.ui.dialogs.question import Question
from loadbench.ui.profiles.screen import ProfilesScreen
from loadbench.ui.run.screen import RunScreen
from tests.support.pty_harness import Terminal
from tests.support.ui_harness import (
    JOURNALS,
    LONG_AGO,
    Open,
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
    """A clock that tests advance."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def app(self, stage: Stage, folder: Path, **options: Any) -> LoadbenchApp:
        """The app with this clock."""
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


def continue_run(folder: Path, *, upto: int) -> None:
    """Write the journal up to a line, as the runner does."""
    lines = (JOURNALS / f"{JOURNAL}.jsonl").read_bytes().splitlines(keepends=True)
    written = (folder / FILE_NAME).read_bytes().count(b"\n")
    with (folder / FILE_NAME).open("ab") as file:
        file.write(b"".join(lines[written:upto]))


def look_and_leave(app: LoadbenchApp, key: str = "q") -> None:
    """Show the run without a catch-up window, and leave it with a key."""

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert isinstance(pilot.app.screen, RunScreen)
        assert "Since your last visit" not in screen_text(pilot.app)
        await pilot.press(key)

    drive(app, script)


async def window(pilot: "Pilot[Any]") -> str:
    """The text of the screen with the catch-up window."""
    await settled(pilot)
    assert isinstance(pilot.app.screen, CatchUpWindow)
    return screen_text(pilot.app)


def offers(pilot: "Pilot[Any]", key: str) -> bool:
    return key in pilot.app.screen.active_bindings


def test_the_catch_up_window_lists_the_missed_events(
    stage: Stage, live: Path, hours: Hours
) -> None:
    files = sorted(live.iterdir())
    look_and_leave(hours.app(stage, live))
    assert sorted(live.iterdir()) == files
    continue_run(live, upto=BACK)
    hours.seconds += 2 * 3600 + 13 * 60

    async def script(pilot: "Pilot[Any]") -> None:
        text = await window(pilot)
        assert "Since your last visit (2 h 13 min ago)" in text
        assert "6 cells done: 2 valid, 1 suspect, 1 failed, 2 skipped. The run continues" in text
        assert "11:12  m1_u1_s8  failed: model-1 was killed by signal 9" in text
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, RunScreen)
        await press(pilot, "w")
        assert await window(pilot) == text

    drive(hours.app(stage, live), script)
    look_and_leave(hours.app(stage, live))


def test_enter_goes_to_the_cell_of_the_entry_or_closes(stage: Stage, live: Path) -> None:
    look_and_leave(stage.app(folder=live))
    continue_run(live, upto=BACK)

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


def test_without_missed_events_there_is_no_window(stage: Stage, live: Path) -> None:
    look_and_leave(stage.app(folder=live))
    continue_run(live, upto=LEFT + 3)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert isinstance(pilot.app.screen, RunScreen)
        assert not offers(pilot, "w")

    drive(stage.app(folder=live), script)


def test_a_run_that_was_never_seen_has_no_window(stage: Stage) -> None:
    folder = stage.add_run(JOURNAL)
    look_and_leave(stage.app(folder=folder))
    assert recall(folder) is None


def test_the_end_of_a_run_is_shown_once(stage: Stage, live: Path) -> None:
    look_and_leave(stage.app(folder=live), "escape")
    continue_run(live, upto=END)

    async def script(pilot: "Pilot[Any]") -> None:
        assert "The run was stopped: asked for" in await window(pilot)
        await press(pilot, "escape")

    drive(stage.app(folder=live), script)
    look_and_leave(stage.app(folder=live))


def test_the_end_of_a_run_that_was_seen_is_not_shown_again(stage: Stage, live: Path) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        continue_run(live, upto=END)
        await until(pilot, lambda: pilot.app._exit, "the end")

    drive(stage.app(folder=live, quit_at_end=True), script)
    look_and_leave(stage.app(folder=live))


def test_a_killed_runner_is_shown_once(stage: Stage) -> None:
    folder = stage.add_run(JOURNAL, lines=LEFT)
    with held(folder):
        look_and_leave(stage.app(folder=folder))

    async def script(pilot: "Pilot[Any]") -> None:
        assert "No cells done. The runner was killed during m1_u1_s8" in await window(pilot)
        await press(pilot, "enter")

    drive(stage.app(folder=folder), script)
    look_and_leave(stage.app(folder=folder))


def test_the_window_waits_for_another_dialog_to_close(
    stage: Stage, live: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_and_leave(stage.app(folder=live))
    continue_run(live, upto=BACK)
    asked = threading.Event()

    def slow(run: Path) -> Seen | None:
        asked.wait()
        return recall(run)

    monkeypatch.setattr("loadbench.ui.catch_up.controller.recall", slow)

    async def script(pilot: "Pilot[Any]") -> None:
        await until(pilot, lambda: offers(pilot, "x"), "the run")
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, Question))
        asked.set()
        await settled(pilot)
        assert isinstance(pilot.app.screen, Question)
        await press(pilot, "escape")
        assert "6 cells done" in await window(pilot)

    drive(stage.app(folder=live), script)


def test_events_count_as_missed_when_the_user_was_absent(
    stage: Stage, live: Path, hours: Hours
) -> None:
    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        hours.seconds += WATCHED_S
        continue_run(live, upto=BACK)
        await until(pilot, lambda: "6 of 8 cells done" in screen_text(pilot.app))
        pilot.app.exit()

    async def back(pilot: "Pilot[Any]") -> None:
        assert "6 cells done" in await window(pilot)

    drive(hours.app(stage, live), script)
    # A window without user input stays unread.
    drive(hours.app(stage, live), back)
    drive(hours.app(stage, live), back)


def test_a_killed_viewer_has_saved_the_last_milestone(
    stage: Stage, live: Path, hours: Hours
) -> None:
    def known() -> int:
        seen = recall(live)
        return seen.seq if seen else 0

    async def script(pilot: "Pilot[Any]") -> None:
        await until(pilot, lambda: known() == LEFT, "the first look")
        first = lines_until(JOURNAL, '"type":"cell_failed"')
        continue_run(live, upto=first)
        await until(pilot, lambda: "1 of 8 cells done" in screen_text(pilot.app))
        assert known() == LEFT
        hours.seconds += SAVE_S
        continue_run(live, upto=first + 1)
        await until(pilot, lambda: known() in (first, first + 1), "the failure")
        milestone = known()
        hours.seconds += SAVE_S
        continue_run(live, upto=first + 2)
        await until(pilot, lambda: "2 users, 8 users/s  scaling" in screen_text(pilot.app))
        assert known() == milestone

    drive(hours.app(stage, live), script)


def test_a_slow_disk_does_not_delay_the_screen(
    stage: Stage, live: Path, hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_writable = threading.Event()
    writers: list[threading.Thread] = []

    def write_late(path: Path, data: bytes) -> None:
        writers.append(threading.current_thread())
        is_writable.wait(10)
        write_atomically(path, data)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        recall(live)
        monkeypatch.setattr("loadbench.ui.catch_up.seen.write_atomically", write_late)
        hours.seconds += 1
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, ProfilesScreen) and writers)

    try:
        drive(hours.app(stage, live), script)
    finally:
        is_writable.set()
    seen = recall(live)
    assert seen is not None
    assert (seen.at - LONG_AGO).total_seconds() == 1
    main = threading.main_thread()
    assert not any(thread is main or thread.daemon for thread in writers)


SLOW_SAVES = """
import time
from loadbench.engine import files
from loadbench.ui.terminal import shutdown

def write_late(path, data, write=files.write_atomically):
    time.sleep(0.7)
    write(path, data)

files.write_atomically = write_late
shutdown.GRACE_S = 60.0
"""
"""Start-up code that slows down saves, and gives them time after a signal on a busy machine."""


@pytest.mark.parametrize(
    "end",
    [
        lambda terminal: terminal.press("q"),
        lambda terminal: terminal.signal(signal.SIGTERM),
        lambda terminal: terminal.signal(signal.SIGHUP),
        lambda terminal: terminal.signal(signal.SIGINT),
        lambda terminal: terminal.hang_up(),
    ],
    ids=["q", "SIGTERM", "SIGHUP", "SIGINT", "hang up"],
)
def test_the_program_exits_after_its_last_save(
    stage: Stage, live: Path, opened: Open, tmp_path: Path, end: Callable[[Terminal], None]
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SLOW_SAVES)
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    terminal = opened("attach", "demo", PYTHONPATH=path)
    terminal.until(lambda: recall(live), what="the first save")
    first_failure = lines_until(JOURNAL, '"type":"cell_failed"')
    continue_run(live, upto=first_failure)
    terminal.wait_for("1 of 8 cells done")
    end(terminal)
    terminal.wait()
    seen = recall(live)
    assert seen is not None
    assert seen.seq == first_failure
