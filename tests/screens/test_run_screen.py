"""One run on the screen: followed, commanded, looked back at."""

import fcntl
import json
import os
import shutil
from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.engine.journal.codec import FILE_NAME as JOURNAL
from loadbench.engine.journal.commands import FILE_NAME
from loadbench.engine.journal.events import Result, RunFinished
from loadbench.ui.dialogs.question import Question
from loadbench.ui.run.matrix import MatrixView
from loadbench.ui.run.panels import RunPanels
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.widgets.tabs import TabLine
from tests.support.builders import (
    answered,
    cell_finished,
    cell_started,
    make_profile,
    run_started,
    sample,
    write_journal,
)
from tests.support.ui_harness import (
    JOURNALS,
    NARROW,
    Stage,
    append,
    commands,
    drive,
    held,
    lines_until,
    measuring,
    offered,
    press,
    screen_text,
    settled,
    until,
)


def screen_of(pilot: "Pilot[Any]") -> RunScreen:
    assert isinstance(pilot.app.screen, RunScreen)
    return pilot.app.screen


# Following


def test_what_is_written_to_the_journal_is_shown(stage: Stage) -> None:
    folder = measuring(stage)
    told = (JOURNALS / "demo.jsonl").read_bytes().splitlines(keepends=True)
    at = lines_until("demo", '"second":11,')

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert "m1_u2_s8  scaling" in screen_text(pilot.app)
        with (folder / JOURNAL).open("ab") as file:
            file.write(b"".join(told[at : at + 20]))
        await until(pilot, lambda: "m1_u8_s8  scaling" in screen_text(pilot.app), "the next cell")
        assert "78.0" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_the_end_of_a_run_is_told_and_its_keys_change(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert {"space", "x", "s", "q"} <= set(offered(pilot))
        append(folder, RunFinished(result=Result.STOPPED, reason="asked for"))
        await until(pilot, lambda: "stopped: asked for" in screen_text(pilot.app))
        assert not set(offered(pilot)) & {"space", "x", "s"}
        assert offered(pilot)["r"] == "resume"
        assert screen_text(pilot.app).count("4 cells: 4 pending") == 2

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_a_runner_that_is_killed_leaves_an_interrupted_run(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        os.close(lock)
        await until(pilot, lambda: "the runner was killed" in screen_text(pilot.app))
        assert offered(pilot)["r"] == "resume"

    lock = os.open(folder / JOURNAL, os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    drive(stage.app(folder=folder), script)


def test_a_program_that_shows_one_run_ends_with_it(stage: Stage) -> None:
    folder = measuring(stage)
    app = stage.app(folder=folder, leave_at_end=True)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        append(folder, RunFinished(result=Result.DONE, reason="every cell is over"))
        await until(pilot, lambda: not app.is_running or app._exit, "the end")

    with held(folder):
        drive(app, script)
    assert app.return_value is not None
    assert app.return_value.status == "done"


def test_a_journal_that_cannot_be_read_says_why(stage: Stage) -> None:
    folder = stage.add_run("demo")
    (folder / JOURNAL).write_text('{"type":"run_started","seq":1,"v":99}\n')

    async def script(pilot: "Pilot[Any]") -> None:
        await until(pilot, lambda: "format version 99" in screen_text(pilot.app))

    drive(stage.app(folder=folder), script)


# The cell that is shown


def test_the_cursor_chooses_the_cell_and_f_goes_back_to_the_current_one(stage: Stage) -> None:
    folder = measuring(stage, "faults", '"message":"the run pauses')

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert screen_of(pilot).shown == "m1_u4_s8"
        assert "f" not in offered(pilot)
        await press(pilot, "k", "k")
        assert screen_of(pilot).shown == "m1_u2_s8"
        assert "m1_u2_s8 · measured, 4 s" in screen_text(pilot.app)
        assert offered(pilot)["f"] == "follow"
        await press(pilot, "f")
        assert screen_of(pilot).shown == "m1_u4_s8"

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_vim_keys_and_the_mouse_move_the_cursor_too(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        seen = []
        for key in ("k", "h", "j", "l", "up", "left", "down", "right", "right", "down"):
            await press(pilot, key)
            seen.append(screen_of(pilot).shown)
        square = ["m2_u2_s8", "m1_u2_s8", "m1_u8_s8", "m2_u8_s8"]
        assert seen == [*square, *square, "m2_u8_s8", "m2_u8_s8"]
        await pilot.click(MatrixView, offset=(12, 2))
        await settled(pilot)
        assert screen_of(pilot).shown == "m1_u2_s8"

    drive(stage.app(folder=folder), script)


def test_a_cell_of_the_past_is_drawn_from_its_journal(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "k")
        await until(pilot, lambda: "m2_u2_s8, per second" in screen_text(pilot.app))
        assert "37.8" in screen_text(pilot.app)

    drive(stage.app(folder=folder), script)


def test_a_cell_that_was_never_begun_says_so(stage: Stage) -> None:
    folder = stage.add_run("interrupted")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "l")
        assert screen_text(pilot.app).count("not measured yet") == 4

    drive(stage.app(folder=folder), script)


# Commands


def test_space_asks_for_a_pause_and_then_to_go_on(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert offered(pilot)["space"] == "pause"
        await press(pilot, "space")
        assert commands(folder) == [("pause", None)]
        append(folder, answered("pause"))
        await until(pilot, lambda: offered(pilot)["space"] == "go on")
        assert "pauses after it" in screen_text(pilot.app)
        await press(pilot, "space")
        assert commands(folder) == [("pause", None), ("resume", None)]

    with held(folder):
        drive(stage.app(folder=folder), script)


@pytest.mark.parametrize("accepted", [True, False])
def test_the_runner_s_answer_is_told(stage: Stage, accepted: bool) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "x", "y")
        identity = json.loads((folder / FILE_NAME).read_text())["id"]
        append(folder, answered("stop", identity=identity, accepted=accepted))
        await until(pilot, lambda: "stop it is" in screen_text(pilot.app))
        assert ("stopping" in screen_text(pilot.app)) is accepted

    with held(folder):
        drive(stage.app(folder=folder), script)


@pytest.mark.parametrize(("keys", "asked"), [("y", [("stop", None)]), ("n", []), ("", [])])
def test_a_run_is_stopped_only_when_that_is_confirmed(
    stage: Stage, keys: str, asked: list[tuple[str, str | None]]
) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "x")
        assert isinstance(pilot.app.screen, Question)
        await press(pilot, *(keys or ["enter"]))
        assert isinstance(pilot.app.screen, RunScreen)

    with held(folder):
        drive(stage.app(folder=folder), script)
    assert commands(folder) == asked


def test_the_current_cell_is_skipped_when_that_is_confirmed_another_one_at_once(
    stage: Stage,
) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "s", "y")
        assert commands(folder) == [("skip", "m1_u2_s8")]
        await press(pilot, "j", "s")
        assert commands(folder)[1:] == [("skip", "m1_u8_s8")]

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_a_cell_that_is_over_is_measured_again(stage: Stage) -> None:
    folder = measuring(stage, "faults", '"message":"the run pauses')

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert "a" not in offered(pilot)
        await press(pilot, "k", "k", "k")
        assert offered(pilot)["a"] == "again"
        assert "s" not in offered(pilot)
        await press(pilot, "a")

    with held(folder):
        drive(stage.app(folder=folder), script)
    assert commands(folder) == [("again", "m1_u1_s8")]


def test_a_run_that_does_not_stop_can_be_killed(stage: Stage) -> None:
    folder = measuring(stage)
    append(folder, answered("stop"))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert offered(pilot)["x"] == "kill"
        await press(pilot, "x")
        assert "may leave containers" in screen_text(pilot.app)
        await press(pilot, "escape")

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_commands_that_cannot_be_written_are_told(stage: Stage) -> None:
    folder = measuring(stage)
    (folder / FILE_NAME).mkdir()

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "space")
        await until(pilot, lambda: "directory" in screen_text(pilot.app))

    with held(folder):
        drive(stage.app(folder=folder), script)


