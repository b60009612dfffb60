"""Run the app without a terminal, in a workspace with golden journals."""

import asyncio
import fcntl
import json
import os
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from rich.console import Console
from textual import _wait as textual_wait
from textual.pilot import Pilot

from loadbench.engine.journal.codec import FILE_NAME, encode
from loadbench.engine.journal.commands import FILE_NAME as COMMANDS
from loadbench.engine.journal.events import Event
from loadbench.engine.requests.launch import RunPlan, RunRequest
from loadbench.ui.app import LoadbenchApp
from loadbench.ui.lines.charts.plot import load
from loadbench.ui.log.screen import LogScreen
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.run_base import BaseRunScreen
from loadbench.ui.terminal.capabilities import Terminal
from loadbench.ui.widgets.log_view import LogView
from loadbench.workspace import Workspace
from tests.support.builders import entries
from tests.support.harness import REPOSITORY
from tests.support.pty_harness import Terminal as PtyTerminal

JOURNALS = REPOSITORY / "tests" / "journals"
SCREENS = REPOSITORY / "tests" / "screens" / "looks"
WIDE, NARROW = (120, 40), (80, 24)
TIMEOUT_S = 20.0
WORK_TIMEOUT_S = 0.3
"""Maximum seconds that `settled` waits for work in the background."""

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
"""A time before all golden journals, so that none of their entries counts as old."""

_updates: WeakKeyDictionary[LoadbenchApp, int] = WeakKeyDictionary()
"""Number of times that each app has updated its screen."""

Script = Callable[["Pilot[Any]"], Awaitable[None]]
Open = Callable[..., PtyTerminal]
"""Starts `loadbench-tui` on a new pseudo-terminal."""
Looks = Callable[[str, str], None]
"""Compares the text of a screen with the saved snapshot of a given name."""

DEMO = """
description: first look, no Docker
models: [1, 2]
users: [2, 8]
spawn_rates: [8]
run_time: 15s
settle: {max: 12s, window: 4s}
stack: {driver: local}
"""
BROKEN = """models: [1, 2]
users: [5, ten]
spawn_rates: [5]
bach_size: 4
"""


@dataclass
class Stage:
    """A workspace whose runs are golden journals."""

    root: Path

    @classmethod
    def make(cls) -> "Stage":
        """Create a workspace without profiles and runs."""
        # Snapshots contain wrapped lines, so the path must always have the same length.
        root = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
        for name in ("profiles", "stack"):
            (root / name).mkdir(parents=True)
        return cls(root)

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.root, self.root / "reports")

    def save_profile(self, name: str, text: str = DEMO) -> Path:
        file = self.root / "profiles" / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    def add_run(
        self,
        journal: str,
        *,
        profile: str = "demo",
        run: str = "20261122-111101",
        lines: int | None = None,
    ) -> Path:
        """Add a run from a golden journal, or from its first `lines` lines."""
        folder = self.root / "reports" / profile / run
        folder.mkdir(parents=True)
        recorded = (JOURNALS / f"{journal}.jsonl").read_bytes().splitlines(keepends=True)
        (folder / FILE_NAME).write_bytes(b"".join(recorded[:lines]))
        return folder

    def app(self, **options: Any) -> LoadbenchApp:
        """Create the app with a frozen clock."""
        terminal = replace(options.pop("terminal", Terminal()), refresh_hz=20.0)
        frozen = {"clock": lambda: 100.0, "now": lambda: LONG_AGO}
        workspace = options.pop("workspace", self.workspace)
        return LoadbenchApp(workspace, terminal, **{**frozen, **options})


