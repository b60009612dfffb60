"""Slow, stalled and lost connections, and several viewers at once."""

import json
import signal
from functools import partial
from pathlib import Path

import psutil
import pytest

from loadbench.engine.journal.codec import FILE_NAME as JOURNAL
from loadbench.engine.journal.commands import FILE_NAME
from loadbench.ui.terminal.cell_diff import SWITCH
from tests.support.harness import until
from tests.support.pty_harness import Terminal
from tests.support.replay import Replay
from tests.support.ui_harness import JOURNALS, Open, Stage, held, lines_until, measuring

RUN = "20261127-024929"
SECONDS = 5
MAX_UNREAD_BYTES = 64 * 1024
"""Size of the terminal buffer of the system plus one frame."""


def sent_commands(folder: Path) -> list[str]:
    """Return the commands sent to the runner."""
    file = folder / FILE_NAME
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line)["command"] for line in lines]


def _has_written_more(terminal: Terminal, written: int) -> bool:
    return len(terminal.output) > written


def continue_run(folder: Path, mark: str) -> None:
    """Extend the journal up to the line that contains a text."""
    recorded = (JOURNALS / "demo.jsonl").read_bytes().splitlines(keepends=True)
    written = len((folder / JOURNAL).read_bytes().splitlines())
    with (folder / JOURNAL).open("ab") as file:
        file.write(b"".join(recorded[written : lines_until("demo", mark)]))


@pytest.mark.parametrize(
    ("size", "keys", "max_bytes"),
    [((120, 40), "", 1500), ((80, 24), "2", 1600)],
    ids=["120x40", "80x24"],
)
def test_one_second_of_a_run_with_eight_containers_takes_few_bytes(
    stage: Stage, opened: Open, size: tuple[int, int], keys: str, max_bytes: int
) -> None:
    replay = Replay(JOURNALS / "eight.jsonl", stage.root / "reports" / "eight" / RUN, until_s=40.0)
    try:
        # Refresh often enough to paint every second separately.
        terminal = opened("--refresh", "20", "attach", "eight", size=size)
        terminal.wait_for("live", "m6_u6_s2", "measuring")
        terminal.press(keys)
        terminal.until_quiet()
        painted = []
        for _ in range(SECONDS):
            before = len(terminal.output)
            assert replay.advance()
            terminal.until(partial(_has_written_more, terminal, before), what="the next second")
            terminal.until_quiet()
            painted.append(len(terminal.output) - before)
    finally:
        replay.close()
    assert sum(painted) / SECONDS <= max_bytes, painted


def suspend_and_resume(terminal: Terminal) -> None:
    """Suspend the program as a shell does, and resume it."""
    process = psutil.Process(terminal.pid)
    terminal.signal(signal.SIGTSTP)
    terminal.until(lambda: process.status() == psutil.STATUS_STOPPED, what="suspended")
    leave, enter = b"\x1b[?1049l", b"\x1b[?1049h"
    terminal.until(lambda: terminal.output.rfind(leave) > terminal.output.rfind(enter), what="left")
    terminal.signal(signal.SIGCONT)
    terminal.until(
        lambda: terminal.output.rfind(enter) > terminal.output.rfind(leave), what="resumed"
    )
    terminal.wait_for("Where the time goes")


def test_stalled_terminal_neither_blocks_commands_nor_queues_frames(
    stage: Stage, opened: Open
) -> None:
    folder = measuring(stage)
    with held(folder):
        terminal = opened("attach")
        terminal.wait_for("live", "POST /predict", "15s")
        before = len(terminal.output)
        terminal.fill("\x0c")
        terminal.press(" ")

        until(lambda: sent_commands(folder) == ["pause"])
        continue_run(folder, '"cell_finished"')
        terminal.press("\x0c")
        terminal.wait_for("1 of 4 cells done", "78.0")
        assert len(terminal.output) - before < MAX_UNREAD_BYTES


def test_killed_viewer_affects_neither_the_run_nor_other_viewers(
    stage: Stage, opened: Open
) -> None:
    folder = measuring(stage)
    with held(folder):
        viewers = [opened("attach"), opened("attach", size=(80, 24)), opened("attach")]
        for viewer in viewers:
            viewer.wait_for("live", "m1_u2_s8")
        before = (folder / JOURNAL).read_bytes()
        viewers[0].signal(signal.SIGKILL)
        viewers[0].until(lambda: viewers[0].ended)
        viewers[2].hang_up()

        continue_run(folder, '"cell_finished"')
        viewers[1].wait_for("1 of 4 cells done")
        assert (folder / JOURNAL).read_bytes().startswith(before)
        assert not sent_commands(folder)


def test_screen_is_the_same_without_the_cell_diff(stage: Stage, opened: Open) -> None:
    folder = measuring(stage)
    with held(folder):
        both = [opened("attach", **{SWITCH: switch}) for switch in ("1", "0")]
        for terminal in both:
            terminal.wait_for("live", "POST /predict", "15s")
            terminal.press("t")
            terminal.resize(80, 24)
            terminal.wait_for("1 Sweep")
            terminal.resize(100, 30)
            terminal.wait_for("1 Sweep   2 Statistics")
            terminal.press("?")
            terminal.wait_for("In this panel")
            terminal.press("\x1b")
            terminal.wait_for("Where the time goes")
            suspend_and_resume(terminal)

        def are_same() -> bool:
            for terminal in both:
                terminal.until_quiet()
            return both[0].cells == both[1].cells

        both[0].until(are_same, what="the same screen in both terminals")


def test_key_redraws_only_its_changes_after_a_resize_behind_a_dialog(
    stage: Stage, opened: Open
) -> None:
    stage.save_profile("demo")
    stage.save_profile("with_cpu")
    terminal = opened(size=(60, 20), **{SWITCH: "0"})
    terminal.wait_for("╭─ demo", "No runs yet.")
    terminal.press("c")
    terminal.wait_for("Copy profile demo to")
    terminal.resize(120, 40)
    terminal.wait_for("Esc cancel", "Copy profile demo to")
    terminal.press("\x1b")
    terminal.until(lambda: "Copy profile demo to" not in terminal.text)
    terminal.until_quiet()
    written = len(terminal.output)

    terminal.press("\x1b[B")
    terminal.wait_for("╭─ with_cpu")
    terminal.until_quiet()

    redrawn = bytes(terminal.output[written:])
    assert b"\x1b[1;61H" in redrawn  # the details of the selected profile
    assert b"\x1b[8;1H" not in redrawn  # an empty row of the list
