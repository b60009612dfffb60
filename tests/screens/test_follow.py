"""A run that is followed."""

import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.events import Event, Note, Result, RunFinished
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.run_reader import RunStatus, read_run
from loadbench.errors import JournalError
from loadbench.ui.following.follower import (
    EVENTS_KEPT,
    RECENT_SAMPLES,
    Follower,
    View,
)
from tests.support.builders import (
    answered,
    cell_started,
    run_started,
    sample,
    write_journal,
)
from tests.support.harness import until
from tests.support.ui_harness import LONG_AGO, Stage, held

LONG = 10_000
"""Samples of a journal that takes its time to be read."""
STOPPED = RunFinished(result=Result.STOPPED, reason="asked for")


def fresh(stage: Stage, run: str = "20261122-072100", *events: Event) -> Path:
    """A run of `demo` with an end."""
    folder = stage.root / "reports" / "demo" / run
    return write_journal(folder, run_started(run=run), *events)


class Listener:
    """Follows a run, and keeps all that it is told."""

    def __init__(self, folder: Path) -> None:
        self.views: list[View] = []
        self.failures: list[JournalError] = []
        self.now = 100.0
        self.before = set(threading.enumerate())
        self.follower = Follower(
            folder,
            tell=self.views.append,
            fail=self.failures.append,
            clock=lambda: self.now,
            now=lambda: LONG_AGO,
        )
        self.follower.start()

    @property
    def ended(self) -> bool:
        """Whether its thread is gone."""
        return not [it for it in threading.enumerate() if it not in self.before]

    def view(self, condition: Callable[[View], object] = lambda _: True) -> View:
        """The newest view, once it is as wanted."""
        return until(
            lambda: self.views[-1] if self.views and condition(self.views[-1]) else None,
            within_s=20,
            what=f"a view; {self.failures or 'no failure'}",
        )


@pytest.fixture
def follow() -> Iterator[Callable[[Path], Listener]]:
    """Follows runs until the test is over."""
    listeners: list[Listener] = []

    def start(folder: Path) -> Listener:
        listeners.append(Listener(folder))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.follower.stop()
        until(lambda: listener.ended, within_s=20, what="the end of a follower")  # noqa: B023


Follow = Callable[[Path], Listener]


def test_the_first_view_is_the_whole_run(stage: Stage, follow: Follow) -> None:
    folder = stage.add_run("faults")

    view = follow(folder).view()

    assert view.run == read_run(folder)
    assert (view.run.status, view.read_at) == (RunStatus.STOPPED, 100.0)
    assert view.elapsed_s(500.0) == view.run.state.elapsed_s


def test_events_are_told_as_lines_with_their_times(stage: Stage, follow: Follow) -> None:
    view = follow(stage.add_run("faults")).view()

    told = [event.text.strip() for event in view.events]
    assert told[0] == "fast/20261122-111205: 8 cells, driver local (the profile asks for it)"
    assert told[-1] == "stopped: asked for"
    assert "failed: model-1 was killed by signal 9" in [one.split("\n")[0] for one in told]
    assert view.events[0].at.startswith("2026-11-22T11:12:")
    assert [event.at for event in view.events] == sorted(event.at for event in view.events)


def test_a_sample_is_told_but_is_no_event(stage: Stage, follow: Follow) -> None:
    folder = fresh(stage)
    with_writer = JournalWriter(folder)
    listener = follow(folder)
    before = listener.view()

    with_writer.append(cell_started())
    with_writer.append(sample())
    after = listener.view(lambda view: view.run.state.samples)
    with_writer.close()

    assert len(after.events) == len(before.events) + 1


def test_what_is_appended_is_told_with_the_moment_it_was_read(stage: Stage, follow: Follow) -> None:
    folder = fresh(stage)
    writer = JournalWriter(folder)
    listener = follow(folder)
    assert listener.view().run.status is RunStatus.LIVE

    listener.now = 107.0
    writer.append(cell_started())
    view = listener.view(lambda view: view.run.state.current)

    said = view.run.state.elapsed_s
    assert (view.read_at, view.elapsed_s(110.0)) == (107.0, said + 3.0)
    assert view.elapsed_s(100.0) == said
    writer.close()


