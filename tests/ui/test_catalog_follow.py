"""What is read beside the screens: what there is to choose from, a run as it grows, a terminal."""

import asyncio
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest

from builders import (
    answered,
    cell_finished,
    cell_started,
    run_started,
    sample,
    write_journal,
)
from harness import until
from loadbench.engine.events import Event, Note, Result, RunFinished
from loadbench.engine.journal import FILE_NAME, VERSION, JournalWriter
from loadbench.engine.runs import RunStatus, read_run
from loadbench.engine.state import CellStatus
from loadbench.errors import JournalError, ProfileError, UsageError
from loadbench.ui.background import in_background
from loadbench.ui.catalog import Catalog, CatalogReader
from loadbench.ui.follow import (
    AT_ONCE_LINES,
    EVENTS_KEPT,
    RECENT_SAMPLES,
    Follower,
    View,
)
from loadbench.ui.terminal import Terminal, examine, speak_utf8, why_not
from ui_harness import BROKEN, Stage, held, lines_until

STOPPED = RunFinished(result=Result.STOPPED, reason="asked for")


@pytest.fixture
def reader(stage: Stage) -> CatalogReader:
    return CatalogReader(stage.workspace)


def look(reader: CatalogReader) -> Catalog:
    """What there is now, which is not what there was."""
    found = reader.read()
    assert found is not None
    return found


def fresh(stage: Stage, run: str = "20261122-072100", *events: Event) -> Path:
    """A run of `demo` with an end."""
    folder = stage.root / "reports" / "demo" / run
    return write_journal(folder, run_started(run=run), *events)


# The catalog


def test_an_empty_workspace_has_nothing_to_choose(reader: CatalogReader) -> None:
    assert look(reader) == Catalog(complete=True)


def test_profiles_stand_by_name_broken_ones_among_them(stage: Stage, reader: CatalogReader) -> None:
    stage.save_profile("b_broken", BROKEN)
    for name in ("c", "a"):
        stage.save_profile(name)

    found = look(reader)

    assert [it.name for it in found.profiles] == ["a", "b_broken", "c"]
    assert [it.profile is None for it in found.profiles] == [False, True, False]
    assert [bool(it.error) for it in found.profiles] == [False, True, False]
    assert f"{found.profiles[1].file}:2: users[1]: 'ten'" in found.profiles[1].error


def test_runs_are_read_newest_first(stage: Stage, reader: CatalogReader) -> None:
    stage.add_run("demo", run="20261122-111101")
    stage.add_run("faults", run="20261123-111205")
    stage.add_run("interrupted", profile="other", run="20261125-111323")

    found = look(reader)

    assert [(run.name, run.status) for run in found.of_profile("demo")] == [
        ("demo/20261123-111205", RunStatus.STOPPED),
        ("demo/20261122-111101", RunStatus.DONE),
    ]
    assert [run.status for run in found.of_profile("other")] == [RunStatus.INTERRUPTED]
    assert found.of_profile("nothing") == []
    assert found.complete


def test_a_run_in_the_catalog_has_its_results_and_no_samples(
    stage: Stage, reader: CatalogReader
) -> None:
    folder = stage.add_run("interrupted")

    (run,) = look(reader).runs

    whole = read_run(folder).state
    assert whole.samples
    assert not run.state.samples
    assert (run.state.cells, run.state.current) == (whole.cells, whole.current)


def test_what_has_not_changed_is_not_told_again(stage: Stage, reader: CatalogReader) -> None:
    stage.save_profile("demo")
    stage.save_profile("broken", BROKEN)
    stage.add_run("demo")

    look(reader)

    assert reader.read() is None
    assert reader.read() is None


def test_a_new_profile_is_seen(stage: Stage, reader: CatalogReader) -> None:
    look(reader)

    stage.save_profile("demo")

    assert [it.name for it in look(reader).profiles] == ["demo"]
    assert reader.read() is None


