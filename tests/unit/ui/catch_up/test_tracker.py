"""How far a run was seen, and when that is saved."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loadbench.engine.journal.codec import Entry
from loadbench.engine.journal.state import fold
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.catch_up.seen import Seen
from loadbench.ui.catch_up.tracker import SAVE_S, WATCHED_S, SeenTracker
from loadbench.ui.following.follower import View
from tests.support.builders import cell_failed, cell_started, entries, run_started

START = datetime(2026, 11, 22, 11, 12, 7, tzinfo=UTC)
JOURNAL = entries([run_started(), cell_started(), cell_failed()])
BEFORE_FAILURE, WITH_FAILURE = JOURNAL[:2], JOURNAL


def view(journal: list[Entry], status: RunStatus = RunStatus.LIVE) -> View:
    run = Run(folder=Path("/nowhere"), state=fold(journal), status=status)
    return View(run, seq=journal[-1].seq)


def seen(seq: int, *, is_live: bool = True, after_s: float = 0) -> Seen:
    return Seen(seq=seq, live=is_live, at=START + timedelta(seconds=after_s))


def mark(tracker: SeenTracker, shown: View, *, at_s: float = 0) -> Seen | None:
    return tracker.mark_seen(shown, clock_s=at_s, now=START + timedelta(seconds=at_s))


def test_the_first_live_view_is_saved_at_once() -> None:
    tracker = SeenTracker()
    shown = view(BEFORE_FAILURE)
    assert mark(tracker, shown) == tracker.seen == seen(shown.seq)


@pytest.mark.parametrize("is_known", [False, True])
def test_a_finished_run_is_recorded_only_if_it_was_seen_live(is_known: bool) -> None:
    tracker = SeenTracker()
    tracker.start(seen(1) if is_known else None)
    shown = view(WITH_FAILURE, RunStatus.STOPPED)
    expected = seen(shown.seq, is_live=False) if is_known else None
    assert mark(tracker, shown) == expected
    assert tracker.seen == expected


def test_later_views_are_saved_after_a_milestone_and_not_too_often() -> None:
    tracker = SeenTracker()
    assert mark(tracker, view(BEFORE_FAILURE))
    assert mark(tracker, view(BEFORE_FAILURE), at_s=SAVE_S) is None
    failure = view(WITH_FAILURE)
    assert mark(tracker, failure, at_s=SAVE_S - 1) is None
    assert mark(tracker, failure, at_s=SAVE_S) == seen(failure.seq, after_s=SAVE_S)
    assert mark(tracker, failure, at_s=2 * SAVE_S) is None


def test_what_changed_since_the_last_save_is_unsaved_once() -> None:
    tracker = SeenTracker()
    assert tracker.take_unsaved() is None
    tracker.start(seen(1))
    assert tracker.take_unsaved() is None
    shown = view(BEFORE_FAILURE)
    mark(tracker, shown)
    mark(tracker, shown, at_s=1)
    assert tracker.take_unsaved() == seen(shown.seq, after_s=1)
    assert tracker.take_unsaved() is None


def test_the_user_counts_as_present_for_a_while_after_each_input() -> None:
    tracker = SeenTracker()
    assert not tracker.is_watched(clock_s=0)
    tracker.on_user_input(clock_s=5)
    assert tracker.is_watched(clock_s=5 + WATCHED_S - 1)
    assert not tracker.is_watched(clock_s=5 + WATCHED_S)
