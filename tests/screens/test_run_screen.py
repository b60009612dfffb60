"""The screen of a run: following it, commands, finished cells."""

import fcntl
import json
import os
import re
import shutil
from typing import Any

import pytest
from textual.pilot import Pilot

from loadbench.engine.journal.codec import FILE_NAME as JOURNAL
from loadbench.engine.journal.commands import FILE_NAME
from loadbench.engine.journal.events import Result, RunFinished, Verdict
from loadbench.ui.dialogs.question import Question
from loadbench.ui.run.matrix import MatrixView
from loadbench.ui.run.panels import RunPanels
from loadbench.ui.run.screen import RunScreen
from loadbench.ui.widgets.line_view import LineView
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


def test_new_journal_entries_are_shown(stage: Stage) -> None:
    folder = measuring(stage)
    lines = (JOURNALS / "demo.jsonl").read_bytes().splitlines(keepends=True)
    start = lines_until("demo", '"second":11,')

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert "1 model, 2 users, 8 users/s  scaling" in screen_text(pilot.app)
        with (folder / JOURNAL).open("ab") as file:
            file.write(b"".join(lines[start : start + 20]))
        await until(pilot, lambda: "8 users, 8 users/s  scaling" in screen_text(pilot.app))
        assert "86.1" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_the_end_of_a_run_is_shown_and_its_keys_change(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert {"space", "x", "s", "q"} <= set(offered(pilot))
        append(folder, RunFinished(result=Result.STOPPED, reason="asked for"))
        await until(
            pilot, lambda: "Stopped: asked for. Press r to resume." in screen_text(pilot.app)
        )
        assert not set(offered(pilot)) & {"space", "x", "s"}
        assert offered(pilot)["r"] == "resume"
        assert "4 cells: 4 pending" in screen_text(pilot.app).splitlines()[0]

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_a_killed_runner_leaves_an_interrupted_run(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        os.close(lock)
        await until(
            pilot, lambda: "The runner was killed during m1_u2_s8" in screen_text(pilot.app)
        )
        assert offered(pilot)["r"] == "resume"

    lock = os.open(folder / JOURNAL, os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    drive(stage.app(folder=folder), script)


def test_a_program_that_shows_one_run_exits_at_its_end(stage: Stage) -> None:
    folder = measuring(stage)
    app = stage.app(folder=folder, quit_at_end=True)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        append(folder, RunFinished(result=Result.DONE, reason="every cell is over"))
        await until(pilot, lambda: not app.is_running or app._exit, "the end")

    with held(folder):
        drive(app, script)
    assert app.return_value is not None
    assert app.return_value.status == "done"


def test_an_unreadable_journal_shows_the_reason(stage: Stage) -> None:
    folder = stage.add_run("demo")
    (folder / JOURNAL).write_text('{"type":"run_started","seq":1,"v":99}\n')

    async def script(pilot: "Pilot[Any]") -> None:
        await until(pilot, lambda: "format version 99" in screen_text(pilot.app))

    drive(stage.app(folder=folder), script)


# The selected cell


def test_the_cursor_selects_a_cell_and_f_follows_the_current_one(stage: Stage) -> None:
    folder = measuring(stage, "faults", '"message":"the run pauses')

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert screen_of(pilot).shown == "m1_u4_s8"
        assert "f" not in offered(pilot)
        await press(pilot, "k", "k")
        assert screen_of(pilot).shown == "m1_u2_s8"
        assert "Statistics · m1_u2_s8 · measurement window, 4 s" in screen_text(pilot.app)
        assert offered(pilot)["f"] == "follow"
        await press(pilot, "f")
        assert screen_of(pilot).shown == "m1_u4_s8"

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_vim_keys_and_the_mouse_move_the_cursor(stage: Stage) -> None:
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


def test_a_finished_cell_is_drawn_from_the_journal(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "k")
        await until(pilot, lambda: "m2_u2_s8, per second" in screen_text(pilot.app))
        assert "37.8" in screen_text(pilot.app)

    drive(stage.app(folder=folder), script)


def test_every_panel_of_a_pending_cell_shows_that_it_is_not_measured_yet(stage: Stage) -> None:
    folder = stage.add_run("interrupted")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "l")
        assert screen_text(pilot.app).count("Not measured yet") == 4

    drive(stage.app(folder=folder), script)


# Commands


def test_space_pauses_and_then_resumes(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert offered(pilot)["space"] == "pause"
        await press(pilot, "space")
        assert commands(folder) == [("pause", None)]
        append(folder, answered("pause"))
        await until(pilot, lambda: offered(pilot)["space"] == "resume")
        assert "pausing after this cell" in screen_text(pilot.app)
        await press(pilot, "space")
        assert commands(folder) == [("pause", None), ("resume", None)]

    with held(folder):
        drive(stage.app(folder=folder), script)


@pytest.mark.parametrize("accepted", [True, False])
def test_the_answer_of_the_runner_is_shown(stage: Stage, accepted: bool) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "x", "y")
        identity = json.loads((folder / FILE_NAME).read_text())["id"]
        append(folder, answered("stop", identity=identity, accepted=accepted))
        await until(pilot, lambda: "stop it is" in screen_text(pilot.app))
        assert ("Stopping: removing containers" in screen_text(pilot.app)) is accepted

    with held(folder):
        drive(stage.app(folder=folder), script)


@pytest.mark.parametrize(("keys", "asked"), [("y", [("stop", None)]), ("n", []), ("", [])])
def test_a_run_is_stopped_only_after_a_confirmation(
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


def test_only_skipping_the_current_cell_needs_a_confirmation(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "s", "y")
        assert commands(folder) == [("skip", "m1_u2_s8")]
        await press(pilot, "j", "s")
        assert commands(folder)[1:] == [("skip", "m1_u8_s8")]

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_a_failed_cell_is_measured_again(stage: Stage) -> None:
    folder = measuring(stage, "faults", '"message":"the run pauses')

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert "a" not in offered(pilot)
        await press(pilot, "k", "k", "k")
        assert offered(pilot)["a"] == "remeasure"
        assert "s" not in offered(pilot)
        await press(pilot, "a")

    with held(folder):
        drive(stage.app(folder=folder), script)
    assert commands(folder) == [("again", "m1_u1_s8")]


def test_a_runner_that_does_not_stop_can_be_killed(stage: Stage) -> None:
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


def test_a_command_that_cannot_be_written_shows_an_error(stage: Stage) -> None:
    folder = measuring(stage)
    (folder / FILE_NAME).mkdir()

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "space")
        await until(pilot, lambda: "directory" in screen_text(pilot.app))

    with held(folder):
        drive(stage.app(folder=folder), script)


# Panels


TABS = {
    "1": ("Sweep", "sweep"),
    "2": ("Statistics", "stats"),
    "3": ("Failures", "failures"),
    "4": ("Events", "events"),
    "5": ("Logs", "logs"),
    "6": ("Charts", "latency"),
}
"""The label of each tab by its key, and the id of the panel that gets the focus."""


def tab_labels(keys: str) -> list[str]:
    return [part for key in keys for part in (key, TABS[key][0])]


def test_on_a_narrow_screen_each_number_shows_and_focuses_its_panel(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert screen_text(pilot.app).splitlines()[3].split() == tab_labels("123456")
        panels = pilot.app.screen.query_one(RunPanels)
        for key, (label, panel) in TABS.items():
            await press(pilot, key)
            assert panels.tab == label.lower()
            assert pilot.app.focused is pilot.app.screen.query_one(f"#{panel}")
        await pilot.click("#tabs-narrow", offset=(3, 0))
        await settled(pilot)
        assert panels.tab == "sweep"

    drive(stage.app(folder=folder), script, size=NARROW)


def test_on_a_wide_screen_the_numbers_are_the_same_without_the_charts(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        rows = [row.split() for row in screen_text(pilot.app).splitlines()]
        assert tab_labels("12345") in rows
        for key in "12345":
            await press(pilot, key)
            panel = pilot.app.screen.query_one(f"#{TABS[key][1]}")
            assert pilot.app.focused is panel
            assert panel.region.height > 0
        await press(pilot, "6")
        assert pilot.app.focused is pilot.app.screen.query_one("#logs")

    drive(stage.app(folder=folder), script)


def test_the_current_panel_survives_a_change_of_size(stage: Stage) -> None:
    folder = stage.add_run("demo")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        for size in ((80, 24), (60, 15), (40, 10), (200, 60), (120, 40)):
            await pilot.resize_terminal(*size)
            await settled(pilot)
        assert "POST /predict" in screen_text(pilot.app)
        assert isinstance(pilot.app.screen, RunScreen)

    drive(stage.app(folder=folder), script)


def test_logs_are_followed_and_n_shows_the_next_one(stage: Stage) -> None:
    folder = measuring(stage)
    (folder / "stack.log").write_text("model-1 | ready\n")
    (folder / "locust.log").write_text("locust is ready\n")

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "5")
        assert "model-1 | ready" in screen_text(pilot.app)
        with (folder / "stack.log").open("a") as file:
            file.write("model-1 | \x1b[31mserved\n")
        append(folder, answered("pause"))
        await until(pilot, lambda: "served" in screen_text(pilot.app))
        await press(pilot, "n")
        assert "locust is ready" in screen_text(pilot.app)
        await press(pilot, "n")
        assert "Logs · runner.log" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_service_output_is_shown_without_markup_or_control_characters(stage: Stage) -> None:
    folder = measuring(stage)
    hostile = "[red]not[/] a [style] \x1b]0;title\x07"
    append(folder, cell_finished("m1_u2_s8", reasons=(hostile,)))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "3")
        assert "[red]not[/] a [style] �]0;title�" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_a_measured_cell_is_measured_again_only_after_a_confirmation(stage: Stage) -> None:
    folder = measuring(stage, "faults", '"message":"the run pauses')

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "k", "k", "a")
        assert "It disappears from the table" in screen_text(pilot.app)
        await press(pilot, "escape")
        assert commands(folder) == []
        await press(pilot, "a", "y")

    with held(folder):
        drive(stage.app(folder=folder), script)
    assert commands(folder) == [("again", "m1_u2_s8")]


def test_a_failed_cell_is_notified_at_once(stage: Stage) -> None:
    at = lines_until("faults", '"type":"cell_failed"')
    folder = stage.add_run("faults", lines=at - 1)
    lines = (JOURNALS / "faults.jsonl").read_bytes().splitlines(keepends=True)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        with (folder / JOURNAL).open("ab") as file:
            file.write(lines[at - 1])
        await until(pilot, lambda: "m1_u1_s8 failed" in screen_text(pilot.app))
        assert "1 of 8 cells done, 1 failed" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_a_run_whose_folder_was_deleted_accepts_no_commands(stage: Stage) -> None:
    folder = measuring(stage)

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        shutil.rmtree(folder)
        await until(pilot, lambda: "No such file" in screen_text(pilot.app).splitlines()[0])
        assert not set(offered(pilot)) & {"space", "x", "s"}

    with held(folder):
        drive(stage.app(folder=folder), script)


@pytest.mark.parametrize(
    ("verdict", "tone"),
    [(Verdict.VALID, "good"), (Verdict.SUSPECT, "warn"), (Verdict.INVALID, "bad")],
)
def test_verdicts_have_their_colour_in_header_and_events(
    stage: Stage, verdict: Verdict, tone: str
) -> None:
    folder = measuring(stage)
    reasons = () if verdict is Verdict.VALID else ("not settled",)
    append(folder, cell_finished("m1_u2_s8", verdict=verdict, reasons=reasons))
    append(folder, RunFinished(result=Result.STOPPED, reason="asked for"))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        for panel in ("header", "events"):
            lines = pilot.app.screen.query_one(f"#{panel}", LineView).lines
            pieces = [piece for line in lines for piece in line]
            word = next(
                piece
                for piece in pieces
                if re.search(rf"\b{verdict.value}\b", piece.text, re.IGNORECASE)
            )
            assert word.tone == tone

    drive(stage.app(folder=folder), script)


def test_a_cell_that_is_not_in_the_plan_is_ignored(stage: Stage) -> None:
    folder = measuring(stage)
    append(folder, cell_started("m9_u9_s9"))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert "live" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_the_drain_is_not_part_of_the_measurement_window(stage: Stage) -> None:
    folder = measuring(stage, mark='"phase":"draining"')
    append(folder, *(sample("m1_u2_s8", second=second, requests=()) for second in range(13, 23)))

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        assert "measurement window so far, 6 s" in screen_text(pilot.app)

    with held(folder):
        drive(stage.app(folder=folder), script)


def test_column_heads_and_row_labels_stay_in_view(stage: Stage) -> None:
    profile = make_profile(models=[*range(1, 21)], users=[*range(1, 31)])
    write_journal(stage.root / "reports" / "demo" / "20261122-111101", run_started(profile))
    folder = stage.root / "reports" / "demo" / "20261122-111101"

    async def script(pilot: "Pilot[Any]") -> None:
        await settled(pilot)
        await press(pilot, "G")
        text = screen_text(pilot.app)
        assert "20 models" in text
        assert "   30" in text
        assert "users" in text
        assert screen_of(pilot).shown == "m20_u30_s2"

    drive(stage.app(folder=folder), script)
