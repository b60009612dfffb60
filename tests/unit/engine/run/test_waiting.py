"""Waiting for another run that uses the same service."""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadbench.engine.drivers import registry
from loadbench.engine.drivers.protocol import Stack
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.commands import send_command
from loadbench.engine.journal.events import Project, Result, RunFinished, StackProgress
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.timing.progress import waiting_text
from loadbench.engine.locks import LockUse, StackLock, state_folder, use_of
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.requests.holder import Holder, find_holder, in_use
from loadbench.engine.requests.launch import RunRequest
from loadbench.engine.requests.preflight import Facts
from loadbench.engine.run import prepare
from loadbench.engine.run.control_loop import ControlLoop
from loadbench.engine.run.prepare import Prepared, prepare_run, preview_run
from loadbench.engine.run.resume import prepare_resume
from loadbench.engine.run.steps.stop_flag import StopFlag
from loadbench.engine.run.waiting import open_when_free
from loadbench.engine.run.waiting_list import WaitingList
from loadbench.engine.run_reader import RunStatus, read_run
from loadbench.errors import RefusedError
from loadbench.workspace import Workspace
from tests.support.builders import (
    cell_started,
    make_profile,
    run_started,
    write_journal,
)
from tests.support.fake_driver import FakeDriver
from tests.support.harness import until

TEXT = """\
models: [1]
users: [2]
spawn_rates: [2]
stack: {driver: local}
"""


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    """Install a fake as the only driver."""
    fake = FakeDriver("local")
    monkeypatch.setattr(registry, "DRIVERS", {fake.name: fake})
    return fake


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with all files that the profile needs."""
    (tmp_path / "images").mkdir()
    (tmp_path / "locustfile.py").touch()
    (tmp_path / "mine.yaml").write_text(TEXT, encoding="utf-8")
    return Workspace(tmp_path, tmp_path / "reports")


@pytest.fixture
def other(workspace: Workspace) -> Iterator["OtherRun"]:
    """Another run of the workspace, which uses the service."""
    run = OtherRun(workspace.reports / "theirs" / "20261130-120000")
    yield run
    run.end()


class OtherRun:
    """A live run that holds the lock of the stack and that of its journal."""

    def __init__(self, folder: Path) -> None:
        started = run_started(make_profile(models=[1, 2]))
        self.folder = write_journal(folder, started, cell_started())
        self._fd: int | None = hold(folder)
        self._lock = StackLock("local")
        assert self._lock.acquire()
        self._lock.record_holder(folder)

    def end(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
            self._lock.release()


def hold(folder: Path) -> int:
    """Lock the journal of a run, as its runner does, until the returned descriptor is closed."""
    fd = os.open(folder / FILE_NAME, os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return fd


def request_to_run(workspace: Workspace, *, wait: bool = True) -> RunRequest:
    file = workspace.root / "mine.yaml"
    return RunRequest.to_run(workspace, file, load_profile(file), wait=wait)


class Waiting:
    """A prepared run that waits in a thread."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.stop = StopFlag()
        self.stack: Stack | None = None
        self._is_closed = False
        self.control = ControlLoop(
            prepared.folder, prepared.journal, prepared.state, stop=self.stop, tick_s=0.001
        )
        self._thread = threading.Thread(target=self._wait)
        self._thread.start()

    @property
    def progress(self) -> list[str]:
        """The progress recorded in the journal."""
        entries = JournalReader(self.prepared.folder).poll()
        events = [one.event for one in entries if isinstance(one.event, StackProgress)]
        return [event.line for event in events]

    def shows(self, text: str) -> None:
        """Wait until the last progress contains a text."""
        until(lambda: self.progress and text in self.progress[-1], what=text)

    def join(self) -> "Waiting":
        self._thread.join(timeout=20)
        assert not self._thread.is_alive()
        return self

    def close(self) -> None:
        """End the run as its runner does. Has no effect on a run that has been closed."""
        self.join()
        if not self._is_closed:
            self._is_closed = True
            self.prepared.journal.close()
            self.prepared.lock.release()

    def _wait(self) -> None:
        self.stack = open_when_free(self.prepared, self.control)


@pytest.fixture
def wait(workspace: Workspace) -> Iterator[Callable[[], Waiting]]:
    """Prepare a new run, and let it wait."""
    started: list[Waiting] = []

    def start(prepared: Prepared | None = None) -> Waiting:
        started.append(Waiting(prepared or prepare_run(request_to_run(workspace))))
        return started[-1]

    yield start
    for one in started:
        one.stop.set("end of the test")
        one.close()


