"""A workspace with journals of real runs, and the screens over it, without a terminal."""

import asyncio
import fcntl
import json
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from textual.pilot import Pilot

from loadbench.engine.journal.codec import FILE_NAME, encode
from loadbench.engine.journal.commands import FILE_NAME as COMMANDS
from loadbench.engine.journal.events import Event
from loadbench.ui.app import LoadbenchApp
from loadbench.ui.lines.plot import load
from loadbench.ui.log.screen import LogScreen
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.run_base import BaseRunScreen
from loadbench.ui.terminal.capabilities import Terminal
from loadbench.ui.widgets.log_view import LogView
from loadbench.workspace import Workspace
from tests.support.builders import entries
from tests.support.harness import REPOSITORY
from tests.support.pty_harness import Terminal as OnTerminal

JOURNALS = REPOSITORY / "tests" / "journals"
SCREENS = REPOSITORY / "tests" / "screens" / "looks"
WIDE, NARROW = (120, 40), (80, 24)
PATIENCE_S = 20.0
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
"""Before every golden journal, so that nothing in them is old."""

Script = Callable[["Pilot[Any]"], Awaitable[None]]
Open = Callable[..., OnTerminal]
"""Opens the command line on a terminal of its own."""
Looks = Callable[[str, str], None]
"""Compares what is on a screen with what was there when it was looked at, by name."""

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
        """Make a workspace without a profile and without a run."""
        # Lines are broken by their length, so the length of its path must always be the same.
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
        """Add a run that a golden journal, or its first lines, tell of."""
        folder = self.root / "reports" / profile / run
        folder.mkdir(parents=True)
        told = (JOURNALS / f"{journal}.jsonl").read_bytes().splitlines(keepends=True)
        (folder / FILE_NAME).write_bytes(b"".join(told[:lines]))
        return folder

    def app(self, **options: Any) -> LoadbenchApp:
        """The screens, at a moment that does not pass."""
        terminal = replace(options.pop("terminal", Terminal()), refresh_hz=20.0)
        still = {"clock": lambda: 100.0, "now": lambda: LONG_AGO}
        workspace = options.pop("workspace", self.workspace)
        return LoadbenchApp(workspace, terminal, **{**still, **options})


def lines_until(journal: str, mark: str) -> int:
    """How many lines of a golden journal there are up to the first with this text."""
    told = (JOURNALS / f"{journal}.jsonl").read_text(encoding="utf-8").splitlines()
    return next(i for i, line in enumerate(told, start=1) if mark in line)


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
    """A run that is in the middle of a measurement."""
    return stage.add_run(journal, lines=lines_until(journal, mark))


def commands(folder: Path) -> list[tuple[str, str | None]]:
    """What was asked of the runner, in order."""
    file = folder / COMMANDS
    told = file.read_text().splitlines() if file.exists() else []
    return [(it["command"], it.get("cell")) for it in map(json.loads, told)]


def append(folder: Path, *events: Event) -> None:
    """Go on with the journal, as its runner does."""
    with (folder / FILE_NAME).open("ab") as file:
        file.write(b"".join(encode(entry) for entry in entries(events)))


def offered(pilot: "Pilot[Any]") -> dict[str, str]:
    bindings = pilot.app.screen.active_bindings.values()
    return {it.binding.key: it.binding.description for it in bindings if it.binding.show}


load()  # so that no test depends on which one draws the first chart


def drive(app: LoadbenchApp, script: Script, *, size: tuple[int, int] = WIDE) -> None:
    """Run the screens while a script presses keys and looks."""

    async def run() -> None:
        async with app.run_test(size=size, notifications=True) as pilot:
            await script(pilot)

    asyncio.run(run())


async def until(pilot: "Pilot[Any]", condition: Callable[[], object], what: str = "") -> None:
    """Wait for a condition; fail when it does not come."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition() or _stale(pilot.app):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {PATIENCE_S:g} s: {what}\n{screen_text(pilot.app)}")
        await asyncio.sleep(0.01)
    await pilot.pause()


async def settled(pilot: "Pilot[Any]") -> None:
    """Wait until everything is read, and nothing on the screen changes any more."""
    app = pilot.app
    assert isinstance(app, LoadbenchApp)
    await until(pilot, lambda: not _reading(app), "everything is read")
    before = ""
    while (now := screen_text(app)) != before or _is_drawing(app):
        before = now
        await pilot.pause()


async def press(pilot: "Pilot[Any]", *keys: str) -> None:
    """Press keys, and wait until they have had their effect."""
    await pilot.press(*keys)
    await settled(pilot)


def screen_text(app: Any) -> str:
    """What is on the screen, a line a row, without colours."""
    screen = app.screen
    update = screen._compositor.render_update(
        full=True, screen_stack=app._background_screens, simplify=True
    )
    columns, rows = app.size
    out = StringIO()
    console = Console(file=out, width=columns, height=rows, color_system=None, legacy_windows=False)
    console.print(update)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()[:rows]) + "\n"


def _reading(app: LoadbenchApp) -> bool:
    if not app.context.catalog.newest.complete:
        return True
    return any(
        (isinstance(it, BaseRunScreen) and (it.watched.is_reading or it.watched.commands.is_busy))
        or any(log.is_reading for log in it.query(LogView))
        or (isinstance(it, LogScreen) and it.is_reading)
        or (isinstance(it, RunScreen) and not _is_ready(it))
        for it in app.screen_stack
    )


def _is_ready(screen: RunScreen) -> bool:
    """Whether the screen has read what the user missed, or does not have to."""
    return bool(screen.watched.problem or screen.catch_up.is_ready or not screen.is_to_be_seen)


def _is_drawing(app: Any) -> bool:
    """Whether a layout or a repaint is due, or a widget has a message that may lead to one."""
    if app._exit:
        return False
    screen = app.screen
    return any(
        it._layout_required
        or it._scroll_required
        or it._repaint_required
        or (it.is_running and it.message_queue_size)
        for it in (screen, *screen.walk_children())
    ) or bool(screen._callbacks or screen._dirty_widgets)


def _stale(app: Any) -> bool:
    """Whether something was read that is not painted yet."""
    runs = [it for it in app.screen_stack if isinstance(it, RunScreen)]
    return not app._exit and any(it._is_stale for it in runs)
