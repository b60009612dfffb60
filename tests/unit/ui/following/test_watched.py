"""The cache of attempts that were shown."""

import asyncio
from pathlib import Path

import pytest

from loadbench.engine.journal.events import Event
from loadbench.engine.run_reader import read_run
from loadbench.ui.background import Job
from loadbench.ui.following import watched as module
from loadbench.ui.following.follower import View
from loadbench.ui.following.watched import MAX_ATTEMPTS, WatchedRun
from tests.support.builders import (
    cell_finished,
    cell_started,
    make_profile,
    run_started,
    sample,
    write_journal,
)

USERS = list(range(1, MAX_ATTEMPTS + 3))
SAMPLES = 3


@pytest.fixture
def keys() -> list[str]:
    return [cell.key for cell in run_started(make_profile(users=USERS)).cells]


def show_all(folder: Path, keys: list[str]) -> list[str]:
    """Show one cell after the other; return the keys of those in the cache."""
    events: list[Event] = []
    for key in keys:
        seconds = (sample(key, second) for second in range(SAMPLES))
        events += [cell_started(key), *seconds, cell_finished(key)]
    write_journal(folder, run_started(make_profile(users=USERS)), *events)
    jobs: list[Job] = []
    watched = WatchedRun(
        folder=folder,
        start=jobs.append,
        changed=lambda: None,
        fail=lambda error: pytest.fail(str(error)),
        painted=lambda: None,
    )
    watched.view = View(read_run(folder))
    for key in keys:
        watched.shown(key)
        asyncio.run(jobs.pop()())
        attempt = watched.shown(key).attempt
        assert attempt is not None
        assert len(attempt.samples) == SAMPLES
    return [key for key in keys if watched.shown(key).attempt]


def test_the_newest_attempts_are_cached(tmp_path: Path, keys: list[str]) -> None:
    assert show_all(tmp_path, keys) == keys[-MAX_ATTEMPTS:]


def test_fewer_long_attempts_are_cached(
    tmp_path: Path, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_SAMPLES", 2 * SAMPLES + 1)

    assert show_all(tmp_path, keys) == keys[-2:]


def test_an_attempt_beyond_the_limit_is_cached_while_it_is_shown(
    tmp_path: Path, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_SAMPLES", SAMPLES - 1)

    assert show_all(tmp_path, keys) == keys[-1:]
