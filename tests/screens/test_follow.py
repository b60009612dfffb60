"""Following a run: the thread that reads its journal."""

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
    MAX_EVENTS,
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
"""Number of samples of a journal that is slow to read."""
STOPPED = RunFinished(result=Result.STOPPED, reason="asked for")


def fresh(stage: Stage, run: str = "20261122-072100", *events: Event) -> Path:
    """A run of `demo`."""
    folder = stage.root / "reports" / "demo" / run
    return write_journal(folder, run_started(run=run), *events)


class Listener:
    """Follows a run and keeps its views and errors."""

    def __init__(self, folder: Path) -> None:
        self.views: list[View] = []
        self.failures: list[JournalError] = []
        self.now = 100.0
        self.before = set(threading.enumerate())
        self.follower = Follower(
            folder,
            on_view=self.views.append,
            on_error=self.failures.append,
            clock=lambda: self.now,
            now=lambda: LONG_AGO,
        )
        self.follower.start()

    @property
    def ended(self) -> bool:
        """Whether its thread has ended."""
        return not [thread for thread in threading.enumerate() if thread not in self.before]

    def view(self, condition: Callable[[View], object] = lambda _: True) -> View:
        """The newest view, once it meets the condition."""
        return until(
            lambda: self.views[-1] if self.views and condition(self.views[-1]) else None,
            within_s=20,
            what=f"a view; {self.failures or 'no failure'}",
        )


@pytest.fixture
def follow() -> Iterator[Callable[[Path], Listener]]:
    """Follows runs until the end of the test."""
    listeners: list[Listener] = []

    def start(folder: Path) -> Listener:
        listeners.append(Listener(folder))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.follower.stop()
        until(lambda: listener.ended, within_s=20, what="the end of a follower")  # noqa: B023


Follow = Callable[[Path], Listener]


def test_the_first_view_has_the_whole_run(stage: Stage, follow: Follow) -> None:
    folder = stage.add_run("faults")

    view = follow(folder).view()

    assert view.run == read_run(folder)
    assert (view.run.status, view.read_at) == (RunStatus.STOPPED, 100.0)
    assert view.elapsed_s(500.0) == view.run.state.elapsed_s


def test_events_are_lines_with_their_times(stage: Stage, follow: Follow) -> None:
    view = follow(stage.add_run("faults")).view()

    texts = [event.text.strip() for event in view.events]
    assert texts[0] == ("Run fast/20261122-111205: 8 cells\nDriver local: the profile asks for it")
    assert texts[-1] == "Run stopped: asked for"
    assert "Failed: model-1 was killed by signal 9" in [one.split("\n")[0] for one in texts]
    assert view.events[0].at.startswith("2026-11-22T11:12:")
    assert [event.at for event in view.events] == sorted(event.at for event in view.events)


def test_a_sample_makes_a_view_but_no_event(stage: Stage, follow: Follow) -> None:
    folder = fresh(stage)
    with_writer = JournalWriter(folder)
    listener = follow(folder)
    before = listener.view()

    with_writer.append(cell_started())
    with_writer.append(sample())
    after = listener.view(lambda view: view.run.state.samples)
    with_writer.close()

    assert len(after.events) == len(before.events) + 1


def test_a_new_entry_makes_a_view_with_the_time_of_the_entry(stage: Stage, follow: Follow) -> None:
    folder = fresh(stage)
    writer = JournalWriter(folder)
    listener = follow(folder)
    assert listener.view().run.status is RunStatus.LIVE

    listener.now = 107.0
    writer.append(cell_started())
    view = listener.view(lambda view: view.run.state.current)

    elapsed_s = view.run.state.elapsed_s
    assert (view.read_at, view.elapsed_s(110.0)) == (107.0, elapsed_s + 3.0)
    assert view.elapsed_s(100.0) == elapsed_s
    writer.close()