def test_a_run_is_refused_with_the_name_of_the_other_and_every_way_out(
    driver: FakeDriver, workspace: Workspace, other: OtherRun
) -> None:
    with pytest.raises(RefusedError) as refusal:
        prepare_run(request_to_run(workspace, wait=False))

    message = str(refusal.value)
    assert "in use by the run theirs/20261130-120000; concurrent runs" in message
    for way_out in (
        "run with --wait",
        "attach theirs/20261130-120000",
        "stop theirs/20261130-120000",
    ):
        assert way_out in message
    assert not (workspace.reports / "mine").exists()
    assert driver.opened == []


def test_a_preview_describes_the_run_that_uses_the_service(
    driver: FakeDriver, workspace: Workspace, other: OtherRun
) -> None:
    holder = preview_run(request_to_run(workspace)).holder

    assert holder is not None
    assert (holder.folder, holder.name) == (str(other.folder), "theirs/20261130-120000")
    assert (holder.is_local, holder.cells, holder.ended) == (True, 2, 0)
    assert holder.current == "m1_u2_s2"
    assert holder.remaining_s
    other.end()
    assert preview_run(request_to_run(workspace)).holder is None


def test_a_holder_of_another_workspace_is_named_by_its_folder(
    workspace: Workspace, other: OtherRun, tmp_path: Path
) -> None:
    holder = find_holder("local", tmp_path / "elsewhere")

    assert holder is not None
    assert not holder.is_local
    assert f"stop {other.folder}" in in_use(holder)


def test_a_holder_with_an_unreadable_journal_is_still_named(
    workspace: Workspace, other: OtherRun
) -> None:
    (other.folder / FILE_NAME).write_text("no journal\n")

    holder = find_holder("local", workspace.reports)

    assert holder == Holder(folder=str(other.folder), is_local=True)


def test_a_run_that_is_just_starting_has_no_name() -> None:
    assert "a run that is just starting" in in_use(Holder())


def test_a_waiting_run_is_live_at_once_and_starts_after_the_other(
    driver: FakeDriver, workspace: Workspace, other: OtherRun, wait: Callable[[], Waiting]
) -> None:
    waiting = wait()
    folder = waiting.prepared.folder
    waiting.shows("Waiting for theirs/20261130-120000 to end")
    assert read_run(folder).status is RunStatus.LIVE
    assert waiting_text(read_run(folder).state) == waiting.progress[-1]
    assert (workspace.reports / "mine" / "latest").resolve() == folder
    assert driver.opened == []

    other.end()

    assert waiting.join().stack is not None
    assert driver.opened == [folder]
    assert use_of("local") == LockUse(folder)
    assert waiting_text(waiting.control.state) == ""


@pytest.mark.usefixtures("driver", "other")
@pytest.mark.parametrize("way", ["command", "signal"])
def test_a_waiting_run_can_be_stopped(wait: Callable[[], Waiting], way: str) -> None:
    waiting = wait()
    waiting.shows("Waiting for")

    if way == "command":
        send_command(waiting.prepared.folder, "stop")
    else:
        waiting.stop.set("SIGTERM")

    assert waiting.join().stack is None
    assert not waiting.prepared.lock.is_held
    run = read_run(waiting.prepared.folder)
    assert run.status is RunStatus.STOPPED
    assert (run.folder / "summary.json").is_file()


def test_a_killed_run_is_not_waited_for(
    driver: FakeDriver, other: OtherRun, wait: Callable[[], Waiting]
) -> None:
    waiting = wait()
    waiting.shows("Waiting for")

    other.end()  # as the kernel does for a killed runner

    assert waiting.join().stack is not None
    assert read_run(other.folder).status is RunStatus.INTERRUPTED


@pytest.mark.usefixtures("driver")
def test_waiting_runs_start_in_the_order_of_their_arrival(
    other: OtherRun, wait: Callable[[], Waiting]
) -> None:
    first = wait()
    first.shows("Waiting for")
    second = wait()
    second.shows("Waiting for theirs")

    other.end()

    assert first.join().stack is not None
    second.shows(f"Waiting for mine/{first.prepared.folder.name}")
    first.close()
    assert second.join().stack is not None


@pytest.mark.usefixtures("driver")
def test_a_paused_run_lets_the_others_start_and_waits_again_once_resumed(
    other: OtherRun, wait: Callable[[], Waiting]
) -> None:
    paused = wait()
    send_command(paused.prepared.folder, "pause")
    until(lambda: read_run(paused.prepared.folder).state.paused)
    second = wait()
    second.shows("Waiting for theirs")

    other.end()

    assert second.join().stack is not None
    assert not paused.prepared.lock.is_held
    send_command(paused.prepared.folder, "resume")
    paused.shows(f"Waiting for mine/{second.prepared.folder.name}")
    second.close()
    assert paused.join().stack is not None


