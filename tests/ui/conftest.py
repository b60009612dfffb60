"""What the tests of the screens share."""

import os
import shutil
import time
from collections.abc import Iterator

import pytest

from ui_harness import SCREENS, Looks, Stage


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

    UPDATE_SCREENS=1 saves what screens look like now, for somebody to look at.
    """

    def compare(name: str, text: str) -> None:
        text = text.replace(stage.root.name, "bench-________")
        file = SCREENS / f"{name}.txt"
        if os.environ.get("UPDATE_SCREENS"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8"), f"{file.name} looked different"

    return compare