def test_an_unchanged_journal_makes_no_view(stage: Stage, follow: Follow) -> None:
    folder = fresh(stage)
    with held(folder):
        listener = follow(folder)
        listener.view()
    # The next view shows the end of the runner.
    view = listener.view(lambda view: view.run.status is RunStatus.INTERRUPTED)

    assert [one.run.status for one in listener.views] == [RunStatus.LIVE, RunStatus.INTERRUPTED]
    assert view.run.state == listener.views[0].run.state
    assert view.events == listener.views[0].events


def test_a_resumed_run_is_live_again(stage: Stage, follow: Follow) -> None:
    folder = fresh(stage, "20261122-072100", cell_started())
    listener = follow(folder)
    assert listener.view().run.status is RunStatus.INTERRUPTED

    writer = JournalWriter(folder)
    listener.view(lambda view: view.run.status is RunStatus.LIVE)
    writer.append(STOPPED)
    listener.view(lambda view: view.run.status is RunStatus.STOPPED)
    writer.close()


def test_answers_have_the_id_of_their_command(stage: Stage, follow: Follow) -> None:
    folder = fresh(stage, "20261122-072100", answered("pause", identity="a"))
    writer = JournalWriter(folder)
    listener = follow(folder)
    first = listener.view()

    writer.append(answered("skip", "m1_u2_s2", accepted=False, identity="b"))
    second = listener.view(lambda view: len(view.answers) == 2)
    writer.close()

    assert {key: answer.command for key, answer in first.answers.items()} == {"a": "pause"}
    assert (second.answers["b"].accepted, second.answers["a"].accepted) == (False, True)


def test_only_the_newest_events_are_kept(stage: Stage, follow: Follow) -> None:
    notes = [Note(text=str(number)) for number in range(MAX_EVENTS + 5)]

    view = follow(fresh(stage, "20261122-072100", *notes)).view()

    texts = [event.text.strip() for event in view.events]
    assert texts == [str(number) for number in range(5, MAX_EVENTS + 5)]


def test_an_unknown_journal_line_is_ignored(stage: Stage, follow: Follow) -> None:
    folder = fresh(stage)
    with (folder / FILE_NAME).open("ab") as file:
        file.write(b'{"type":"weather","sun":true}\n')

    assert len(follow(folder).view().events) == 1


def test_a_damaged_journal_line_is_reported_as_an_event(stage: Stage, follow: Follow) -> None:
    folder = fresh(stage)
    with (folder / FILE_NAME).open("ab") as file:
        file.write(b"no json\n")

    _, damage = follow(folder).view().events
    assert "line 2 of journal.jsonl is damaged" in damage.text


@pytest.mark.parametrize(
    ("journal", "problem"),
    [
        (None, "No such file"),
        (b"", "no run_started event found"),
        (b'{"type":"run_started","v":9}\n', "format version 9"),
        (b'{"type":"run_started","v":1}\n', "journal.jsonl:1: damaged line"),
    ],
)
def test_an_unreadable_journal_fails_once_and_stops_the_follower(
    tmp_path: Path, follow: Follow, journal: bytes | None, problem: str
) -> None:
    if journal is not None:
        (tmp_path / FILE_NAME).write_bytes(journal)

    listener = follow(tmp_path)

    until(lambda: listener.ended, within_s=20, what="the end")
    assert listener.views == []
    (failure,) = listener.failures
    assert problem in str(failure)


def test_a_deleted_journal_fails_once(stage: Stage, follow: Follow) -> None:
    folder = fresh(stage)
    listener = follow(folder)
    listener.view()

    shutil.rmtree(folder)

    until(lambda: listener.ended, within_s=20, what="the end")
    assert len(listener.failures) == 1


def test_a_stopped_follower_makes_no_view(stage: Stage, follow: Follow) -> None:
    folder = fresh(stage)
    listener = follow(folder)
    listener.view()

    listener.follower.stop()
    until(lambda: listener.ended, within_s=20, what="the end")
    write_journal(folder, cell_started())

    assert len(listener.views) == 1
    assert listener.failures == []