def test_a_changed_profile_is_read_again(stage: Stage, reader: CatalogReader) -> None:
    stage.save_profile("demo")
    before = look(reader)

    stage.save_profile("demo", "models: [1]\nusers: [3]\nspawn_rates: [1]\n")

    (after,) = look(reader).profiles
    assert before.profiles[0].profile is not None
    assert after.profile is not None
    assert (before.profiles[0].profile.users, after.profile.users) == ((2, 8), (3,))


def test_a_profile_that_was_mended_is_valid(stage: Stage, reader: CatalogReader) -> None:
    stage.save_profile("demo", BROKEN)
    look(reader)

    stage.save_profile("demo")

    (after,) = look(reader).profiles
    assert after.profile is not None
    assert after.error == ""


def test_a_profile_that_is_gone_is_not_there(stage: Stage, reader: CatalogReader) -> None:
    file = stage.save_profile("demo")
    look(reader)

    file.unlink()

    assert look(reader).profiles == ()


def test_a_run_that_is_gone_is_not_there(stage: Stage, reader: CatalogReader) -> None:
    folder = stage.add_run("demo")
    look(reader)

    shutil.rmtree(folder)

    assert look(reader).runs == ()


def test_a_journal_that_cannot_be_read_is_told_and_the_others_are_there(
    stage: Stage, reader: CatalogReader
) -> None:
    stage.add_run("demo")
    bad = fresh(stage, "20261124-000000")
    journal = bad / FILE_NAME
    journal.write_text(journal.read_text().replace(f'"v":{VERSION},', '"v":9,'))
    none = write_journal(stage.root / "reports" / "demo" / "20261125-000000", Note(text="a"))

    found = look(reader)

    assert len(found.runs) == 1
    assert [problem.split(": ")[0] for problem in found.unreadable] == [
        str(none / FILE_NAME),
        str(journal),
    ]
    assert "no run was started in it" in found.unreadable[0]
    assert "format version 9" in found.unreadable[1]
    assert reader.read() is None


def test_a_run_is_live_while_its_journal_is_held(stage: Stage, reader: CatalogReader) -> None:
    folder = stage.add_run("demo", lines=lines_until("demo", '"second":11,'))

    with held(folder):
        (live,) = look(reader).runs
        assert reader.read() is None
    (killed,) = look(reader).runs

    assert (live.status, killed.status) == (RunStatus.LIVE, RunStatus.INTERRUPTED)


def test_a_journal_that_grows_is_read_on(stage: Stage, reader: CatalogReader) -> None:
    folder = fresh(stage)
    writer = JournalWriter(folder)
    assert look(reader).runs[0].state.count(CellStatus.FINISHED) == 0

    writer.append(cell_started())
    begun = look(reader).runs[0]
    writer.append(cell_finished())
    measured = look(reader).runs[0]
    writer.close()

    assert begun.state.current == "m1_u2_s2"
    assert measured.state.count(CellStatus.FINISHED) == 1
    assert measured.status is RunStatus.LIVE


def test_a_journal_of_which_half_a_line_is_there_is_read_on_later(
    stage: Stage, reader: CatalogReader
) -> None:
    whole = fresh(stage, "20261122-072100", cell_started(), cell_finished())
    data = (whole / FILE_NAME).read_bytes()
    (whole / FILE_NAME).write_bytes(data[:-10])
    assert look(reader).runs[0].state.count(CellStatus.FINISHED) == 0

    (whole / FILE_NAME).write_bytes(data)

    assert look(reader).runs[0].state.count(CellStatus.FINISHED) == 1


def test_profiles_can_be_read_alone(stage: Stage, reader: CatalogReader) -> None:
    stage.save_profile("demo")

    assert [it.name for it in reader.read_profiles()] == ["demo"]
    assert look(reader).profiles == reader.read_profiles()


# A run that is followed


