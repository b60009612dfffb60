"""Fixtures of the tests of screens: a conftest takes those that it needs."""

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
    """Times of day are those of the journals."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workspace is looked at more often than a user needs."""
    monkeypatch.setattr("loadbench.ui.app.CATALOG_S", 0.1)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A workspace without a profile and without a run."""
    made = Stage.make()
    yield made
    shutil.rmtree(made.root)


@pytest.fixture
def looks(stage: Stage) -> Looks:
    """Compares a screen with the one that was looked at when the test was written.

    UPDATE_SCREENS=1 saves what screens look like now, and fails where that has changed.
    """

    def compare(name: str, text: str) -> None:
        text = text.replace(stage.root.name, "bench-________")
        file = SCREENS / f"{name}.txt"
        saved = file.read_text(encoding="utf-8") if file.exists() else ""
        if text == saved:
            return
        what = "looked different"
        if os.environ.get("UPDATE_SCREENS"):
            file.write_text(text, encoding="utf-8")
            what = "is saved as it is now: look at it"
        changed = unified_diff(saved.splitlines(), text.splitlines(), "saved", "now", n=0)
        pytest.fail("\n".join([f"{file.name} {what}", *changed]), pytrace=False)

    return compare


@pytest.fixture
def opened(stage: Stage) -> Iterator[Open]:
    """Opens the command line on a terminal of its own."""
    terminals: list[Terminal] = []

    def open_it(
        *arguments: str,
        folder: Path | None = None,
        size: tuple[int, int] = (120, 40),
        **environment: str,
    ) -> Terminal:
        command = [sys.executable, "-m", "loadbench", *arguments]
        made = Terminal(command, folder or stage.root, size, environment)
        terminals.append(made)
        return made

    yield open_it
    for terminal in terminals:
        terminal.close()
