"""Continuing a run that is not live: measure cells again, add cells, retry, and follow the run."""

import fcntl
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.events import (
    Event,
    Result,
    RunFinished,
    RunResumed,
    StackProgress,
    Verdict,
)
from loadbench.engine.requests import stopping
from loadbench.engine.requests.launch import RunPlan, RunRequest
from loadbench.engine.requests.preflight import Preflight
from loadbench.ui.cell.screen import CellScreen
from loadbench.ui.dialogs.question import Question
from loadbench.ui.preview.screen import PreviewScreen
from loadbench.ui.profiles.screen import ProfilesScreen
from loadbench.ui.reports.screen import ReportsScreen
from loadbench.ui.run.add_cell import AddDialog
from loadbench.ui.run.screen import RunScreen
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_started,
    make_profile,
    run_started,
    sample,
    write_journal,
)
from tests.support.ui_harness import (
    NARROW,
    Stage,
    append,
    commands,
    drive,
    held,
    measuring,
    offered,
    press,
    replace_runner,
    screen_text,
    settled,
    until,
)

FIRST, SECOND, THIRD = "m1_u2_s8", "m2_u2_s8", "m3_u2_s8"
DONE = RunFinished(result=Result.DONE, reason="every cell is over")
PLAN = RunPlan(
    preflight=Preflight(driver="local", reason="asked for", lock="local"),
    needed_bytes=1,
    free_bytes=10**9,
)


class Runner:
    """A runner that resumes a run: it locks the journal and writes `run_resumed`."""

    def __init__(self) -> None:
        self.requests: list[RunRequest] = []
        self._fds: list[int] = []

    def start(self, request: RunRequest) -> Path:
        self.requests.append(request)
        assert request.resume is not None
        folder = Path(request.resume)
        fd = os.open(folder / FILE_NAME, os.O_RDWR | os.O_APPEND)
        fcntl.flock(fd, fcntl.LOCK_EX)
        self._fds.append(fd)
        append(folder, RunResumed(pid=1, retry=request.again, hardware={}, versions={}))
        return folder

    def close(self) -> None:
        while self._fds:
            os.close(self._fds.pop())


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    """Resume runs without measuring."""
    fake = Runner()
    replace_runner(monkeypatch, preview=lambda _: PLAN, start=fake.start)
    yield fake
    fake.close()


def ended(stage: Stage, *ends: Event, over: bool = True) -> Path:
    """Add a run of three cells with these ends, one per cell."""
    events: list[Event] = []
    for key, end in zip((FIRST, SECOND, THIRD), ends, strict=False):
        events += [cell_started(key), sample(key), end]
    started = run_started(make_profile(models=[1, 2, 3], spawn_rates=[8]))
    folder = stage.root / "reports" / "demo" / started.run
    return write_journal(folder, started, *events, *((DONE,) if over else ()))


def complete(stage: Stage) -> Path:
    """Add a run in which every cell is valid."""
    return ended(stage, *(cell_finished(key) for key in (FIRST, SECOND, THIRD)))


def run_screens(pilot: "Pilot[Any]") -> list[RunScreen]:
    return [screen for screen in pilot.app.screen_stack if isinstance(screen, RunScreen)]


def status(pilot: "Pilot[Any]") -> str | None:
    return run_screens(pilot)[0].status


def shows_only_the_run(pilot: "Pilot[Any]") -> bool:
    """Return whether the only screen of the run is in front."""
    return run_screens(pilot) == [pilot.app.screen]


async def start(pilot: "Pilot[Any]") -> None:
    """Confirm the preview, and wait until the screen shows the resumed run."""
    assert isinstance(pilot.app.screen, PreviewScreen)
    await press(pilot, "enter")
    await until(pilot, lambda: run_screens(pilot) and status(pilot) == "live", "the resumed run")
    await settled(pilot)


# The selected cell


def test_a_cell_of_a_complete_run_is_measured_again_on_the_same_screen(
    stage: Stage, runner: Runner
) -> None:
    stage.save_profile("demo")
    folder = complete(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert "r" not in offered(pilot)
        assert (offered(pilot)["a"], offered(pilot)["plus"]) == ("remeasure", "add")
        await press(pilot, "home", "a")
        assert f"Measures {FIRST} again." in screen_text(pilot.app)
        assert "Until then, its result is hidden" in screen_text(pilot.app)
        assert "The other cells keep their results." in screen_text(pilot.app)
        await start(pilot)
        assert shows_only_the_run(pilot)
        assert "2 of 3 cells done" in screen_text(pilot.app)
        append(folder, cell_started(FIRST, attempt=2))
        await until(pilot, lambda: "(attempt 2)" in screen_text(pilot.app))
        append(folder, cell_finished(FIRST, attempt=2), DONE)
        await until(pilot, lambda: status(pilot) == "done")
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, ProfilesScreen)

    drive(stage.app(folder=folder), script)
    (request,) = runner.requests
    assert (request.resume, request.again, request.added) == (str(folder), (FIRST,), ())