@pytest.mark.usefixtures("driver")
def test_a_killed_waiting_run_delays_no_other(
    other: OtherRun, wait: Callable[[], Waiting], workspace: Workspace
) -> None:
    killed = workspace.reports / "mine" / "killed"
    write_journal(killed, run_started())
    WaitingList("local", killed).join()
    waiting = wait()
    waiting.shows("Waiting for")

    other.end()

    assert waiting.join().stack is not None
    assert (state_folder() / "local.waiting").read_text() == ""


def test_a_waiting_list_that_cannot_be_used_does_not_prevent_a_start(state_home: Path) -> None:
    state_home.touch()
    place = WaitingList("local", Path("/nowhere"))

    place.join()

    assert place.is_first()
    place.leave()


def test_a_run_that_writes_its_page_delays_the_next_one_but_does_not_refuse_it(
    driver: FakeDriver, workspace: Workspace, other: OtherRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = RunFinished(result=Result.DONE, reason="every cell has ended")
    write_journal(other.folder / "ended", run_started(), done)
    (other.folder / "ended" / FILE_NAME).replace(other.folder / FILE_NAME)
    has_ended = prepare._has_ended

    def end_after_the_check(folder: Path | None) -> bool:
        found = has_ended(folder)
        if found:
            other.end()
        return found

    monkeypatch.setattr(prepare, "_has_ended", end_after_the_check)

    prepared = prepare_run(request_to_run(workspace, wait=False))

    assert prepared.lock.is_held
    prepared.journal.close()
    prepared.lock.release()


def test_checks_are_repeated_after_the_wait(
    driver: FakeDriver, other: OtherRun, wait: Callable[[], Waiting]
) -> None:
    waiting = wait()
    waiting.shows("Waiting for")
    driver.refusal = RefusedError("the Docker engine has gone")

    other.end()

    assert waiting.join().stack is None
    finished = read_run(waiting.prepared.folder).state.finished
    assert finished is not None
    assert finished.result.value == "aborted"
    assert finished.reason == (
        "the Docker engine has gone; fix this, then resume with "
        f"`run --resume {waiting.prepared.folder.parent.name}/{waiting.prepared.folder.name}`"
    )


def test_another_docker_engine_after_the_wait_is_refused(
    driver: FakeDriver, other: OtherRun, wait: Callable[[], Waiting]
) -> None:
    driver.facts = Facts(project=Project(name="x", context="default", engine="unix:///one"))
    waiting = wait()
    waiting.shows("Waiting for")
    driver.facts = Facts(project=Project(name="x", context="default", engine="unix:///two"))

    other.end()

    assert waiting.join().stack is None
    finished = read_run(waiting.prepared.folder).state.finished
    assert finished is not None
    assert "the current engine is unix:///two" in finished.reason


def test_an_internal_error_ends_the_waiting_run(
    driver: FakeDriver, other: OtherRun, wait: Callable[[], Waiting]
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    waiting = wait()
    driver.trap = fail

    other.end()

    assert waiting.join().stack is None
    finished = read_run(waiting.prepared.folder).state.finished
    assert finished is not None
    assert "internal error, see runner.log: ZeroDivisionError" in finished.reason


def test_a_resumed_run_waits_too(
    driver: FakeDriver,
    workspace: Workspace,
    other: OtherRun,
    wait: Callable[[Prepared], Waiting],
) -> None:
    profile = load_profile(workspace.root / "mine.yaml")
    folder = workspace.reports / "mine" / "1"
    write_journal(folder, run_started(profile, workspace=str(workspace.root)), cell_started())
    with pytest.raises(RefusedError, match="in use by the run theirs"):
        prepare_resume(RunRequest.to_resume(workspace, folder), folder)
    assert read_run(folder).status is RunStatus.INTERRUPTED

    waiting = wait(prepare_resume(RunRequest.to_resume(workspace, folder, wait=True), folder))

    waiting.shows("Waiting for theirs/20261130-120000 to end")
    assert read_run(folder).status is RunStatus.LIVE
    other.end()
    assert waiting.join().stack is not None
    assert driver.opened == [folder]


@pytest.mark.usefixtures("driver")
def test_a_run_that_need_not_wait_records_no_progress(wait: Callable[[], Waiting]) -> None:
    waiting = wait()

    assert waiting.join().stack is not None
    assert waiting.progress == []
    assert StackProgress.WAITING not in (waiting.prepared.folder / FILE_NAME).read_text()
