"""The UI thread accesses no files, and results are computed only for changed runs."""

import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.engine.files import Tail
from loadbench.engine.journal.codec import FILE_NAME as JOURNAL
from loadbench.engine.journal.commands import FILE_NAME as COMMANDS
from loadbench.engine.journal.commands import send_command
from loadbench.engine.journal.events import CellFinished
from loadbench.engine.journal.service_log import format_log_line
from loadbench.engine.journal.state import RunState
from loadbench.engine.report.metrics import Metric
from loadbench.engine.report.rows import Row, RowCache
from loadbench.engine.requests.launch import RunPlan
from loadbench.engine.requests.preflight import Preflight
from loadbench.engine.run_reader import Run
from loadbench.ui.cell.screen import CellScreen
from loadbench.ui.lines.charts.by_level import chart_by_level
from loadbench.ui.lines.charts.plot import Chart
from loadbench.ui.log.screen import LogScreen
from loadbench.ui.profiles.screen import ProfilesScreen
from loadbench.ui.reports.screen import ReportsScreen
from loadbench.ui.run.panels import RunPanels
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.widgets.log_view import LogView
from tests.support.builders import answered, cell_finished, sample
from tests.support.ui_harness import (
    BROKEN,
    JOURNALS,
    NARROW,
    Stage,
    append,
    commands,
    drive,
    held,
    lines_until,
    measuring,
    press,
    replace_runner,
    screen_text,
    settled,
    until,
)
from tests.support.ui_thread import ui_thread

FOUND = RunPlan(
    preflight=Preflight(driver="local", reason="asked for", lock="local"),
    needed_bytes=1,
    free_bytes=10**9,
)
AT = "2026-11-22T11:11:{:02}.000Z"


def write_log(folder: Path, *lines: str) -> None:
    with (folder / "stack.log").open("a", encoding="utf-8") as file:
        file.writelines(
            format_log_line(AT.format(20 + index % 30), "broker", line)
            for index, line in enumerate(lines)
        )


# Files


@pytest.mark.parametrize("size", [(160, 50), NARROW], ids=["wide", "narrow"])
def test_run_screens_access_no_files_on_the_ui_thread(
    stage: Stage, state_home: Path, size: tuple[int, int]
) -> None:
    folder = measuring(stage)
    write_log(folder, "first")
    for name in ("locust.log", "runner.log"):
        (folder / name).write_text(f"{name} here\n")
    stage.add_run("faults", run="20261121-111101")
    rest = (JOURNALS / "demo.jsonl").read_bytes().splitlines(keepends=True)
    at = lines_until("demo", '"second":11,')

    def grow(text: str) -> None:
        nonlocal at
        write_log(folder, text)
        with (folder / JOURNAL).open("ab") as file:
            file.write(rest[at])
        at += 1

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "5")
        await until(pilot, lambda: "first" in screen_text(pilot.app))
        grow("second")
        await until(pilot, lambda: "second" in screen_text(pilot.app))
        await press(pilot, "n")
        assert "locust.log here" in screen_text(pilot.app)
        await press(pilot, "n")
        assert "runner.log here" in screen_text(pilot.app)
        await press(pilot, "1", "space", "enter")
        assert isinstance(pilot.app.screen, CellScreen)
        await press(pilot, "4")
        grow("third")
        await until(pilot, lambda: "third" in screen_text(pilot.app))
        await press(pilot, "left_square_bracket", "right_square_bracket", "escape", "1", "tab")
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, LogScreen)
        grow("fourth")
        await until(pilot, lambda: "fourth" in screen_text(pilot.app))
        await press(pilot, "slash", *"third", "enter", "escape", "right_square_bracket", "escape")
        await press(pilot, "v")
        assert isinstance(pilot.app.screen, ReportsScreen)
        grow("fifth")
        await press(pilot, "2", "s", "down", "1", "down", "y", "v")
        assert isinstance(pilot.app.screen, RunScreen)

    app = stage.app(folder=folder)
    with held(folder), ui_thread(stage.root, state_home) as watch:
        drive(app, script, size=size)
    assert watch.report() == ""
    assert commands(folder) == [("pause", None)]