def lines_until(journal: str, mark: str) -> int:
    """Return the number of the first line that contains a text in a golden journal."""
    lines = (JOURNALS / f"{journal}.jsonl").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if mark in line)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the lock of a journal, as its runner does."""
    fd = os.open(folder / FILE_NAME, os.O_RDWR | os.O_APPEND)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(fd)


def measuring(stage: Stage, journal: str = "demo", mark: str = '"second":11,') -> Path:
    """Add a run whose journal ends in the middle of a measurement."""
    return stage.add_run(journal, lines=lines_until(journal, mark))


def commands(folder: Path) -> list[tuple[str, str | None]]:
    """Return the commands sent to the runner, in order, with their cells."""
    file = folder / COMMANDS
    lines = file.read_text().splitlines() if file.exists() else []
    return [(sent["command"], sent.get("cell")) for sent in map(json.loads, lines)]


def append(folder: Path, *events: Event) -> None:
    """Append events to the journal of a run, as its runner does."""
    with (folder / FILE_NAME).open("ab") as file:
        file.write(b"".join(encode(entry) for entry in entries(events)))


def replace_runner(
    monkeypatch: pytest.MonkeyPatch,
    *,
    preview: Callable[[RunRequest], RunPlan] | None = None,
    start: Callable[[RunRequest], Path] | None = None,
) -> None:
    """Replace the functions that ask a runner for the preview of a run and that start it."""
    if preview:
        monkeypatch.setattr("loadbench.ui.preview.starter.preview", preview)
    if start:
        monkeypatch.setattr("loadbench.ui.preview.starter.start_runner", start)


def offered(pilot: "Pilot[Any]") -> dict[str, str]:
    """Return the descriptions of the active keys that the footer may show, by key."""
    bindings = [active.binding for active in pilot.app.screen.active_bindings.values()]
    return {binding.key: binding.description for binding in bindings if binding.show}


load()  # import the charting library now, so that tests do not depend on their order

# After a key, Textual waits two to four times until the process has used almost no CPU time for
# 20 ms. As the screen of a live run is redrawn every 50 ms, that takes up to a second. Shorter
# periods suffice, because `settled` knows what is still to come. No upstream issue known (searched
# 2026-12). Remove when there is an option.
textual_wait.SLEEP_GRANULARITY, textual_wait.SLEEP_IDLE = 1 / 200, 1 / 4000


def drive(app: LoadbenchApp, script: Script, *, size: tuple[int, int] = WIDE) -> None:
    """Run the app headless with a script that presses keys and checks the screen."""
    display = app._display

    def counted(*arguments: Any) -> None:
        _updates[app] += 1
        display(*arguments)

    _updates[app] = 0
    setattr(app, "_display", counted)  # noqa: B010  # mypy rejects the assignment

    async def run() -> None:
        async with app.run_test(size=size, notifications=True) as pilot:
            await script(pilot)

    asyncio.run(run())


async def until(pilot: "Pilot[Any]", condition: Callable[[], object], what: str = "") -> None:
    """Wait until a condition is true and the screen is up to date. Fail on a timeout."""
    deadline = time.monotonic() + TIMEOUT_S
    while not condition() or _is_stale(pilot.app):
        if time.monotonic() > deadline:
            pytest.fail(f"Timed out after {TIMEOUT_S:g} s: {what}\n{screen_text(pilot.app)}")
        await asyncio.sleep(0.01)
    await pilot.pause()


async def settled(pilot: "Pilot[Any]") -> None:
    """Wait until all data has been read and the screen no longer changes."""
    app = pilot.app
    assert isinstance(app, LoadbenchApp)
    await until(pilot, lambda: not _is_reading(app), "all data read")
    # Bounded, because some tests block such work on purpose.
    deadline = time.monotonic() + WORK_TIMEOUT_S
    while _is_working(app) and time.monotonic() < deadline:
        await asyncio.sleep(0.005)
    before = -1
    while (now := _updates[app]) != before or _is_drawing(app):
        before = now
        await pilot.pause()


async def press(pilot: "Pilot[Any]", *keys: str) -> None:
    """Press keys, and wait until the screen has settled, also after each Enter.

    Enter opens screens and groups, and later keys depend on what is there.
    """
    waiting: list[str] = []
    for key in keys:
        waiting.append(key)
        if key == "enter":
            await pilot.press(*waiting)
            await settled(pilot)
            waiting.clear()
    await pilot.press(*waiting)
    await settled(pilot)


def screen_text(app: Any) -> str:
    """Return the text on the screen, one line per row, without colours."""
    screen = app.screen
    update = screen._compositor.render_update(
        full=True, screen_stack=app._background_screens, simplify=True
    )
    columns, rows = app.size
    out = StringIO()
    console = Console(file=out, width=columns, height=rows, color_system=None, legacy_windows=False)
    console.print(update)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()[:rows]) + "\n"


def _is_reading(app: LoadbenchApp) -> bool:
    if not app.context.catalog.newest.complete:
        return True
    return any(
        (
            isinstance(screen, BaseRunScreen)
            and (screen.watched.is_reading or screen.watched.commands.is_busy)
        )
        or any(log.is_reading for log in screen.query(LogView))
        or (isinstance(screen, LogScreen) and screen.is_reading)
        or (isinstance(screen, RunScreen) and not _is_ready(screen))
        for screen in app.screen_stack
    )


def _is_working(app: LoadbenchApp) -> bool:
    """Return whether any work is in progress in the background."""
    return any(not worker.is_finished for worker in app.workers) or any(
        # See `in_background`.
        thread.name.endswith("(run)")
        for thread in threading.enumerate()
    )


def _is_ready(screen: RunScreen) -> bool:
    """Return whether the screen has read the missed events, or does not need them."""
    return bool(screen.watched.problem or screen.catch_up.is_ready or not screen.is_in_view)


def _is_drawing(app: Any) -> bool:
    """Return whether a layout or repaint is pending, or may follow from a queued message."""
    if app._exit:
        return False
    screen = app.screen
    return any(
        widget._layout_required
        or widget._scroll_required
        or widget._repaint_required
        or (widget.is_running and widget.message_queue_size)
        for widget in (screen, *screen.walk_children())
    ) or bool(screen._callbacks or screen._dirty_widgets)


def _is_stale(app: Any) -> bool:
    """Return whether any data has been read but not painted yet."""
    screens = [screen for screen in app.screen_stack if isinstance(screen, RunScreen)]
    return not app._exit and any(screen._is_stale for screen in screens)