def test_esc_leads_back_to_the_screen_from_which_the_run_was_opened(
    stage: Stage, runner: Runner
) -> None:
    stage.save_profile("demo")
    complete(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "o", "a")
        await start(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, ProfilesScreen)
        assert not run_screens(pilot)

    drive(stage.app(), script)


def test_the_cell_screen_returns_to_the_run_that_it_resumed(stage: Stage, runner: Runner) -> None:
    folder = complete(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "home", "enter")
        assert isinstance(pilot.app.screen, CellScreen)
        await press(pilot, "right_square_bracket", "a")
        await start(pilot)
        assert shows_only_the_run(pilot)

    drive(stage.app(folder=folder), script)
    assert runner.requests[0].again == (SECOND,)


def test_a_stopped_run_also_measures_its_remaining_cells(stage: Stage, runner: Runner) -> None:
    folder = ended(stage, cell_failed(FIRST), over=False)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "home", "a")
        text = screen_text(pilot.app)
        assert f"Measures {FIRST} again. 2 of 3 cells remain." in text
        assert "hidden" not in text
        assert "keep their results" not in text
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, RunScreen)

    drive(stage.app(folder=folder), script)
    assert runner.requests == []


def test_a_pending_cell_of_a_stopped_run_is_not_measured_again(stage: Stage) -> None:
    folder = ended(stage, cell_finished(FIRST), over=False)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "end")
        assert "a" not in offered(pilot)

    drive(stage.app(folder=folder), script)


# A new cell


def test_a_cell_is_added_to_a_complete_run(stage: Stage, runner: Runner) -> None:
    folder = complete(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "home", "plus", "4")
        assert isinstance(pilot.app.screen, AddDialog)
        assert "m1_u4_s8: about" in screen_text(pilot.app)
        await press(pilot, "enter")
        assert "Adds m1_u4_s8. The other cells keep their results." in screen_text(pilot.app)
        await start(pilot)

    drive(stage.app(folder=folder), script)
    assert runner.requests[0].added == ({"models": 1, "users": 4, "spawn_rate": 8},)


def test_a_run_that_ends_behind_the_dialog_is_resumed_with_the_cell(
    stage: Stage, runner: Runner
) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "plus", "7")
        append(folder, RunFinished(result=Result.STOPPED, reason="asked for"))
        await until(pilot, lambda: status(pilot) == "stopped")
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, PreviewScreen)
        assert "Adds m1_u7_s8. 4 of 4 cells remain." in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)
    assert commands(folder) == []


# The key that resumes


MIXED = (cell_failed(FIRST), cell_finished(SECOND), cell_failed(THIRD))
SUSPECT = (
    cell_finished(FIRST),
    cell_finished(SECOND, verdict=Verdict.SUSPECT),
    cell_finished(THIRD, verdict=Verdict.INVALID),
)


@pytest.mark.parametrize(
    ("place", "ends", "label", "again"),
    [
        ("run", MIXED[:2], "resume", ()),
        ("run", MIXED, "retry failed", (FIRST, THIRD)),
        ("run", SUSPECT, "retry suspect", (SECOND, THIRD)),
        ("profiles", SUSPECT, "retry suspect", (SECOND, THIRD)),
        ("reports", MIXED, "retry failed", (FIRST, THIRD)),
    ],
)
def test_r_measures_what_its_label_says(
    stage: Stage,
    runner: Runner,
    place: str,
    ends: tuple[Event, ...],
    label: str,
    again: tuple[str, ...],
) -> None:
    stage.save_profile("demo")
    folder = ended(stage, *ends)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        if place == "reports":
            await press(pilot, "v")
        assert offered(pilot)["r"] == label
        await press(pilot, "r")
        await start(pilot)
        assert shows_only_the_run(pilot)

    drive(stage.app(folder=folder if place == "run" else None), script)
    assert runner.requests[0].again == again