def test_profiles_screen_accesses_no_files_on_the_ui_thread(
    stage: Stage, state_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "true")
    replace_runner(monkeypatch, preview=lambda _: FOUND)
    stage.save_profile("broken", BROKEN)
    stage.save_profile("demo")
    stage.add_run("interrupted")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "down", "slash", *"de", "escape", "enter", "escape", "r", "escape")
        await press(pilot, "o", "escape", "c", *"_new", "enter")
        await until(pilot, lambda: "_new" in screen_text(pilot.app))
        await press(pilot, "pagedown", *"9", "ctrl+s", "escape")
        await press(pilot, "d", "y", "e")

    with ui_thread(stage.root, state_home) as watch:
        drive(stage.app(), script)
    assert watch.report() == ""


def test_planted_file_access_is_detected(
    stage: Stage, state_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stage.add_run("demo")
    original = RunScreen.paint

    def paint(screen: RunScreen) -> None:
        (folder / JOURNAL).read_bytes()
        (folder / "1_2_8.html").is_file()
        list(folder.iterdir())
        original(screen)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)

    monkeypatch.setattr(RunScreen, "paint", paint)
    with ui_thread(stage.root, state_home) as watch:
        drive(stage.app(folder=folder), script)
    detected = {(access.call, Path(access.path).name) for access in watch.accesses}
    assert detected == {
        ("open", JOURNAL),
        ("os.stat", "1_2_8.html"),
        ("os.listdir", folder.name),
    }
    assert all(any(__file__ in frame for frame in access.frames) for access in watch.accesses)


# Logs


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Block every read of `slow.log` until the event is set."""
    released, original = threading.Event(), Tail.poll

    def poll(tail: Tail) -> list[bytes]:
        if tail.path.name == "slow.log":
            assert released.wait(20)
        return original(tail)

    monkeypatch.setattr(Tail, "poll", poll)
    return released


def test_lines_of_a_log_that_is_no_longer_shown_are_dropped(
    stage: Stage, gate: threading.Event
) -> None:
    folder = stage.add_run("demo")
    (folder / "slow.log").write_text("slow line\n")
    (folder / "locust.log").write_text("quick line\n")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        pilot.app.screen.query_one(RunPanels).choose("logs")
        await settled(pilot)
        log = pilot.app.screen.query_one(LogView)
        log.open(folder / "slow.log")
        await until(pilot, lambda: "Loading…" in screen_text(pilot.app))
        log.open(folder / "locust.log")
        log.refresh_tail()
        gate.set()
        await settled(pilot)
        assert "quick line" in screen_text(pilot.app)
        assert "slow line" not in screen_text(pilot.app)
        assert log.kept == 1

    drive(stage.app(folder=folder), script)


def test_screen_is_repainted_while_a_log_is_read(stage: Stage, gate: threading.Event) -> None:
    folder = measuring(stage)
    (folder / "slow.log").write_text("slow line\n")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        pilot.app.screen.query_one(RunPanels).choose("logs")
        await settled(pilot)
        pilot.app.screen.query_one(LogView).open(folder / "slow.log")
        append(folder, cell_finished("m1_u2_s8"))
        await until(pilot, lambda: "1 of 4 cells done" in screen_text(pilot.app))
        assert "Loading…" in screen_text(pilot.app)
        gate.set()
        await until(pilot, lambda: "slow line" in screen_text(pilot.app))

    with held(folder):
        drive(stage.app(folder=folder), script)


# Commands


@pytest.fixture
def slow_commands(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Block the first command until the event is set."""
    release = threading.Event()

    def send(*arguments: Any, **options: Any) -> str:
        assert release.wait(20)
        return send_command(*arguments, **options)

    monkeypatch.setattr("loadbench.ui.run_base.send_command", send)
    return release