# Panels


def test_panels_are_chosen_by_number_and_by_click(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        panels = pilot.app.screen.query_one(RunPanels)
        for key, tab in zip(
            "123456", ["sweep", "charts", "stats", "failures", "events", "logs"], strict=True
        ):
            await press(pilot, key)
            assert panels.tab == tab
        await pilot.click("#tabs-narrow", offset=(3, 0))
        await settled(pilot)
        assert panels.tab == "sweep"

    drive(stage.app(folder=folder), script, size=NARROW)


def test_the_chosen_panel_survives_a_change_of_size(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        for size in ((80, 24), (60, 15), (40, 10), (200, 60), (120, 40)):
            await pilot.resize_terminal(*size)
            await settled(pilot)
        assert "POST /predict" in screen_text(pilot.app)
        assert isinstance(pilot.app.screen, RunScreen)

    drive(stage.app(folder=folder), script)


def test_logs_are_followed_and_changed(stage: Stage) -> None:
    folder = measuring(stage)
    (folder / "stack.log").write_text("model-1 | ready\n")
    (folder / "locust.log").write_text("locust says this\n")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "6")
        assert "model-1 | ready" in screen_text(pilot.app)
        with (folder / "stack.log").open("a") as file:
            file.write("model-1 | \x1b[31mserved\n")
        append(folder, answered("pause"))
        await until(pilot, lambda: "served" in screen_text(pilot.app))
        await press(pilot, "n")
        assert "locust says this" in screen_text(pilot.app)
        await press(pilot, "n")
        assert "No log output yet" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_words_of_a_service_are_shown_as_they_are(stage: Stage) -> None:
    folder = measuring(stage)
    hostile = "[red]not[/] a [style] \x1b]0;title\x07"
    append(folder, cell_finished("m1_u2_s8", reasons=(hostile,)))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "4")
        assert "[red]not[/] a [style] �]0;title�" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_tabs_name_their_keys(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert len(pilot.app.screen.query(TabLine)) == 2
        assert "3 stats" in screen_text(pilot.app)

    drive(stage.app(folder=folder), script)


def test_a_measured_cell_is_measured_again_only_when_that_is_confirmed(stage: Stage) -> None:
    folder = measuring(stage, "faults", '"message":"the run pauses')

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "k", "k", "a")
        assert "They leave the table" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert commands(folder) == []
        await press(pilot, "a", "y")

    with held(folder):
        drive(stage.app(folder=folder), script)
    assert commands(folder) == [("again", "m1_u2_s8")]