class Listener:
    """Follows a run, and keeps all that it is told."""

    def __init__(self, folder: Path) -> None:
        self.views: list[View] = []
        self.failures: list[JournalError] = []
        self.now = 100.0
        self.before = set(threading.enumerate())
        self.follower = Follower(
            folder, tell=self.views.append, fail=self.failures.append, clock=lambda: self.now
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
        (b"", "no run was started in it"),
        (b'{"type":"run_started","v":9}\n', "format version 9"),
        (b'{"type":"run_started","v":1}\n', "first line cannot be read"),
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
    folder = long_journal(stage.root / "reports" / "demo" / "20261122-072100", AT_ONCE_LINES)

    listener = follow(folder)
    listener.view(lambda view: len(view.run.state.samples) == AT_ONCE_LINES)

    first, *_, last = listener.views
    newest = [it.second for it in first.run.state.samples]
    assert newest == list(range(AT_ONCE_LINES - RECENT_SAMPLES, AT_ONCE_LINES))
    assert [it.second for it in last.run.state.samples] == list(range(AT_ONCE_LINES))
    assert first.run.state.cells == last.run.state.cells
    assert (first.events, first.answers) == (last.events, last.answers)
    assert len(listener.views) == 2


def test_what_is_written_while_a_long_cell_is_read_is_not_lost(
    stage: Stage, follow: Follow
) -> None:
    folder = long_journal(stage.root / "reports" / "demo" / "20261122-072100", AT_ONCE_LINES)
    listener = follow(folder)
    listener.view()

    write_journal(folder, sample(second=AT_ONCE_LINES))

    view = listener.view(lambda view: len(view.run.state.samples) == AT_ONCE_LINES + 1)
    assert view.run.state.samples[-1].second == AT_ONCE_LINES


def test_a_long_journal_can_be_left_before_it_is_read(stage: Stage) -> None:
    folder = long_journal(stage.root / "reports" / "demo" / "20261122-072100", AT_ONCE_LINES)
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


# Work beside the screens


def test_the_result_of_work_is_returned() -> None:
    def divide(a: int, *, by: int) -> int:
        assert threading.current_thread() is not threading.main_thread()
        return a // by

    assert asyncio.run(in_background(divide, 12, by=4)) == 3


def test_what_work_raises_is_raised() -> None:
    def refuse() -> None:
        raise ProfileError("it is broken")

    with pytest.raises(ProfileError, match="it is broken"):
        asyncio.run(in_background(refuse))


def test_others_go_on_while_work_is_done() -> None:
    ready = threading.Event()

    async def both() -> bool:
        work = asyncio.create_task(in_background(ready.wait, 20))
        await asyncio.sleep(0)
        ready.set()
        return await work

    assert asyncio.run(both())


def test_work_that_nobody_waits_for_any_more_may_end() -> None:
    begun, ready = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def work() -> str:
        threads.append(threading.current_thread())
        begun.set()
        ready.wait(20)
        return "too late"

    async def leave() -> None:
        task = asyncio.create_task(in_background(work))
        await asyncio.to_thread(begun.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        ready.set()
        await asyncio.to_thread(threads[0].join)
        await asyncio.sleep(0)

    asyncio.run(leave(), debug=True)
    assert not threads[0].is_alive()


def test_no_program_waits_for_work_that_is_not_done() -> None:
    ready = threading.Event()

    async def leave() -> None:
        task = asyncio.create_task(in_background(ready.wait, 20))
        await asyncio.sleep(0)
        task.cancel()

    begun = time.monotonic()
    asyncio.run(leave())
    left = [it for it in threading.enumerate() if it is not threading.main_thread()]
    ready.set()

    assert time.monotonic() - begun < 10
    assert all(it.daemon for it in left)
    until(lambda: all(not it.is_alive() for it in left), within_s=20)


# A terminal

Lend = Callable[[str], None]


@pytest.fixture
def lend(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lend]:
    """Lends this process a terminal that speaks an encoding."""
    with ExitStack() as stack:

        def do(encoding: str) -> None:
            ours, theirs = os.openpty()
            stack.callback(os.close, ours)
            stdin = stack.enter_context(os.fdopen(theirs, encoding=encoding))
            stderr = stack.enter_context(os.fdopen(os.dup(theirs), "w", encoding=encoding))
            monkeypatch.setattr(sys, "__stdin__", stdin)
            monkeypatch.setattr(sys, "__stderr__", stderr)

        yield do


@pytest.fixture
def terminal(lend: Lend) -> None:
    """A terminal that speaks UTF-8."""
    lend("utf-8")


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({"TERM": "xterm-256color"}, Terminal()),
        ({"TERM": "tmux-direct"}, Terminal()),
        ({"TERM": "xterm"}, Terminal(few_colours=True)),
        ({"TERM": "screen"}, Terminal(few_colours=True)),
        ({"TERM": "rxvt-16color"}, Terminal(few_colours=True)),
        ({}, Terminal(few_colours=True)),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, Terminal()),
        ({"TERM": "xterm", "COLORTERM": "24bit"}, Terminal()),
        ({"TERM": "xterm", "COLORTERM": "yes"}, Terminal(few_colours=True)),
        ({"TERM": "linux"}, Terminal(ascii=True, signs=True, few_colours=True)),
        ({"TERM": "vt100"}, Terminal(ascii=True, signs=True, few_colours=True)),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, Terminal(signs=True)),
    ],
)
def test_how_to_draw_is_found_in_the_environment(environ: dict[str, str], found: Terminal) -> None:
    assert why_not(environ) is None
    assert examine(environ=environ) == found


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("colours", "light"),
    [
        ("0;15", True),
        ("0;default;15", True),
        ("0;7", True),
        ("15", True),
        ("15;0", False),
        ("7;8", False),
        ("0;default", False),
        ("", False),
    ],
)
def test_a_light_background_is_believed_where_it_is_told(colours: str, light: bool) -> None:
    environ = {"TERM": "xterm-256color", "COLORFGBG": colours}

    assert examine(environ=environ).light is light