def test_commands_are_sent_in_order_even_after_quit(
    stage: Stage, slow_commands: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = measuring(stage)
    app = stage.app(folder=folder)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await pilot.press("space", "j", "s", "x")
        await pilot.press("y")
        app.action_quit_app()
        assert not (folder / COMMANDS).exists()
        slow_commands.set()

    with held(folder):
        drive(app, script)
    assert commands(folder) == [("pause", None), ("skip", "m1_u8_s8"), ("stop", None)]


def test_quit_waits_for_commands_only_until_a_timeout(
    stage: Stage, slow_commands: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = measuring(stage)
    monkeypatch.setattr("loadbench.ui.run.screen.SEND_TIMEOUT_S", 0.05)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await pilot.press("space")

    with held(folder):
        drive(stage.app(folder=folder), script)
    assert commands(folder) == []
    slow_commands.set()


def test_runner_is_killed_in_a_background_thread(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = measuring(stage)
    append(folder, answered("stop"))
    sent: list[tuple[Path, signal.Signals, bool]] = []

    def send(run: Run, number: signal.Signals) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        sent.append((run.folder, number, is_main))

    monkeypatch.setattr("loadbench.ui.run.commands.signal_runner", send)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "x", "y")

    with held(folder):
        drive(stage.app(folder=folder), script)
    assert sent == [(folder, signal.SIGKILL, False)]


# Rows


def test_rows_are_recomputed_only_for_the_run_that_has_grown(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.save_profile("demo")
    for number in range(5):
        profile = f"other_{number}"
        stage.save_profile(profile)
        stage.add_run("faults", profile=profile, run=f"2026112{number}-111101")
    folder = measuring(stage)
    computed: list[str] = []

    def count_rows(cache: RowCache, state: RunState) -> tuple[Row, ...]:
        assert state.started is not None
        computed.append(state.started.run)
        return rows(cache, state)

    rows = RowCache.rows
    monkeypatch.setattr(RowCache, "rows", count_rows)
    app = stage.app()

    def results() -> list[CellFinished]:
        run = next(run for run in app.context.catalog.newest.runs if run.folder == folder)
        return [cell.finished for cell in run.state.cells.values() if cell.finished]

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await until(pilot, lambda: len(app.context.catalog.newest.runs) == 6)
        first = list(computed)
        assert len(first) == 6
        before = {run.folder: run for run in app.context.catalog.newest.runs}
        append(folder, sample("m1_u2_s8", second=12), cell_finished("m1_u2_s8"))
        await until(pilot, results)
        await settled(pilot)
        runs = app.context.catalog.newest.runs
        grown = [run for run in runs if run is not before[run.folder]]
        assert [run.folder for run in grown] == [folder]
        assert computed[6:] == [grown[0].state.started.run]  # type: ignore[union-attr]
        for key in ("down", "down", "up", "v", "down", "down", "up", "escape"):
            await press(pilot, key)
        assert isinstance(pilot.app.screen, ProfilesScreen)
        assert len(computed) == 7

    with held(folder):
        drive(app, script)


def test_chart_is_recomputed_only_for_a_changed_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.add_run("faults", profile="a_demo", run="20261130-111101")
    folder = measuring(stage)
    computed: list[RunState] = []

    def count_charts(state: RunState, metric: Metric) -> Chart | None:
        computed.append(state)
        return chart_by_level(state, metric)

    monkeypatch.setattr("loadbench.ui.reports.screen.chart_by_level", count_charts)
    app = stage.app()

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "v")
        assert len(computed) == 2
        before = app.context.catalog.newest
        append(folder, cell_finished("m1_u2_s8"))
        await until(pilot, lambda: app.context.catalog.newest is not before)
        await settled(pilot)
        assert len(computed) == 2
        await press(pilot, "down")
        assert len(computed) == 4

    with held(folder):
        drive(app, script)
