"""Bad connections: slow ones, stalled ones, lost ones, and several at once."""

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
"""What the system keeps of what nobody reads, with a frame that is being written."""


def asked(folder: Path) -> list[str]:
    """What was asked of the runner."""
    file = folder / FILE_NAME
    return (
        [json.loads(it)["command"] for it in file.read_text().splitlines()] if file.exists() else []
    )


def _more_than(terminal: Terminal, written: int) -> bool:
    return len(terminal.said) > written


def go_on(folder: Path, mark: str) -> None:
    """Let the run go on up to a line of its journal."""
    told = (JOURNALS / "demo.jsonl").read_bytes().splitlines(keepends=True)
    there = len((folder / JOURNAL).read_bytes().splitlines())
    with (folder / JOURNAL).open("ab") as file:
        file.write(b"".join(told[there : lines_until("demo", mark)]))


@pytest.mark.parametrize(
    ("size", "keys", "most"),
    [((120, 40), "", 1500), ((80, 24), "2", 1600)],
    ids=["120x40", "80x24"],
)
def test_a_second_of_a_run_with_eight_containers_is_shown_by_few_bytes(
    stage: Stage, opened: Open, size: tuple[int, int], keys: str, most: int
) -> None:
    replay = Replay(JOURNALS / "eight.jsonl", stage.root / "reports" / "eight" / RUN, until_s=40.0)
    try:
        # So often that every second is painted on its own.
        terminal = opened("--refresh", "20", "attach", "eight", size=size)
        terminal.wait_for("live", "m6_u6_s2", "measuring")
        terminal.press(keys)
        terminal.until_quiet()
        painted = []
        for _ in range(SECONDS):
            before = len(terminal.said)
            assert replay.advance()
            terminal.until(partial(_more_than, terminal, before), what="a second more")
            terminal.until_quiet()
            painted.append(len(terminal.said) - before)
    finally:
        replay.close()
    assert sum(painted) / SECONDS <= most, painted


def suspend_and_go_on(terminal: Terminal) -> None:
    """Stop the program as a shell does, and have it go on."""
    process = psutil.Process(terminal.pid)
    terminal.signal(signal.SIGTSTP)
    terminal.until(lambda: process.status() == psutil.STATUS_STOPPED, what="it is stopped")
    terminal.read()
    left, taken = b"\x1b[?1049l", b"\x1b[?1049h"
    assert terminal.said.rfind(left) > terminal.said.rfind(taken)
    terminal.signal(signal.SIGCONT)
    terminal.until(
        lambda: terminal.said.rfind(taken) > terminal.said.rfind(left), what="it is back"
    )
    terminal.wait_for("Where the time goes")


def test_nobody_reads_and_it_still_does_what_it_is_asked_and_piles_nothing_up(
    stage: Stage, opened: Open
) -> None:
    folder = measuring(stage)
    with held(folder):
        terminal = opened("attach")
        terminal.wait_for("live", "POST /predict", "15s")
        before = len(terminal.said)
        terminal.fill("\x0c")
        terminal.press(" ")

        until(lambda: asked(folder) == ["pause"])
        go_on(folder, '"cell_finished"')
        terminal.press("\x0c")
        terminal.wait_for("1 of 4 cells done", "78.0")
        assert len(terminal.said) - before < MAX_UNREAD_BYTES


def test_viewers_come_and_go_and_a_killed_one_disturbs_nobody(stage: Stage, opened: Open) -> None:
    folder = measuring(stage)
    with held(folder):
        viewers = [opened("attach"), opened("attach", size=(80, 24)), opened("attach")]
        for viewer in viewers:
            viewer.wait_for("live", "m1_u2_s8")
        before = (folder / JOURNAL).read_bytes()
        viewers[0].signal(signal.SIGKILL)
        viewers[0].until(lambda: viewers[0].ended)
        viewers[2].hang_up()

        go_on(folder, '"cell_finished"')
        viewers[1].wait_for("1 of 4 cells done")
        assert (folder / JOURNAL).read_bytes().startswith(before)
        assert not asked(folder)


def test_without_the_cell_diff_the_screen_is_the_same(stage: Stage, opened: Open) -> None:
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
            terminal.wait_for("in this panel")
            terminal.press("\x1b")
            terminal.wait_for("Where the time goes")
            suspend_and_go_on(terminal)
            terminal.until_quiet()

        assert both[0].text == both[1].text
        assert both[0].cells == both[1].cells


def test_a_key_redraws_only_what_it_changes_after_a_resize_behind_a_dialog(
    stage: Stage, opened: Open
) -> None:
    stage.save_profile("demo")
    stage.save_profile("with_cpu")
    terminal = opened(size=(60, 20), **{SWITCH: "0"})
    terminal.wait_for("╭─ demo", "spawn rate")
    terminal.press("c")
    terminal.wait_for("copy demo to")
    terminal.resize(120, 40)
    terminal.wait_for("esc cancel", "copy demo to")
    terminal.press("\x1b")
    terminal.until(lambda: "copy demo to" not in terminal.text)
    terminal.until_quiet()
    written = len(terminal.said)

    terminal.press("\x1b[B")
    terminal.wait_for("╭─ with_cpu")
    terminal.until_quiet()

    redrawn = bytes(terminal.said[written:])
    assert b"\x1b[1;61H" in redrawn  # the details of the selected profile
    assert b"\x1b[8;1H" not in redrawn  # an empty row of the list