def test_nothing_is_told_while_nothing_happens(stage: Stage, follow: Follow) -> None:
    folder = fresh(stage)
    with held(folder):
        listener = follow(folder)
        listener.view()
    # The next thing that is told is that it is not live any more.
    view = listener.view(lambda view: view.run.status is RunStatus.INTERRUPTED)

    assert [it.run.status for it in listener.views] == [RunStatus.LIVE, RunStatus.INTERRUPTED]
    assert view.run.state == listener.views[0].run.state
    assert view.events == listener.views[0].events


def test_a_run_that_is_resumed_is_live_again(stage: Stage, follow: Follow) -> None:
    folder = fresh(stage, "20261122-072100", cell_started())
    listener = follow(folder)
    assert listener.view().run.status is RunStatus.INTERRUPTED

    writer = JournalWriter(folder)
    listener.view(lambda view: view.run.status is RunStatus.LIVE)
    writer.append(STOPPED)
    listener.view(lambda view: view.run.status is RunStatus.STOPPED)
    writer.close()


def test_answers_are_known_by_the_id_of_their_command(stage: Stage, follow: Follow) -> None:
    folder = fresh(stage, "20261122-072100", answered("pause", identity="a"))
    writer = JournalWriter(folder)
    listener = follow(folder)
    first = listener.view()

    writer.append(answered("skip", "m1_u2_s2", accepted=False, identity="b"))
    second = listener.view(lambda view: len(view.answers) == 2)
    writer.close()

    assert {key: it.command for key, it in first.answers.items()} == {"a": "pause"}
    assert (second.answers["b"].accepted, second.answers["a"].accepted) == (False, True)


def test_only_the_newest_events_are_kept(stage: Stage, follow: Follow) -> None:
    notes = [Note(text=str(number)) for number in range(EVENTS_KEPT + 5)]

    view = follow(fresh(stage, "20261122-072100", *notes)).view()

    told = [event.text.strip() for event in view.events]
    assert told == [str(number) for number in range(5, EVENTS_KEPT + 5)]


def test_a_line_that_this_version_does_not_know_is_passed_over(
    stage: Stage, follow: Follow
) -> None:
    folder = fresh(stage)
    with (folder / FILE_NAME).open("ab") as file:
        file.write(b'{"type":"weather","sun":true}\nno json\n')

    assert len(follow(folder).view().events) == 1


@pytest.mark.parametrize(
    ("journal", "problem"),
    [
        (None, "No such file"),
        (b"", "no run_started event found"),
        (b'{"type":"run_started","v":9}\n', "format version 9"),
        (b'{"type":"run_started","v":1}\n', "cannot read its first line"),
    ],
)
def test_a_journal_that_cannot_be_read_fails_once_and_ends_it(
    tmp_path: Path, follow: Follow, journal: bytes | None, problem: str
) -> None:
    if journal is not None:
        (tmp_path / FILE_NAME).write_bytes(journal)

    listener = follow(tmp_path)

    until(lambda: listener.ended, within_s=20, what="the end")
    assert listener.views == []
    (failure,) = listener.failures
    assert problem in str(failure)


def test_a_journal_that_is_taken_away_fails_once(stage: Stage, follow: Follow) -> None:
    folder = fresh(stage)
    listener = follow(folder)
    listener.view()

    shutil.rmtree(folder)

    until(lambda: listener.ended, within_s=20, what="the end")
    assert len(listener.failures) == 1


def test_a_follower_that_is_stopped_says_no_more(stage: Stage, follow: Follow) -> None:
    folder = fresh(stage)
    listener = follow(folder)
    listener.view()

    listener.follower.stop()
    until(lambda: listener.ended, within_s=20, what="the end")
    write_journal(folder, cell_started())

    assert len(listener.views) == 1
    assert listener.failures == []


