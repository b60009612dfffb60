"""Fixtures for tests of the terminal UI, imported by the conftest files that need them."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

import pytest

from tests.support.pty_harness import Terminal
from tests.support.ui_harness import SCREENS, Looks, Open, Stage


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the time zone to UTC, which the golden journals use."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def fast_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll the workspace more often than in production."""
    monkeypatch.setattr("loadbench.ui.app.CATALOG_S", 0.1)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Create a workspace without profiles and runs, and remove it after the test."""
    made = Stage.make()
    yield made
    # A thread of the app may still remove a file of its own, such as the reserve of a journal.
    shutil.rmtree(made.root, ignore_errors=True)


@pytest.fixture
def looks(stage: Stage) -> Looks:
    """Compare a screen with a saved snapshot.

    With UPDATE_SCREENS=1, a changed snapshot is saved. The test still fails.
    """

    def compare(name: str, text: str) -> None:
        text = text.replace(stage.root.name, "bench-________")
        file = SCREENS / f"{name}.txt"
        saved = file.read_text(encoding="utf-8") if file.exists() else ""
        if text == saved:
            return
        result = "differs from the snapshot"
        if os.environ.get("UPDATE_SCREENS"):
            file.write_text(text, encoding="utf-8")
            result = "has been updated; review the change"
        changes = unified_diff(saved.splitlines(), text.splitlines(), "saved", "now", n=0)
        pytest.fail("\n".join([f"{file.name} {result}", *changes]), pytrace=False)

    return compare


@pytest.fixture
def opened(stage: Stage) -> Iterator[Open]:
    """Start `loadbench-tui` on a new pseudo-terminal, and close it after the test."""
    terminals: list[Terminal] = []

    def start(
        *arguments: str,
        folder: Path | None = None,
        size: tuple[int, int] = (120, 40),
        **environment: str,
    ) -> Terminal:
        command = [sys.executable, "-m", "loadbench", *arguments]
        made = Terminal(command, folder or stage.root, size, environment)
        terminals.append(made)
        return made

    yield start
    for terminal in terminals:
        terminal.close()