def test_a_cell_that_fails_is_told_at_once(stage: Stage) -> None:
    at = lines_until("faults", '"type":"cell_failed"')
    folder = stage.add_run("faults", lines=at - 1)
    told = (JOURNALS / "faults.jsonl").read_bytes().splitlines(keepends=True)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        with (folder / JOURNAL).open("ab") as file:
            file.write(told[at - 1])
        await until(pilot, lambda: "m1_u1_s8 failed" in screen_text(pilot.app))
        assert "1 of 8 cells over, 1 failed" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_a_run_whose_folder_is_gone_is_live_no_more(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        shutil.rmtree(folder)
        await until(pilot, lambda: "No such file" in screen_text(pilot.app).splitlines()[0])
        assert not set(offered(pilot)) & {"space", "x", "s"}

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_a_cell_of_another_plan_breaks_nothing(stage: Stage) -> None:
    folder = measuring(stage)
    append(folder, cell_started("m9_u9_s9"))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert "live" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_draining_is_not_counted_as_measuring(stage: Stage) -> None:
    folder = measuring(stage, mark='"phase":"draining"')
    append(folder, *(sample("m1_u2_s8", second=it, requests=()) for it in range(13, 23)))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert "measured so far, 6 s" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_the_names_of_rows_and_columns_stay_in_view(stage: Stage) -> None:
    profile = make_profile(models=[*range(1, 21)], users=[*range(1, 31)])
    write_journal(stage.root / "reports" / "demo" / "20261122-111101", run_started(profile))
    folder = stage.root / "reports" / "demo" / "20261122-111101"

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "G")
        shown = screen_text(pilot.app)
        assert "20m" in shown
        assert "   30" in shown
        assert "users" in shown
        assert screen_of(pilot).shown == "m20_u30_s2"

    drive(stage.app(folder=folder), script)