def test_a_follower_can_be_stopped_at_once(stage: Stage, follow: Follow) -> None:
    listener = follow(stage.add_run("demo"))

    listener.follower.stop()

    until(lambda: listener.ended, within_s=20, what="the end")
    assert len(listener.views) <= 1


def long_journal(folder: Path, seconds: int) -> Path:
    """A run whose one cell has been measured for that many seconds."""
    write_journal(folder, run_started(), cell_started(), answered("pause"), sample())
    file = folder / FILE_NAME
    *head, second = file.read_text(encoding="utf-8").splitlines(keepends=True)
    more = (second.replace('"second":0,', f'"second":{number},') for number in range(seconds))
    file.write_text("".join([*head, *more]), encoding="utf-8")
    return folder


def test_of_a_very_long_cell_the_newest_seconds_are_told_first_and_then_all(
    stage: Stage, follow: Follow
) -> None:
    folder = long_journal(stage.root / "reports" / "demo" / "20261122-072100", LONG)

    listener = follow(folder)
    listener.view(lambda view: len(view.run.state.samples) == LONG)

    first, *_, last = listener.views
    newest = [it.second for it in first.run.state.samples]
    assert newest == list(range(LONG - RECENT_SAMPLES, LONG))
    parts = list(last.run.state.samples.parts())
    assert (parts[0].second, parts[-1].second, len(last.run.state.samples)) == (0, LONG - 1, LONG)
    assert (first.figures.totals, bool(first.figures.slices)) == (None, True)
    assert last.figures.totals is not None
    assert last.figures.totals.seconds == LONG
    assert first.run.state.cells == last.run.state.cells
    assert (first.events, first.answers) == (last.events, last.answers)
    assert len(listener.views) == 2


def test_what_is_written_while_a_long_cell_is_read_is_not_lost(
    stage: Stage, follow: Follow
) -> None:
    folder = long_journal(stage.root / "reports" / "demo" / "20261122-072100", LONG)
    listener = follow(folder)
    listener.view()

    write_journal(folder, sample(second=LONG))

    view = listener.view(lambda view: len(view.run.state.samples) == LONG + 1)
    assert view.run.state.samples[-1].second == LONG


def test_a_long_journal_can_be_left_before_it_is_read(stage: Stage) -> None:
    folder = long_journal(stage.root / "reports" / "demo" / "20261122-072100", LONG)
    views: list[View] = []
    failures: list[JournalError] = []

    def leave(view: View) -> None:
        views.append(view)
        follower.stop()

    follower = Follower(folder, tell=leave, fail=failures.append)
    before = threading.active_count()
    follower.start()

    until(lambda: threading.active_count() == before, within_s=20, what="the end")
    assert [len(view.run.state.samples) for view in views] == [RECENT_SAMPLES]
    assert failures == []


def test_what_was_written_a_while_ago_has_gone_on_since(stage: Stage) -> None:
    folder = write_journal(stage.root / "reports" / "demo" / "1", run_started(), cell_started())
    views: list[View] = []
    later = timedelta(minutes=3)
    follower = Follower(
        folder,
        tell=views.append,
        fail=lambda error: pytest.fail(str(error)),
        clock=lambda: 500.0,
        now=lambda: datetime.now(UTC) + later,
    )

    with held(folder):
        follower.start()
        until(lambda: views)

    follower.stop()
    assert views[0].elapsed_s(500.0) >= later.total_seconds()


def test_a_mistake_of_the_program_is_told_and_not_left_to_its_thread(
    stage: Stage, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise LookupError("a mistake of ours")

    monkeypatch.setattr("loadbench.wording.event_line", fail)

    listener = follow(stage.add_run("demo"))

    until(lambda: listener.failures)
    assert "it cannot be shown: LookupError('a mistake of ours')" in str(listener.failures[0])
    assert listener.views == []