@pytest.mark.usefixtures("terminal")
def test_who_wants_ascii_characters_gets_them() -> None:
    found = examine(ascii_only=True, environ={"TERM": "xterm-256color"})

    assert found == Terminal(ascii=True, signs=True)


@pytest.mark.parametrize(
    ("encoding", "ascii_"), [("utf-8", False), ("UTF8", False), ("ascii", True), ("latin-1", True)]
)
def test_a_terminal_that_does_not_speak_utf8_gets_ascii(
    lend: Lend, encoding: str, ascii_: bool
) -> None:
    lend(encoding)

    found = examine(environ={"TERM": "xterm-256color"})

    assert (found.ascii, found.signs) == (ascii_, ascii_)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_place_text_is_refused_with_what_can_be_done(term: str) -> None:
    expected = rf"^no screen can be shown: the terminal .*\(TERM={term}\); .* --plain"

    with pytest.raises(UsageError, match=expected):
        examine(environ={"TERM": term})


@pytest.mark.parametrize("name", ["__stdin__", "__stderr__"])
@pytest.mark.parametrize("kind", ["pipe", "closed", "none"])
def test_without_a_terminal_at_both_ends_no_screen_is_shown(
    lend: Lend, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    lend("utf-8")
    stream = None if kind == "none" else StringIO()
    if stream and kind == "closed":
        stream.close()
    monkeypatch.setattr(sys, name, stream)

    assert why_not({"TERM": "xterm"}) == "standard input and error are no terminal"
    with pytest.raises(UsageError, match=r"no terminal; .* --plain"):
        examine(environ={"TERM": "xterm"})


def test_what_is_drawn_is_written_as_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = BytesIO()
    monkeypatch.setattr(sys, "__stderr__", TextIOWrapper(raw, encoding="ascii"))

    speak_utf8()

    assert sys.__stderr__ is not None
    sys.__stderr__.write("▶\ud800")
    sys.__stderr__.flush()
    assert raw.getvalue() == "▶?".encode()


def test_a_stream_that_cannot_be_told_so_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "__stderr__", StringIO())

    speak_utf8()


@pytest.mark.parametrize(
    ("terminal_", "theme"),
    [
        (Terminal(), "loadbench-dark"),
        (Terminal(light=True), "loadbench-light"),
        (Terminal(few_colours=True), "loadbench-ansi-dark"),
        (Terminal(few_colours=True, light=True), "loadbench-ansi-light"),
    ],
)
def test_a_theme_fits_its_terminal(terminal_: Terminal, theme: str) -> None:
    assert terminal_.theme == theme