@pytest.mark.parametrize(
    ("place", "key", "again"),
    [
        ("run", "f", (FIRST,)),
        ("run", "escape", None),
        ("profiles", "s", (SECOND,)),
        ("reports", "b", (FIRST, SECOND)),
    ],
)
def test_r_asks_if_there_are_failed_and_suspect_cells(
    stage: Stage, runner: Runner, place: str, key: str, again: tuple[str, ...] | None
) -> None:
    stage.save_profile("demo")
    suspect = cell_finished(SECOND, verdict=Verdict.SUSPECT)
    folder = ended(stage, cell_failed(FIRST), suspect, cell_finished(THIRD))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        if place == "reports":
            await press(pilot, "v")
        assert offered(pilot)["r"] == "retry"
        await press(pilot, "r")
        assert isinstance(pilot.app.screen, Question)
        assert "1 cell failed; 1 cell is suspect or invalid." in screen_text(pilot.app)
        await press(pilot, key)
        if again is None:
            assert not pilot.app.screen.is_modal
        else:
            await start(pilot)

    drive(stage.app(folder=folder if place == "run" else None), script)
    assert [request.again for request in runner.requests] == ([] if again is None else [again])


def test_a_run_resumed_from_the_reports_above_it_is_shown_once(
    stage: Stage, runner: Runner
) -> None:
    folder = ended(stage, cell_failed(FIRST), cell_finished(SECOND), cell_finished(THIRD))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "v")
        assert isinstance(pilot.app.screen, ReportsScreen)
        await press(pilot, "r")
        await start(pilot)
        assert shows_only_the_run(pilot)

    drive(stage.app(folder=folder), script)


def test_a_resumed_run_follows_its_current_cell(stage: Stage, runner: Runner) -> None:
    folder = ended(stage, cell_failed(FIRST), cell_finished(SECOND), cell_finished(THIRD))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "end", "r")
        await start(pilot)
        append(folder, cell_started(FIRST, attempt=2))
        await until(pilot, lambda: run_screens(pilot)[0].shown == FIRST)

    drive(stage.app(folder=folder), script)


@pytest.mark.parametrize("size", [(120, 40), NARROW], ids=["wide", "narrow"])
def test_a_run_that_waits_shows_for_which_run(
    stage: Stage, runner: Runner, size: tuple[int, int]
) -> None:
    folder = ended(stage, cell_failed(FIRST), cell_finished(SECOND), cell_finished(THIRD))
    text = "Waiting for with_cpu/20261130-120000 to end"

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "r")
        await start(pilot)
        append(folder, StackProgress(step=StackProgress.WAITING, line=text))
        await until(pilot, lambda: text in screen_text(pilot.app).splitlines()[1])
        append(folder, StackProgress(step="start", line="Starting broker"))
        await until(pilot, lambda: text not in screen_text(pilot.app).splitlines()[1])

    drive(stage.app(folder=folder), script, size=size)


# The end is missing


def test_a_run_killed_after_the_last_cell_is_finished_with_r(
    stage: Stage, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finish(request: RunRequest) -> Path:
        folder = runner.start(request)
        append(folder, DONE)
        runner.close()
        return folder

    monkeypatch.setattr("loadbench.engine.requests.launch.start_runner", finish)
    stage.save_profile("demo")
    folder = ended(stage, *(cell_finished(key) for key in (FIRST, SECOND, THIRD)), over=False)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        text = screen_text(pilot.app)
        assert "done" in text
        assert "The runner was killed after the last cell. Press r to finish the run." in text
        assert offered(pilot)["r"] == "finish"
        await press(pilot, "r", "y")
        await until(pilot, lambda: "Done: 3 of 3 cells measured" in screen_text(pilot.app))
        assert "r" not in offered(pilot)

    drive(stage.app(folder=folder), script)
    (request,) = runner.requests
    assert (request.resume, request.again, request.added) == (str(folder), (), ())


# Damaged journals and files of commands


def test_damaged_lines_are_shown_in_the_header_the_events_and_the_lists(stage: Stage) -> None:
    stage.save_profile("demo")
    folder = complete(stage)
    with (folder / FILE_NAME).open("ab") as journal:
        journal.write(b"?\n[1]\n")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        header, *_ = screen_text(pilot.app).splitlines()
        assert "done, 2 damaged lines" in header
        await press(pilot, "4")
        await settled(pilot)
        assert "damaged and was skipped" in " ".join(screen_text(pilot.app).split())
        await press(pilot, "escape", "v")
        await settled(pilot)
        assert isinstance(pilot.app.screen, ReportsScreen)
        assert "2 damaged lines" in screen_text(pilot.app)

    drive(stage.app(folder=folder), script, size=NARROW)


def test_a_live_run_is_stopped_by_a_signal_if_commands_cannot_be_sent(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = measuring(stage)
    (folder / "commands.jsonl").mkdir()
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    monkeypatch.setattr(stopping, "_is_runner", lambda _: True)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "space")
        await until(pilot, lambda: "cannot send the command" in screen_text(pilot.app))
        assert sent == []
        await press(pilot, "x", "y")
        await until(pilot, lambda: sent)

    with held(folder):
        drive(stage.app(folder=folder), script)
    [(_, number)] = sent
    assert number == signal.SIGTERM