def test_a_follower_can_be_stopped_immediately(stage: Stage, follow: Follow) -> None:
    listener = follow(stage.add_run("demo"))

    listener.follower.stop()

    until(lambda: listener.ended, within_s=20, what="the end")
    assert len(listener.views) <= 1


def long_journal(folder: Path, seconds: int) -> Path:
    """A run whose only cell has been measured for a number of seconds."""
    write_journal(folder, run_started(), cell_started(), answered("pause"), sample())
    file = folder / FILE_NAME
    *head, second = file.read_text(encoding="utf-8").splitlines(keepends=True)
    more = (second.replace('"second":0,', f'"second":{number},') for number in range(seconds))
    file.write_text("".join([*head, *more]), encoding="utf-8")
    return folder


def test_a_long_cell_is_shown_with_its_newest_seconds_first(stage: Stage, follow: Follow) -> None:
    folder = long_journal(stage.root / "reports" / "demo" / "20261122-072100", LONG)

    listener = follow(folder)
    listener.view(lambda view: len(view.run.state.samples) == LONG)

    first, *_, last = listener.views
    newest = [one.second for one in first.run.state.samples]
    assert newest == list(range(LONG - RECENT_SAMPLES, LONG))
    parts = list(last.run.state.samples.parts())
    assert (parts[0].second, parts[-1].second, len(last.run.state.samples)) == (0, LONG - 1, LONG)
    assert (first.figures.totals, bool(first.figures.slices)) == (None, True)
    assert last.figures.totals is not None
    assert last.figures.totals.seconds == LONG
    assert first.run.state.cells == last.run.state.cells
    assert (first.events, first.answers) == (last.events, last.answers)
    assert len(listener.views) == 2


def test_entries_written_while_a_long_cell_is_read_are_not_lost(
    stage: Stage, follow: Follow
) -> None:
    folder = long_journal(stage.root / "reports" / "demo" / "20261122-072100", LONG)
    listener = follow(folder)
    listener.view()

    write_journal(folder, sample(second=LONG))

    view = listener.view(lambda view: len(view.run.state.samples) == LONG + 1)
    assert view.run.state.samples[-1].second == LONG


def test_reading_a_long_journal_can_be_stopped(stage: Stage) -> None:
    folder = long_journal(stage.root / "reports" / "demo" / "20261122-072100", LONG)
    views: list[View] = []
    failures: list[JournalError] = []

    def leave(view: View) -> None:
        views.append(view)
        follower.stop()

    follower = Follower(folder, on_view=leave, on_error=failures.append)
    before = threading.active_count()
    follower.start()

    until(lambda: threading.active_count() == before, within_s=20, what="the end")
    assert [len(view.run.state.samples) for view in views] == [RECENT_SAMPLES]
    assert failures == []


def test_the_elapsed_time_includes_the_age_of_the_newest_entry(stage: Stage) -> None:
    folder = write_journal(stage.root / "reports" / "demo" / "1", run_started(), cell_started())
    views: list[View] = []
    later = timedelta(minutes=3)
    follower = Follower(
        folder,
        on_view=views.append,
        on_error=lambda error: pytest.fail(str(error)),
        clock=lambda: 500.0,
        now=lambda: datetime.now(UTC) + later,
    )

    with held(folder):
        follower.start()
        until(lambda: views)

    follower.stop()
    assert views[0].elapsed_s(500.0) >= later.total_seconds()


def test_an_internal_error_in_the_thread_is_reported(
    stage: Stage, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise LookupError("a bug")

    monkeypatch.setattr("loadbench.wording.event_line", fail)

    listener = follow(stage.add_run("demo"))

    until(lambda: listener.failures)
    assert "internal error: LookupError('a bug')" in str(listener.failures[0])
    assert listener.views == []
